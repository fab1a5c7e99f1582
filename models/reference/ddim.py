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
            "en": "Digits drawn from noise in 5 steps by a net trained for 100, judged by a classifier trained apart",
            "zh": "为 100 步训练的网络只用 5 步从噪声画出数字，由另行训练的分类器评判",
        },
        "metric": "recognised share",
        "target": 0.3,
        "baseline": "the same net and 5 steps with DDPM's noise, sigma-hat",
        "margin": 0.06,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    model: diffusion.Config = field(default=diffusion.Config(updates=500))  # the diffusion model, training included
    steps: int = 5  # S, length of the subsequence tau that is used
    drawn: int = 400  # pictures to judge


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
    ours, more = (sample(model, codes, c.steps, steps) for steps in (config.steps, 2 * config.steps))
    theirs = sample(model, codes, c.steps, config.steps, eta=1.0, hat=True)
    share, classes = judge(ours / 2 + 0.5)
    # a code belongs to one picture, however many steps lead there
    metrics = {"recognised share": share, "classes": classes, "baseline": judge(theirs / 2 + 0.5)[0]}
    metrics["DDPM in all steps"] = judge(diffusion.sample(model, (config.drawn // 4, 1, 8, 8), c.steps) / 2 + 0.5)[0]
    agreement = torch.corrcoef(torch.stack([ours.flatten(), more.flatten()]))[0, 1]
    metrics["agreement with twice the steps"] = float(agreement)
    arcs = [slerp(codes[i], codes[i + 1], torch.linspace(0, 1, 10)) for i in (0, 2)]
    rows = torch.cat([ours[:20], theirs[:20], sample(model, torch.cat(arcs), c.steps, config.steps)])
    yield Step(c.updates, c.updates, metrics, picture=grid(rows[:, 0] / 2 + 0.5))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
