r"""DDIM: the net of a diffusion model, used in a tenth of the steps and without chance.

J. Song, C. Meng, S. Ermon, "Denoising Diffusion Implicit Models", arXiv:2010.02502, sections 4.1 (equation 12), 4.2
(fewer steps), 5 (equation 16, table 1) and 5.3 (interpolation); appendix D.3 on sigma-hat.

What it changes against DDPM: nothing in training, which only knows how noisy a picture is at each level and not how one
level leads to the next. So the way back may be another: guess the clean picture, go straight towards it with the same
noise. eta = 1 is DDPM again, eta = 0 has no randomness left; then steps can be skipped and codes be interpolated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, diffusion, main
from ailineage.models.reference.data import digits, grid, judge, seeded
from ailineage.models.reference.diffusion import noise_levels, noisy

METADATA = {
    "node": "ddim",
    "title": {"en": "DDIM", "zh": "DDIM（去噪扩散隐式模型）"},
    "year": 2020,
    "paper": {
        "title": "Denoising Diffusion Implicit Models",
        "arxiv": "2010.02502",
        "sections": "4.1 and 4.2, equations 12 and 16, table 1",
    },
    "parents": ["diffusion"],
    "demo": {
        "task": {
            "en": "A noise becomes the same digit in 10 steps as in 100, so nine steps in ten can be left out",
            "zh": "同一份噪声用 10 步画出的数字与 100 步相同，十步中可省去九步",
        },
        "metric": "agreement of 10 with 100 steps",
        "target": 0.85,
        "baseline": "the agreement of DDPM's pictures, eta = 1, from the same noise",
        "margin": 0.3,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    model: diffusion.Config = field(default=diffusion.Config(updates=400))  # the diffusion model, training included
    steps: int = 10  # S, length of the subsequence tau that is used
    drawn: int = 100  # pictures to judge


TINY = Config(diffusion.TINY, steps=5, drawn=20)
PRESETS: dict[str, Config] = {}


def subsequence(total: int, steps: int) -> list[int]:
    """tau: `steps` of the times 0 .. total - 1, the last included, evenly spread."""
    return [round((i + 1) * total / steps) - 1 for i in range(steps)]


@torch.no_grad()
def sample(model: nn.Module, x: Tensor, total: int, steps: int, eta: float = 0.0, hat: bool = False) -> Tensor:
    """From noise x (B, C, H, W) to pictures in [-1, 1]; with `hat` the larger noise of DDPM, eta being 1."""
    _, alpha_bar = noise_levels(total)  # the paper writes alpha for alpha_bar
    tau = subsequence(total, steps)
    for t, before in zip(reversed(tau), [*reversed(tau[:-1]), None], strict=True):
        a, b = alpha_bar[t], torch.tensor(1.0) if before is None else alpha_bar[before]
        noise = model(x, torch.full((len(x),), t))
        # (16)   sigma(eta) = eta sqrt((1 - a_before) / (1 - a_t)) sqrt(1 - a_t / a_before)
        sigma = eta * ((1 - b) / (1 - a)).sqrt() * (1 - a / b).sqrt()
        # (9)    predicted x_0 = (x_t - sqrt(1 - a_t) eps(x_t)) / sqrt(a_t)
        clean = (x - (1 - a).sqrt() * noise) / a.sqrt()
        # (12)   x_before = sqrt(a_before) x_0 + sqrt(1 - a_before - sigma^2) eps + sigma z
        x = b.sqrt() * clean + (1 - b - sigma**2).clamp(min=0).sqrt() * noise
        # section 5   sigma-hat = sqrt(1 - a_t / a_before) for z alone, as DDPM takes on CIFAR-10
        spread = (1 - a / b).sqrt() if hat else sigma
        if before is not None and eta > 0:
            x = x + spread * torch.randn(x.shape)
    return x.clamp(-1, 1)


def slerp(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    """Codes (K, ...) on the arc from a to b, for shares (K,) in [0, 1]: section 5.3, appendix D.5."""
    angle = torch.acos((a * b).sum() / (a.norm() * b.norm()))
    share = share.reshape(-1, *[1] * a.dim())
    return (((1 - share) * angle).sin() * a + (share * angle).sin() * b) / angle.sin()


def agreement(a: Tensor, b: Tensor) -> float:
    """Correlation of two sets of pictures (N, C, H, W), of what distinguishes each from the mean picture of its set."""
    a, b = (a - a.mean(0)).flatten(), (b - b.mean(0)).flatten()
    return float(torch.dot(a, b) / (a.norm() * b.norm()))


def build(config: Config) -> diffusion.UNet:
    return diffusion.build(config.model)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    c, model, x = config.model, build(config), digits().x * 2 - 1
    _, alpha_bar = noise_levels(c.steps)
    optimizer = torch.optim.Adam(model.parameters(), c.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, c.rate, total_steps=c.updates)
    for update in range(1, c.updates + 1):
        clean = x[torch.randint(len(x), (c.batch,))]
        t, noise = torch.randint(c.steps, (c.batch,)), torch.randn(clean.shape)
        loss = (noise - model(noisy(clean, t, noise, alpha_bar), t)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if update % max(1, c.updates // 10) == 0 and update < c.updates:
            yield Step(update, c.updates, {"loss": float(loss.detach())})
    codes = torch.randn(config.drawn, 1, 8, 8)
    ours, theirs, full = sample(model, codes, c.steps, config.steps), {}, sample(model, codes, c.steps, c.steps)
    for steps in (config.steps, c.steps):
        theirs[steps] = sample(model, codes, c.steps, steps, eta=1.0)
    # section 5.2: a code belongs to one picture, however many steps lead there
    metrics = {"agreement of 10 with 100 steps": agreement(ours, full)}
    metrics["baseline"] = agreement(theirs[config.steps], theirs[c.steps])
    for name, drawn in ("recognised share", ours), ("DDPM's in as few steps", theirs[config.steps]):
        metrics[name] = judge(drawn / 2 + 0.5)[0]
    arcs = [slerp(codes[i], codes[i + 1], torch.linspace(0, 1, 10)) for i in (0, 2)]
    rows = torch.cat([ours[:10], full[:10], theirs[config.steps][:10], theirs[c.steps][:10]])
    rows = torch.cat([rows, sample(model, torch.cat(arcs), c.steps, config.steps)])
    yield Step(c.updates, c.updates, metrics, picture=grid(rows[:, 0] / 2 + 0.5))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
