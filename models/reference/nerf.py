r"""NeRF: a scene is a small net from place and direction to density and colour, fitted through volume rendering.

B. Mildenhall et al., "NeRF: Representing Scenes as Neural Radiance Fields for View Synthesis", arXiv:2003.08934,
sections 4 and 5 (equations 1 to 6), appendix A and figure 7 (the net).

What it changes against volume rendering: the volume is not given but learned from photographs. Against the multilayer
perceptron: coordinates enter as sines and cosines of many frequencies, without which the net stays blurred.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import camera, psnr, see_balls, seeded, two_balls
from ailineage.models.reference.volume_rendering import composite

METADATA = {
    "node": "nerf",
    "title": {"en": "NeRF", "zh": "NeRF"},
    "year": 2020,
    "paper": {
        "title": "NeRF: Representing Scenes as Neural Radiance Fields for View Synthesis",
        "arxiv": "2003.08934",
        "sections": "4, 5, equations 1 to 6, figure 7",
    },
    "parents": ["mlp", "volume_rendering", "positional_encoding"],
    "demo": {
        "task": {
            "en": "From 16 small pictures of two balls of fog, the view from a place without a picture",
            "zh": "由两团雾球的 16 张小图，画出没有拍过的视角",
        },
        "metric": "PSNR of unseen views",
        "target": 25.0,
        "baseline": "the nearest training view instead",
        "margin": 6.0,
    },
    # the official code's net (bmild/nerf, run_nerf_helpers.py: 63 and 27 inputs, as it keeps the coordinates beside
    # their encoding): 16,384 + 6 * 65,792 + 81,920 + 257 + 65,792 + 36,352 + 387 = 595,844, twice: coarse and fine
    "presets": {"paper": 1_191_688},
}


@dataclass(frozen=True)
class Config:
    depth: int = 3  # layers before the density
    width: int = 64  # units a layer
    skip: int = 2  # the input enters again after so many layers
    view_width: int = 32  # units of the layer that sees the direction
    place_frequencies: int = 5  # L for x
    view_frequencies: int = 2  # L for d
    coarse: int = 16  # N_c samples of a ray
    fine: int = 16  # N_f more where the coarse net saw something
    rays: int = 128  # of a batch
    updates: int = 240  # training steps
    rate: float = 4e-3  # of Adam at first; falls to a tenth
    views: int = 16  # training pictures
    size: int = 24  # pixels a side


TINY = Config(width=16, view_width=8, coarse=8, fine=8, rays=64, updates=10, size=12)
PRESETS = {"paper": Config(8, 256, 5, 128, 10, 4, 64, 128, 4096, 300_000, 5e-4, 100, 800)}
NEAR, FAR = 2.4, 5.6


def encode(p: Tensor, frequencies: int) -> Tensor:
    """Coordinates (..., 3) -> (..., 3 + 6 L), the coordinates themselves in front as in the official code."""
    scaled = p[..., None] * 2.0 ** torch.arange(frequencies, device=p.device)  # (..., 3, L)
    # (4)   gamma(p) = (sin(2^0 pi p), cos(2^0 pi p), ..., sin(2^{L-1} pi p), cos(2^{L-1} pi p));
    # the official code leaves out pi, as its scenes reach beyond [-1, 1]
    return torch.cat([p, scaled.sin().flatten(-2), scaled.cos().flatten(-2)], -1)


class Field(nn.Module):
    """F_Theta: places and unit directions (..., 3) -> densities (...) and colours (..., 3)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = c = config
        place, view = 3 + 6 * c.place_frequencies, 3 + 6 * c.view_frequencies
        sizes = [place] + [c.width] * (c.depth - 1)
        self.layers = nn.ModuleList(
            nn.Linear(size + (place if i == c.skip else 0), c.width) for i, size in enumerate(sizes)
        )
        self.density, self.feature = nn.Linear(c.width, 1), nn.Linear(c.width, c.width)
        self.view, self.colour = nn.Linear(c.width + view, c.view_width), nn.Linear(c.view_width, 3)

    def forward(self, x: Tensor, d: Tensor) -> tuple[Tensor, Tensor]:
        c = self.config
        place = h = encode(x, c.place_frequencies)
        for i, layer in enumerate(self.layers):
            h = F.relu(layer(torch.cat([place, h], -1) if i == c.skip else h))  # (..., W)
        # density from the place alone, colour from place and direction: figure 7
        # softplus where the paper has max(0, .): in a small net that first believes in emptiness a ReLU stays dead
        density = F.softplus(self.density(h) - 1)[..., 0]
        h = F.relu(self.view(torch.cat([self.feature(h), encode(d, c.view_frequencies)], -1)))
        return density, torch.sigmoid(self.colour(h))


def stratified(rays: int, count: int) -> Tensor:
    """Distances (R, N), one at random in each of N equal pieces."""
    # (2)   t_i ~ U[t_n + (i - 1) / N (t_f - t_n),  t_n + i / N (t_f - t_n)]
    return NEAR + (torch.arange(count) + torch.rand(rays, count)) / count * (FAR - NEAR)


def importance(t: Tensor, weights: Tensor, count: int) -> Tensor:
    """Distances (R, N_f) drawn from the coarse weights (R, N_c), taken as piecewise constant between midpoints of t."""
    edges = (t[:, 1:] + t[:, :-1]) / 2  # (R, N_c - 1)
    # (5)   w^_i = w_i / sum_j w_j
    pdf = weights[:, 1:-1] + 1e-5
    cdf = F.pad((pdf / pdf.sum(1, keepdim=True)).cumsum(1), (1, 0))  # (R, N_c - 1)
    u = torch.rand(len(t), count)
    above = torch.searchsorted(cdf.contiguous(), u, right=True).clamp(1, cdf.shape[1] - 1)
    c0, c1 = cdf.gather(1, above - 1), cdf.gather(1, above)
    t0, t1 = edges.gather(1, above - 1), edges.gather(1, above)
    return t0 + (u - c0) / (c1 - c0).clamp(min=1e-5) * (t1 - t0)


class NeRF(nn.Module):
    """A coarse and a fine field; rays (R, 3), (R, 3) -> colours (R, 3) as each of the two sees them."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config, self.coarse, self.fine = config, Field(config), Field(config)

    @staticmethod
    def _render(field: Field, o: Tensor, d: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        # r(t) = o + t d
        x = o[:, None] + t[..., None] * d[:, None]  # (R, N, 3)
        density, colour = field(x, d[:, None].expand_as(x))
        # (3)   C(r) = sum_i T_i (1 - exp(-sigma_i delta_i)) c_i,   delta_i = t_{i+1} - t_i, the last one up to t_f
        return composite(density, colour, F.pad(t, (0, 1), value=FAR).diff(dim=1))

    def forward(self, o: Tensor, d: Tensor) -> tuple[Tensor, Tensor]:
        t = stratified(len(o), self.config.coarse)
        coarse, w = self._render(self.coarse, o, d, t)
        finer = torch.cat([t, importance(t, w.detach(), self.config.fine)], 1).sort(1)[0]
        return coarse, self._render(self.fine, o, d, finer)[0]


def build(config: Config) -> NeRF:
    return NeRF(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    balls, n = two_balls(), config.views
    rays = [camera(6.2832 * k / n, 0.2 + 0.6 * (k % 2), size=config.size) for k in range(n)]
    o, d = (torch.cat(parts) for parts in zip(*rays, strict=True))
    seen = see_balls(balls, o, d)  # (R, 3), the photographs
    tests = [camera(6.2832 * (k + 0.5) / n, 0.5, size=config.size) for k in (1, 6)]
    o_test, d_test = (torch.cat(parts) for parts in zip(*tests, strict=True))
    wanted = see_balls(balls, o_test, d_test)
    nearest = torch.cat([seen.split(config.size**2)[k] for k in (1, 6)])
    baseline = psnr(nearest, wanted)
    model = build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.1 ** (1 / config.updates))
    for update in range(1, config.updates + 1):
        index = torch.randint(len(o), (config.rays,))
        coarse, fine = model(o[index], d[index])
        # (6)   L = sum_r ||C_c(r) - C(r)||^2 + ||C_f(r) - C(r)||^2
        loss = (coarse - seen[index]).square().mean() + (fine - seen[index]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if update % (config.updates // 10) == 0:
            with torch.no_grad():
                parts = zip(o_test.split(1024), d_test.split(1024), strict=True)
                drawn = torch.cat([model(a, b)[1] for a, b in parts])
            metrics = {"PSNR of unseen views": psnr(drawn, wanted), "loss": float(loss.detach()), "baseline": baseline}
            rows = [x.reshape(2, config.size, config.size, 3).transpose(0, 1).flatten(1, 2) for x in (wanted, drawn)]
            picture = (torch.cat(rows).clamp(0, 1) * 255).byte().numpy().repeat(3, 0).repeat(3, 1)
            yield Step(update, config.updates, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
