r"""Learning-rate schedule: long steps first, short ones last.

I. Loshchilov, F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", arXiv:1608.03983, equation 5; H.
Robbins, S. Monro, 1951, on why rates must fall; A. Vaswani et al., 2017, section 5.3.

What it changes against gradient descent: the step length depends on time. Long steps cross the valley but jitter in
the noise at its floor; short ones settle.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main

METADATA = {
    "node": "lr-schedule",
    "title": {"en": "Learning-rate schedule", "zh": "学习率调度"},
    "year": 2016,
    "paper": {
        "title": "SGDR: Stochastic Gradient Descent with Warm Restarts",
        "arxiv": "1608.03983",
        "sections": "3, equation 5",
    },
    "parents": ["gradient_descent"],
    "demo": {
        "task": {
            "en": "Noisy gradients on a quadratic valley in 50 dimensions, the same number of steps",
            "zh": "含噪梯度下的 50 维二次谷地，步数相同",
        },
        "metric": "height",
        "target": 0.12,
        "baseline": "the same steps with the highest rate throughout",
        "margin": 0.1,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    dimensions: int = 50  # D
    steps: int = 3000  # of noisy gradient descent
    rate: float = 0.3  # eta_max
    floor: float = 0.0  # eta_min
    warmup: int = 100  # steps in which the rate rises, as in the Transformer's schedule


TINY = Config(steps=1500)
PRESETS: dict[str, Config] = {}


def cosine(config: Config, step: int) -> float:
    """The rate of a step."""
    if step < config.warmup:
        return config.rate * (step + 1) / config.warmup
    part = (step - config.warmup) / (config.steps - config.warmup)
    # (5)   eta_t = eta_min + (eta_max - eta_min) / 2 (1 + cos(pi T_cur / T_i))
    return config.floor + (config.rate - config.floor) / 2 * (1 + math.cos(math.pi * part))


def inverse_root(config: Config, step: int) -> float:
    """The Transformer's schedule (arXiv:1706.03762, equation 3), scaled to the same highest rate."""
    # (3)   lrate ~ min(step^-0.5, step warmup^-1.5)
    now = step + 1
    return config.rate * config.warmup**0.5 * min(now**-0.5, now * config.warmup**-1.5)


def constant(config: Config, step: int) -> float:
    return config.rate


def build(config: Config) -> np.ndarray:
    """Curvatures (D,) of the valley f(x) = sum_d c_d x_d^2 / 2."""
    return np.geomspace(0.05, 1, config.dimensions)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    curvature = build(config)
    schedules = {"height": cosine, "height, inverse root": inverse_root, "baseline": constant}
    places = {name: np.ones(config.dimensions) for name in schedules}
    for step in range(config.steps):
        noise = random.normal(size=config.dimensions)  # the same for all three
        for name, schedule in schedules.items():
            places[name] = places[name] - schedule(config, step) * (curvature * places[name] + noise * 0.3)
        if (step + 1) % (config.steps // 10) == 0:
            metrics = {name: float((curvature * x**2).sum() / 2) for name, x in places.items()}
            yield Step(step + 1, config.steps, metrics | {"rate": cosine(config, step)})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
