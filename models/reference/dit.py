r"""Diffusion Transformer: the net that removes the noise is a vision transformer.

W. Peebles, S. Xie, "Scalable Diffusion Models with Transformers", arXiv:2212.09748, sections 3.1 and 3.2, figure 3.

What it changes against DDPM: the U-Net becomes a ViT on patches; time and class enter through the normalisations
(adaLN-Zero) instead of added maps, and each block starts as the identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, grid, oracle, seeded
from ailineage.models.reference.diffusion import angles, noise_levels, noisy, sample

METADATA = {
    "node": "dit",
    "title": {"en": "Diffusion Transformer (DiT)", "zh": "扩散 Transformer（DiT）"},
    "year": 2022,
    "paper": {
        "title": "Scalable Diffusion Models with Transformers",
        "arxiv": "2212.09748",
        "sections": "3.2, figure 3, table 1",
    },
    "parents": ["diffusion", "vit"],
    "nearest_to": ["sora", "voice-engine"],
    "demo": {
        "task": {
            "en": "Digits of a wanted class drawn from noise, judged by a classifier trained apart",
            "zh": "按指定类别从噪声生成数字，由另行训练的分类器评判",
        },
        "metric": "right class",
        "target": 0.3,
        "baseline": "pixels drawn independently from the training digits",
        "margin": 0.2,
    },
    # table 1 says 675M; facebookresearch/DiT logs 675,129,632, its 294,912 fixed positions included as they are here
    "presets": {"XL/2": 675_129_632},
}


@dataclass(frozen=True)
class Config:
    image: int = 8  # side of the picture, or of its latent
    patch: int = 2  # p
    colours: int = 1  # channels
    width: int = 32  # d
    layers: int = 3  # N
    heads: int = 4  # of each layer
    classes: int = 10  # and one more for "any class"
    outputs: int = 1  # channels out for each in: 2 where the variance is predicted too
    frequencies: int = 64  # sinusoids of the time; 256 in the paper
    steps: int = 100  # T; 1000 in the paper
    guidance: float = 2.0  # scale of classifier-free guidance
    updates: int = 1300  # training steps
    batch: int = 32  # pictures an update
    rate: float = 3e-3  # highest learning rate


TINY = Config(width=16, layers=1, steps=10, updates=10, batch=16)
PRESETS = {"XL/2": Config(32, 2, 4, 1152, 28, 16, 1000, 2, 256, 1000)}


class Block(nn.Module):
    """A transformer layer whose norms are shifted and scaled by the condition: adaLN-Zero."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.condition = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.condition.weight)  # at first every block is the identity
        nn.init.zeros_(self.condition.bias)

    def attend(self, x: Tensor) -> Tensor:
        B, N, C = x.shape
        q, k, v = self.qkv(x).reshape(B, N, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # each (B, H, N, d)
        weights = (q @ k.transpose(-2, -1) / (C // self.heads) ** 0.5).softmax(-1)  # (B, H, N, N)
        return self.out((weights @ v).transpose(1, 2).reshape(B, N, C))

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = self.condition(F.silu(c))[:, None].chunk(6, -1)
        # x <- x + alpha (f(gamma LN(x) + beta)), for attention and for the feed-forward net
        x = x + gate1 * self.attend(modulate(x, shift1, scale1))
        h = F.gelu(self.up(modulate(x, shift2, scale2)), approximate="tanh")
        return x + gate2 * self.down(h)  # (B, N, C)


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift


class DiT(nn.Module):
    """Noisy pictures (B, C, S, S), times (B,) and classes (B,) -> noise (B, outputs C, S, S)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.config = config
        self.patches = nn.Conv2d(c.colours, c.width, c.patch, c.patch)
        self.time = nn.Sequential(nn.Linear(c.frequencies, c.width), nn.SiLU(), nn.Linear(c.width, c.width))
        self.labels = nn.Embedding(c.classes + 1, c.width)
        # fixed sinusoids, half of the width for the row and half for the column; counted, not trained
        side = torch.arange(c.image // c.patch)
        row, column = side.repeat_interleave(len(side)), side.repeat(len(side))
        places = torch.cat([angles(row, c.width // 2), angles(column, c.width // 2)], 1)
        self.places = nn.Parameter(places, requires_grad=False)  # (N, C)
        self.blocks = nn.ModuleList(Block(c.width, c.heads) for _ in range(c.layers))
        self.condition = nn.Linear(c.width, 2 * c.width)
        self.last = nn.Linear(c.width, c.patch * c.patch * c.outputs * c.colours)
        for layer in (self.condition, self.last):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        B, _, S, _ = x.shape
        p = self.config.patch
        x = self.patches(x).flatten(2).transpose(1, 2) + self.places  # (B, N, C)
        c = self.time(angles(t, self.config.frequencies)) + self.labels(y)  # (B, C)
        for block in self.blocks:
            x = block(x, c)
        shift, scale = self.condition(F.silu(c))[:, None].chunk(2, -1)
        x = self.last(modulate(x, shift, scale))  # (B, N, p * p * C')
        x = x.reshape(B, S // p, S // p, p, p, -1)  # rows and columns of patches, then within a patch
        return x.permute(0, 5, 1, 3, 2, 4).reshape(B, -1, S, S)


def build(config: Config) -> DiT:
    return DiT(config)


class Guided(nn.Module):
    """The net with its classes chosen, as `sample` of the diffusion file wants it."""

    def __init__(self, model: DiT, y: Tensor) -> None:
        super().__init__()
        self.model, self.y = model, y

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        free = self.model(x, t, torch.full_like(self.y, self.model.config.classes))
        # section 3.1   eps = eps(x, any) + s (eps(x, c) - eps(x, any))
        return free + self.model.config.guidance * (self.model(x, t, self.y) - free)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    model, split = build(config), digits()
    x, wanted = split.x * 2 - 1, torch.arange(100) % 10
    _, alpha_bar = noise_levels(config.steps)

    def right(images: Tensor) -> float:
        with torch.no_grad():
            chances, classes = oracle()(images).softmax(1).max(1)
        return float(((classes == wanted) & (chances > 0.9)).float().mean())

    shuffled = split.x.flatten(1).gather(0, torch.rand(len(x), 64).argsort(0))[:100]
    baseline = right(shuffled.reshape(-1, 1, 8, 8))
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), config.rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates)
    for update in range(1, config.updates + 1):
        index = torch.randint(len(x), (config.batch,))
        # one label in ten is dropped, so that the net also knows "any class"
        y = torch.where(torch.rand(config.batch) < 0.1, config.classes, split.y[index])
        t, noise = torch.randint(config.steps, (config.batch,)), torch.randn(x[index].shape)
        loss = (noise - model(noisy(x[index], t, noise, alpha_bar), t, y)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if update % (config.updates // 10) == 0:
            metrics, picture = {"loss": float(loss.detach())}, None
            if update == config.updates:
                drawn = sample(Guided(model, wanted), (100, 1, 8, 8), config.steps) / 2 + 0.5
                metrics |= {"right class": right(drawn), "baseline": baseline}
                picture = grid(drawn[:40, 0])
            yield Step(update, config.updates, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
