r"""Denoising diffusion: learn to remove a little noise, then start from nothing but noise.

J. Ho, A. Jain, P. Abbeel, "Denoising Diffusion Probabilistic Models", arXiv:2006.11239; the idea is J. Sohl-Dickstein
et al., "Deep Unsupervised Learning using Nonequilibrium Thermodynamics", arXiv:1503.03585.

What it changes against U-Net: the same shape of net, now with residual blocks and told the time, predicts the noise
that was added. Generation is T small denoising steps instead of one pass as in a GAN or VAE.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, grid, judge, seeded

METADATA = {
    "node": "diffusion",
    "title": {"en": "Denoising diffusion", "zh": "扩散模型（DDPM）"},
    "year": 2020,
    "paper": {
        "title": "Denoising Diffusion Probabilistic Models",
        "arxiv": "2006.11239",
        "sections": "2 and 3, equations 4, 11 and 14, algorithms 1 and 2, appendix B",
    },
    "parents": ["unet"],
    "nearest_to": ["dalle2"],
    "demo": {
        "task": {
            "en": "Digits drawn from pure noise, judged by a classifier trained apart",
            "zh": "从纯噪声生成数字，由另行训练的分类器评判",
        },
        "metric": "recognised share",
        "target": 0.28,
        "baseline": "pixels drawn independently from the training digits",
        "margin": 0.1,
    },
    # appendix B says 35.7 million; 35,746,307 is the count of its public PyTorch port google/ddpm-cifar10-32
    "presets": {"CIFAR10": 35_746_307},
}


@dataclass(frozen=True)
class Config:
    colours: int = 1  # channels of the picture
    width: int = 16  # channels at full size
    multiples: tuple[int, ...] = (1, 2)  # channels at each size, in widths; each size is half the one before
    attention: tuple[int, ...] = ()  # at which of these sizes positions attend to each other
    blocks: int = 1  # residual blocks a size
    steps: int = 100  # T; 1000 in the paper
    groups: int = 8  # of group normalisation; 32 in the paper
    updates: int = 600  # training steps
    batch: int = 32  # pictures an update
    rate: float = 3e-3  # highest learning rate


TINY = Config(width=8, steps=10, updates=10, batch=16)
PRESETS = {"CIFAR10": Config(3, 128, (1, 2, 2, 2), (1,), 2, 1000, 32)}


class Residual(nn.Module):
    """Two convolutions (B, C, H, W) -> (B, D, H, W) that are told the time (B, E)."""

    def __init__(self, inputs: int, outputs: int, time: int, groups: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(groups, inputs), nn.GroupNorm(groups, outputs)
        self.conv1, self.conv2 = nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.time = nn.Linear(time, outputs)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x))) + self.time(F.silu(time))[:, :, None, None]
        return self.skip(x) + self.conv2(F.silu(self.norm2(h)))


class Attend(nn.Module):
    """Self-attention among all positions, one head."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, width)
        self.q, self.k, self.v, self.o = (nn.Conv2d(width, width, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        q, k, v = (f(h).flatten(2) for f in (self.q, self.k, self.v))  # each (B, C, H * W)
        weights = (q.transpose(1, 2) @ k / x.shape[1] ** 0.5).softmax(-1)  # (B, HW, HW)
        return x + self.o((v @ weights.transpose(1, 2)).reshape(x.shape))


class UNet(nn.Module):
    """Noisy pictures (B, C, H, W) and times (B,) -> the noise in them (B, C, H, W)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c, g = config, config.groups
        self.width, time = c.width, 4 * c.width
        self.time = nn.Sequential(nn.Linear(c.width, time), nn.SiLU(), nn.Linear(time, time))
        self.first = nn.Conv2d(c.colours, c.width, 3, padding=1)
        widths, now, kept = [m * c.width for m in c.multiples], c.width, [c.width]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, width in enumerate(widths):
            for _ in range(c.blocks):
                attend = Attend(width, g) if i in c.attention else nn.Identity()
                self.down.append(nn.ModuleList([Residual(now, width, time, g), attend]))
                now = width
                kept.append(now)
            if i < len(widths) - 1:
                self.down.append(nn.Conv2d(now, now, 3, stride=2, padding=1))
                kept.append(now)
        self.middle = nn.ModuleList([Residual(now, now, time, g), Attend(now, g), Residual(now, now, time, g)])
        for i, width in reversed(list(enumerate(widths))):
            for _ in range(c.blocks + 1):
                attend = Attend(width, g) if i in c.attention else nn.Identity()
                self.up.append(nn.ModuleList([Residual(now + kept.pop(), width, time, g), attend]))
                now = width
            if i:
                self.up.append(nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(now, now, 3, padding=1)))
        self.norm, self.last = nn.GroupNorm(g, now), nn.Conv2d(now, c.colours, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        time = self.time(angles(t, self.width))  # (B,) -> (B, E)
        x = self.first(x)
        kept = [x]
        for part in self.down:
            x = part[1](part[0](x, time)) if isinstance(part, nn.ModuleList) else part(x)
            kept.append(x)
        x = self.middle[2](self.middle[1](self.middle[0](x, time)), time)
        for part in self.up:
            x = part[1](part[0](torch.cat([x, kept.pop()], 1), time)) if isinstance(part, nn.ModuleList) else part(x)
        return self.last(F.silu(self.norm(x)))


def angles(t: Tensor, width: int) -> Tensor:
    """The Transformer's sinusoids of times (B,) -> (B, width)."""
    speed = 10_000.0 ** (-torch.arange(width // 2, device=t.device) / (width // 2))
    angle = t[:, None] * speed
    return torch.cat([angle.sin(), angle.cos()], 1)


def noise_levels(steps: int) -> tuple[Tensor, Tensor]:
    """beta_t and alpha_bar_t (T,): linear from 1e-4 to 0.02 for T = 1000, the same noise in all for fewer."""
    beta = torch.linspace(0.1 / steps, 20 / steps, steps).clamp(max=0.999)
    # alpha_t = 1 - beta_t,   alpha_bar_t = prod_{s <= t} alpha_s
    return beta, (1 - beta).cumprod(0)


def noisy(x: Tensor, t: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    # (4)   q(x_t | x_0) = N(sqrt(alpha_bar_t) x_0, (1 - alpha_bar_t) I)
    a = alpha_bar[t][:, None, None, None]
    return a.sqrt() * x + (1 - a).sqrt() * noise


@torch.no_grad()
def sample(model: nn.Module, shape: tuple[int, ...], steps: int) -> Tensor:
    """Algorithm 2: pictures in [-1, 1] out of noise."""
    beta, alpha_bar = noise_levels(steps)
    x = torch.randn(shape)
    for t in reversed(range(steps)):
        noise = model(x, torch.full((shape[0],), t))
        # (11)   x_{t-1} = (x_t - beta_t / sqrt(1 - alpha_bar_t) eps(x_t, t)) / sqrt(alpha_t) + sigma_t z
        x = (x - beta[t] / (1 - alpha_bar[t]).sqrt() * noise) / (1 - beta[t]).sqrt()
        if t:
            x = x + beta[t].sqrt() * torch.randn(shape)  # sigma_t^2 = beta_t
    return x.clamp(-1, 1)


def build(config: Config) -> UNet:
    return UNet(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    model, x = build(config), digits().x * 2 - 1
    _, alpha_bar = noise_levels(config.steps)
    shuffled = x.flatten(1).gather(0, torch.rand(len(x), 64).argsort(0))[:200].reshape(-1, 1, 8, 8)
    baseline, _ = judge(shuffled / 2 + 0.5)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates)
    for update in range(1, config.updates + 1):
        clean = x[torch.randint(len(x), (config.batch,))]
        t, noise = torch.randint(config.steps, (config.batch,)), torch.randn(clean.shape)
        # (14)   L_simple = E || eps - eps_theta(sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps, t) ||^2
        loss = (noise - model(noisy(clean, t, noise, alpha_bar), t)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if update % (config.updates // 10) == 0:
            metrics, picture = {"loss": float(loss.detach())}, None
            if update == config.updates:
                drawn = sample(model, (100, 1, 8, 8), config.steps) / 2 + 0.5
                share, classes = judge(drawn)
                metrics |= {"recognised share": share, "classes": classes, "baseline": baseline}
                picture = grid(drawn[:40, 0])
            yield Step(update, config.updates, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
