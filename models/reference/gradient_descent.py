r"""Gradient descent: step downhill, again and again.

A.-L. Cauchy, "Méthode générale pour la résolution des systèmes d'équations simultanées", Comptes rendus 25, 1847;
with noisy gradients H. Robbins, S. Monro, "A Stochastic Approximation Method", 1951.

The oldest algorithm here; every net below is trained by a descendant of it. Too short a step crawls, a step beyond
twice the inverse of the steepest curvature climbs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main

METADATA = {
    "node": "gradient-descent",
    "title": {"en": "Gradient descent", "zh": "梯度下降"},
    "year": 1847,
    "paper": {
        "title": "Méthode générale pour la résolution des systèmes d'équations simultanées",
        "url": "https://gallica.bnf.fr/ark:/12148/bpt6k2982c/f540",
        "sections": "the step",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "A quadratic valley in 20 dimensions, descended with the best step at the rate theory gives",
            "zh": "在 20 维二次谷地中以最优步长下降；收敛速度与理论一致",
        },
        "metric": "height",
        "target": 1e-06,
        "baseline": "the height where it starts",
        "margin": 0.5,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    dimensions: int = 20  # D
    condition: float = 50.0  # steepest over flattest curvature
    steps: int = 400  # downhill


TINY = Config(steps=300, condition=20.0)
PRESETS: dict[str, Config] = {}


class Valley:
    """f(x) = x^T A x / 2 with curvatures between 1 / condition and 1 along random axes."""

    def __init__(self, config: Config, random: np.random.Generator) -> None:
        self.curvature = np.geomspace(1 / config.condition, 1, config.dimensions)
        self.axes, _ = np.linalg.qr(random.normal(size=(config.dimensions, config.dimensions)))
        self.a = self.axes * self.curvature @ self.axes.T  # (D, D)

    def height(self, x: np.ndarray) -> float:
        return float(x @ self.a @ x / 2)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        return self.a @ x


def descend(valley: Valley, x: np.ndarray, rate: float) -> np.ndarray:
    # x <- x - eta grad f(x)
    return x - rate * valley.gradient(x)


def build(config: Config) -> Valley:
    return Valley(config, np.random.default_rng(0))


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    valley = Valley(config, random)
    start = valley.axes @ np.ones(config.dimensions)
    # the step that serves the steepest and the flattest direction equally: eta = 2 / (L + mu);
    # then each step shrinks the distance by (kappa - 1) / (kappa + 1) at least
    rate = 2 / (valley.curvature.max() + valley.curvature.min())
    theory = (config.condition - 1) / (config.condition + 1)
    x, wild = start, start
    for done in range(1, config.steps + 1):
        x = descend(valley, x, rate)
        wild = descend(valley, wild, 2.05) if done <= 100 else wild  # a step beyond 2 / L climbs
        if done % (config.steps // 10) == 0:
            metrics = {"height": valley.height(x), "distance": float(np.linalg.norm(x))}
            metrics["distance in theory"] = float(theory**done * np.linalg.norm(start))
            metrics |= {"height with too long steps": valley.height(wild), "baseline": valley.height(start)}
            yield Step(done, config.steps, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
