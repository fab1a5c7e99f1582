r"""Flow matching: learn the wind that blows noise to data, along straight lines.

Y. Lipman, R. Chen, H. Ben-Hamu, M. Nickel, M. Le, "Flow Matching for Generative Modeling", arXiv:2210.02747, sections 2
(flows), 3.2 (conditional flow matching, equation 9, theorem 2) and 4.1 (example II, equations 20 to 23).

What it changes against diffusion: the net predicts a velocity instead of noise, on paths that are straight instead of
prescribed by a noise process. Generation solves an ordinary differential equation, which needs few steps when the paths
hardly bend.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, diffusion, main
from ailineage.models.reference.data import digits, grid, judge, seeded

METADATA = {
    "node": "flow-matching",
    "title": {"en": "Flow matching", "zh": "流匹配"},
    "year": 2022,
    "paper": {
        "title": "Flow Matching for Generative Modeling",
        "arxiv": "2210.02747",
        "sections": "2, 3.2 and 4.1, equations 1, 9 and 20 to 23",
    },
    "parents": ["diffusion"],
    "demo": {
        "task": {
            "en": "Digits drawn from noise in 10 straight steps, judged by a classifier trained apart",
            "zh": "沿近乎直线的路径用 10 步从噪声画出数字，由另行训练的分类器评判",
        },
        "metric": "recognised share",
        "target": 0.35,
        "baseline": "the same net in a single step, which draws the mean of all digits",
        "margin": 0.2,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    net: diffusion.Config = field(default=diffusion.Config(updates=500))  # the U-Net, and how long it is trained
    rest: float = 1e-4  # sigma_min, the spread about each picture at t = 1
    times: float = 100.0  # t in [0, 1] is told to the net as 0 .. `times`, which its sinusoids can tell apart
    steps: int = 10  # of the solver
    drawn: int = 200  # pictures to judge


TINY = Config(diffusion.TINY, steps=3, drawn=20)
PRESETS: dict[str, Config] = {}


class Velocity(nn.Module):
    """v_t(x): pictures (B, C, H, W) and times (B,) in [0, 1] -> velocities (B, C, H, W)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.net, self.times = diffusion.build(config.net), config.times

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.net(x, t * self.times)


def path(noise: Tensor, data: Tensor, t: Tensor, rest: float) -> tuple[Tensor, Tensor]:
    """Where the point that starts at `noise` and heads for `data` is at times t (B,), and its velocity there."""
    t = t.reshape(-1, *[1] * (data.dim() - 1))
    # (22)   psi_t(x_0) = (1 - (1 - sigma_min) t) x_0 + t x_1
    place = (1 - (1 - rest) * t) * noise + t * data
    # (23)   d psi_t / dt = x_1 - (1 - sigma_min) x_0: constant, the line is straight
    return place, data - (1 - rest) * noise


@torch.no_grad()
def solve(velocity: nn.Module, x: Tensor, steps: int) -> Tensor:
    """Carry x (B, C, H, W) from t = 0 to 1 by Euler steps."""
    for i in range(steps):
        # (1)   d phi_t(x) / dt = v_t(phi_t(x)),   phi_0(x) = x
        x = x + velocity(x, torch.full((len(x),), i / steps)) / steps
    return x


def build(config: Config) -> Velocity:
    return Velocity(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    c, model, x = config.net, build(config), digits().x * 2 - 1
    optimizer = torch.optim.Adam(model.parameters(), c.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, c.rate, total_steps=c.updates)
    for update in range(1, c.updates + 1):
        data = x[torch.randint(len(x), (c.batch,))]
        t = torch.rand(c.batch)
        place, wanted = path(torch.randn(data.shape), data, t, config.rest)
        # (23)   L_CFM = E || v_t(psi_t(x_0)) - (x_1 - (1 - sigma_min) x_0) ||^2; its gradient is that of the
        #        loss against the unknown velocity of the whole flow (theorem 2)
        loss = (model(place, t) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if update % max(1, c.updates // 10) == 0 and update < c.updates:
            yield Step(update, c.updates, {"loss": float(loss.detach())})
    noise = torch.randn(config.drawn, 1, 8, 8)
    drawn = {n: solve(model, noise, n).clamp(-1, 1) / 2 + 0.5 for n in (1, 2, config.steps)}
    share, classes = judge(drawn[config.steps])
    metrics = {"recognised share": share, "classes": classes, "in two steps": judge(drawn[2])[0]}
    rows = torch.cat([drawn[n][:10] for n in (1, 2)] + [drawn[config.steps][:30]])
    yield Step(c.updates, c.updates, metrics | {"baseline": judge(drawn[1])[0]}, picture=grid(rows[:, 0]))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
