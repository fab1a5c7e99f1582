r"""Gradient clipping: keep the direction of a gradient, bound its length.

R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training Recurrent Neural Networks", arXiv:1211.5063, section
3.2, algorithm 1.

What it changes against gradient descent: where the loss has a wall, the gradient is huge and one step throws the
weights far away; its length is bounded, its direction kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "grad-clip",
    "title": {"en": "Gradient clipping", "zh": "梯度裁剪"},
    "year": 2012,
    "paper": {
        "title": "On the difficulty of training Recurrent Neural Networks",
        "arxiv": "1211.5063",
        "sections": "3.2, algorithm 1",
    },
    "parents": ["rnn", "gradient_descent"],
    "demo": {
        "task": {
            "en": "An RNN that starts at the edge of explosion learns to tell whether more ones or zeros came",
            "zh": "处于爆炸边缘的 RNN 学习判断序列中 1 多还是 0 多",
        },
        "metric": "accuracy",
        "target": 0.8,
        "baseline": "the same training without clipping",
        "margin": 0.15,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    length: int = 41  # T, odd so that there is a majority
    width: int = 32  # units
    gain: float = 1.8  # spectral radius of the recurrent weights at first: above one gradients can explode
    threshold: float = 0.5  # of algorithm 1
    updates: int = 300  # training steps
    rate: float = 0.15  # of gradient descent


TINY = Config(length=11, updates=20)
PRESETS: dict[str, Config] = {}


def clip(parameters: list[Tensor], threshold: float) -> float:
    """Shorten the gradients of all parameters together to `threshold`; their length before."""
    norm = float(sum(p.grad.square().sum() for p in parameters if p.grad is not None)) ** 0.5
    # algorithm 1:   if ||g|| >= threshold:   g <- threshold / ||g|| g
    if norm >= threshold:
        for p in parameters:
            if p.grad is not None:
                p.grad *= threshold / norm
    return norm


class Majority(nn.Module):
    """Bits (B, T) -> score (B,), by a plain recurrent net."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(config.width + 1, config.width), nn.Linear(config.width, 1)
        with torch.no_grad():
            q, _ = torch.linalg.qr(torch.randn(config.width, config.width))
            self.inner.weight[:, : config.width] = config.gain * q

    def forward(self, bits: Tensor) -> Tensor:
        B, T = bits.shape
        h = bits.new_zeros(B, self.outer.in_features)
        for t in range(T):
            h = torch.tanh(self.inner(torch.cat([h, bits[:, t : t + 1]], 1)))  # (B, C)
        return self.outer(h)[:, 0]


def build(config: Config) -> Majority:
    return Majority(config)


def bits(config: Config, count: int) -> tuple[Tensor, Tensor]:
    x = (torch.rand(count, config.length) < 0.5).float() * 2 - 1
    return x, (x.sum(1) > 0).float()


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    models = {"accuracy": build(config), "baseline": build(config)}
    models["baseline"].load_state_dict(models["accuracy"].state_dict())
    x_test, y_test = bits(config, 500)
    longest = 0.0
    for update in range(1, config.updates + 1):
        x, y = bits(config, 64)
        for name, model in models.items():
            model.zero_grad()
            F.binary_cross_entropy_with_logits(model(x), y).backward()
            bound = config.threshold if name == "accuracy" else float("inf")
            longest = max(longest, clip(list(model.parameters()), bound))
            with torch.no_grad():
                for p in model.parameters():
                    p -= config.rate * p.grad
        if update % (config.updates // 10) == 0:
            with torch.no_grad():
                found = {n: float(((m(x_test) > 0) == (y_test > 0)).float().mean()) for n, m in models.items()}
            yield Step(update, config.updates, found | {"longest gradient": longest})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
