r"""Hebbian learning: a synapse grows when the cells on both of its sides are active together.

D. O. Hebb, "The Organization of Behavior", 1949, chapter 4 (the neurophysiological postulate, p. 62). Hebb's bare rule
grows without bound, so the stable form is used: E. Oja, "A simplified neuron model as a principal component analyzer",
Journal of Mathematical Biology 15, 1982, equation 3.

What it changes against the McCulloch-Pitts neuron: the weights are plastic, changed by local activity, with no teacher.
What one such unit finds is the first principal component of its input.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits

from ailineage.models.reference import Step, main

METADATA = {
    "node": "hebbian",
    "title": {"en": "Hebbian learning", "zh": "赫布学习"},
    "year": 1949,
    "paper": {
        "title": "The Organization of Behavior",
        "doi": "10.1007/BF00275687",
        "sections": "Hebb 1949, chapter 4; Oja 1982, equation 3",
    },
    "parents": ["mcculloch_pitts"],
    "demo": {
        "task": {
            "en": "One unit under Oja's rule finds the first principal component of the digits",
            "zh": "单个神经元按 Oja 规则学习，找到手写数字的第一主成分",
        },
        "metric": "|cos(w, PC1)|",
        "target": 0.99,
        "baseline": "the same cosine of the random weights it starts from",
        "margin": 0.5,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    epochs: int = 30  # passes over the 1797 digits
    rate: float = 2e-3  # eta at first, falls as 1 / epoch so that the weights settle


TINY = Config(epochs=4)
PRESETS: dict[str, Config] = {}


class HebbUnit:
    """A linear unit y = w . x with weights (D,) of length one at first."""

    def __init__(self, inputs: int, random: np.random.Generator) -> None:
        w = random.normal(size=inputs)
        self.weights = w / np.linalg.norm(w)

    def hebb(self, x: np.ndarray, rate: float) -> None:
        """Hebb's postulate as a formula; kept for comparison, it diverges."""
        y = self.weights @ x
        # dw = eta x y
        self.weights = self.weights + rate * y * x

    def oja(self, x: np.ndarray, rate: float) -> None:
        y = self.weights @ x
        # (Oja 3)   dw = eta y (x - y w):   Hebb's term, and a decay that keeps |w| at one
        self.weights = self.weights + rate * y * (x - y * self.weights)


def build(config: Config) -> HebbUnit:
    return HebbUnit(64, np.random.default_rng(0))


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    x = load_digits().data / 16  # (N, D)
    x = x - x.mean(axis=0)
    component = np.linalg.svd(x, full_matrices=False)[2][0]  # (D,), of length one
    unit, plain = HebbUnit(x.shape[1], random), HebbUnit(x.shape[1], random)
    start = abs(float(component @ unit.weights))
    for epoch in range(1, config.epochs + 1):
        for i in random.permutation(len(x)):
            unit.oja(x[i], config.rate / epoch**0.5)
            if epoch == 1:
                plain.hebb(x[i], config.rate)
        w = unit.weights
        cosine = abs(float(component @ w)) / float(np.linalg.norm(w))
        metrics = {"|cos(w, PC1)|": cosine, "|w|": float(np.linalg.norm(w)), "baseline": start}
        metrics["|w| under Hebb's bare rule after one pass"] = float(np.linalg.norm(plain.weights))
        picture = ((w - w.min()) / np.ptp(w) * 255).astype(np.uint8).reshape(8, 8).repeat(8, 0).repeat(8, 1)
        yield Step(epoch, config.epochs, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
