r"""3D Gaussian splatting: the scene is a cloud of soft ellipsoids, drawn onto the picture and fitted by gradients.

B. Kerbl, G. Kopanas, T. Leimkühler and G. Drettakis, "3D Gaussian Splatting for Real-Time Radiance Field Rendering",
arXiv:2308.04079, section 4 (equations 4 to 6), section 5.2 (densification: here cloning and pruning are left out, the
number of Gaussians is fixed), section 2.3 (equations 2 and 3); spherical harmonics of degree 0 to 3.

What it changes against NeRF: no net and no samples along rays. Explicit Gaussians are projected, sorted by depth and
composited, so that a picture is a rasterisation; the sum along the ray is that of volume rendering.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import camera, psnr, see_balls, seeded, two_balls
from ailineage.models.reference.volume_rendering import weights

METADATA = {
    "node": "gs3d",
    "title": {"en": "3D Gaussian Splatting", "zh": "三维高斯泼溅"},
    "year": 2023,
    "paper": {
        "title": "3D Gaussian Splatting for Real-Time Radiance Field Rendering",
        "arxiv": "2308.04079",
        "sections": "2.3, 4, 5, equations 2 to 6",
    },
    "parents": ["nerf", "volume_rendering"],
    "demo": {
        "task": {
            "en": "From 16 small pictures of two balls of fog, Gaussians that show a view without a picture",
            "zh": "由两团雾球的 16 张小图拟合高斯，画出没有拍过的视角",
        },
        "metric": "PSNR of unseen views",
        "target": 24.0,
        "baseline": "the nearest training view instead",
        "margin": 5.0,
    },
    # section 5.2 and 7.2 speak of 1 to 5 million Gaussians a scene; each has 3 + 3 + 4 + 1 numbers of shape and
    # 3 * 16 of colour (harmonics of degree 3): 59, the float32 properties of the released .ply files without normals
    "presets": {"1M Gaussians": 59_000_000, "5M Gaussians": 295_000_000},
}


@dataclass(frozen=True)
class Config:
    gaussians: int = 150  # how many; constant here
    degree: int = 1  # of the spherical harmonics
    updates: int = 300  # training steps, one view each
    rate: float = 0.03  # of Adam
    views: int = 16  # training pictures
    size: int = 24  # pixels a side


TINY = Config(gaussians=20, updates=20, size=12)
PRESETS = {"1M Gaussians": Config(1_000_000, 3), "5M Gaussians": Config(5_000_000, 3)}
DISTANCE, HALF = 4.0, 1.4  # of the camera; half the picture's width at the origin


def rotation(q: Tensor) -> Tensor:
    """Quaternions (N, 4), real part first -> matrices (N, 3, 3)."""
    r, x, y, z = F.normalize(q, dim=1).unbind(1)
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - r * z), 2 * (x * z + r * y)]
    rows += [2 * (x * y + r * z), 1 - 2 * (x * x + z * z), 2 * (y * z - r * x)]
    rows += [2 * (x * z - r * y), 2 * (y * z + r * x), 1 - 2 * (x * x + y * y)]
    return torch.stack(rows, 1).reshape(-1, 3, 3)


def harmonics(d: Tensor, degree: int) -> Tensor:
    """Real spherical harmonics of unit directions (N, 3) -> (N, (degree + 1)^2)."""
    x, y, z = d.unbind(1)
    terms = [torch.full_like(x, 0.5 / math.sqrt(math.pi))]
    if degree >= 1:
        terms += [math.sqrt(0.75 / math.pi) * value for value in (-y, z, -x)]
    if degree >= 2:
        a = 0.5 * math.sqrt(15 / math.pi)
        terms += [a * x * y, -a * y * z, 0.25 * math.sqrt(5 / math.pi) * (3 * z * z - 1)]
        terms += [-a * x * z, a / 2 * (x * x - y * y)]
    if degree >= 3:
        a, b = 0.25 * math.sqrt(35 / (2 * math.pi)), 0.25 * math.sqrt(21 / (2 * math.pi))
        terms += [-a * y * (3 * x * x - y * y), 0.5 * math.sqrt(105 / math.pi) * x * y * z]
        terms += [-b * y * (5 * z * z - 1), 0.25 * math.sqrt(7 / math.pi) * z * (5 * z * z - 3)]
        terms += [-b * x * (5 * z * z - 1), 0.25 * math.sqrt(105 / math.pi) * z * (x * x - y * y)]
        terms += [-a * x * (x * x - 3 * y * y)]
    return torch.stack(terms, 1)


class Gaussians(nn.Module):
    """N Gaussians: means, log scales, quaternions, opacity logits and harmonics of colour."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        n, self.degree = config.gaussians, config.degree
        self.mean = nn.Parameter(torch.rand(n, 3) * 2.4 - 1.2)
        self.scale = nn.Parameter(torch.full((n, 3), math.log(0.15)))
        self.turn = nn.Parameter(torch.randn(n, 4))
        self.opacity = nn.Parameter(torch.full((n, 1), -1.5))
        self.colour = nn.Parameter(torch.zeros(n, 3, (config.degree + 1) ** 2))

    def covariance(self) -> Tensor:
        # (6)   Sigma = R S S^T R^T
        half = rotation(self.turn) * self.scale.exp()[:, None]  # (N, 3, 3)
        return half @ half.transpose(1, 2)

    def forward(self, azimuth: float, elevation: float, size: int, background: float = 1.0) -> Tensor:
        """The view of data.camera(azimuth, elevation, size=size) as colours (size * size, 3)."""
        sa, ca, se, ce = math.sin(azimuth), math.cos(azimuth), math.sin(elevation), math.cos(elevation)
        eye = torch.tensor([ce * ca, ce * sa, se]) * DISTANCE
        # W: rows are right, down and forward, so that a pixel's row grows downwards
        world = torch.tensor([[-sa, ca, 0.0], [se * ca, se * sa, -ce], [-ce * ca, -ce * sa, -se]])
        t = (self.mean - eye) @ world.T  # (N, 3) in the camera's frame
        depth = t[:, 2].clamp(min=0.2)
        focal = DISTANCE / HALF * size / 2
        centre = focal * t[:, :2] / depth[:, None] + size / 2  # (N, 2) in pixels
        # (5)   Sigma' = J W Sigma W^T J^T, J the derivative of the projection at the mean
        zero = torch.zeros_like(depth)
        across = torch.stack([focal / depth, zero, -focal * t[:, 0] / depth**2], 1)
        down = torch.stack([zero, focal / depth, -focal * t[:, 1] / depth**2], 1)
        jw = torch.stack([across, down], 1) @ world  # (N, 2, 3)
        # 0.3 pixels are added to the diagonal, as in the official code: none is thinner than a pixel
        flat = jw @ self.covariance() @ jw.transpose(1, 2) + 0.3 * torch.eye(2)  # (N, 2, 2)
        pixels = torch.arange(size) + 0.5
        y, x = torch.meshgrid(pixels, pixels, indexing="ij")
        order = depth.argsort()
        offset = torch.stack([x, y], -1).reshape(-1, 1, 2) - centre[order]  # (P, N, 2)
        # (4)   G(x) = exp(-1/2 x^T Sigma^-1 x)
        ax, ay = offset.unbind(-1)
        inverse = torch.linalg.inv(flat[order])
        power = inverse[:, 0, 0] * ax * ax + 2 * inverse[:, 0, 1] * ax * ay + inverse[:, 1, 1] * ay * ay  # (P, N)
        alpha = (self.opacity[order, 0].sigmoid() * torch.exp(-power / 2)).clamp(max=0.99)
        basis = harmonics(F.normalize(self.mean - eye, dim=1), self.degree)  # (N, K)
        colour = (0.5 + (self.colour * basis[:, None]).sum(-1)).clamp(min=0)[order]  # (N, 3)
        # (3)   C = sum_i c_i alpha_i prod_{j < i} (1 - alpha_j)
        w = weights(alpha)  # (P, N)
        return w @ colour + (1 - w.sum(1, keepdim=True)) * background


def build(config: Config) -> Gaussians:
    return Gaussians(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    n = config.views
    views = [(6.2832 * k / n, 0.2 + 0.6 * (k % 2)) for k in range(n)]
    seen = [see_balls(two_balls(), *camera(a, e, size=config.size)) for a, e in views]
    tests = [(6.2832 * (k + 0.5) / n, 0.5) for k in (1, 6)]
    wanted = torch.cat([see_balls(two_balls(), *camera(a, e, size=config.size)) for a, e in tests])
    baseline = psnr(torch.cat([seen[1], seen[6]]), wanted)
    model = build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.1 ** (1 / config.updates))
    for update in range(1, config.updates + 1):
        k = int(torch.randint(n, ()))
        # (7)   L = (1 - lambda) L_1 + lambda L_D-SSIM; here L_1 and the square instead of D-SSIM, on tiny pictures
        error = model(*views[k], config.size) - seen[k]
        loss = 0.8 * error.abs().mean() + 0.2 * error.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if update % (config.updates // 10) == 0:
            with torch.no_grad():
                drawn = torch.cat([model(*view, config.size) for view in tests])
            metrics = {"PSNR of unseen views": psnr(drawn, wanted), "loss": float(loss.detach()), "baseline": baseline}
            rows = [x.reshape(2, config.size, config.size, 3).transpose(0, 1).flatten(1, 2) for x in (wanted, drawn)]
            picture = (torch.cat(rows).clamp(0, 1) * 255).byte().numpy().repeat(3, 0).repeat(3, 1)
            yield Step(update, config.updates, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
