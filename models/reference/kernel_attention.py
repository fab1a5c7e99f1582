r"""Kernel regression: a prediction is the mean of the known answers, weighted by how near their questions are.

E. A. Nadaraya, "On Estimating Regression", Theory of Probability and Its Applications 9(1), 1964; G. S. Watson,
"Smooth Regression Analysis", Sankhya A 26(4), 1964.

It is attention before the word: query, keys, values, and weights that sum to one. Nothing is learned; the kernel is
chosen by hand and its width by leaving one example out. RNNsearch later learns the score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main

METADATA = {
    "node": "kernel-attention",
    "title": {"en": "Attention pooling with a kernel", "zh": "核注意力（Nadaraya–Watson）"},
    "year": 1964,
    "paper": {
        "title": "On Estimating Regression",
        "doi": "10.1137/1109020",
        "sections": "the estimator",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "Noisy samples of 2 sin(x) + x^0.8: the curve is recovered by attending to near examples",
            "zh": "由含噪样本恢复 2 sin(x) + x^0.8：关注邻近样本即可",
        },
        "metric": "error",
        "target": 0.15,
        "baseline": "the mean of all answers",
        "margin": 0.5,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    examples: int = 100  # N known pairs of question and answer
    noise: float = 0.5  # standard deviation of the answers
    widths: int = 30  # kernel widths tried
    points: int = 200  # questions asked


TINY = Config(widths=5)
PRESETS: dict[str, Config] = {}


class KernelAttention:
    """Keys (N,) and values (N,); attends with a Gaussian of width `sigma`."""

    def __init__(self, keys: np.ndarray, values: np.ndarray, sigma: float) -> None:
        self.keys, self.values, self.sigma = keys, values, sigma

    def weights(self, query: np.ndarray) -> np.ndarray:
        # alpha(x, x_i) = K((x - x_i) / sigma) / sum_j K((x - x_j) / sigma),   K(u) = exp(-u^2 / 2)
        scores = -(((query[:, None] - self.keys) / self.sigma) ** 2) / 2  # (T, N)
        kernel = np.exp(scores - scores.max(1, keepdims=True))
        return kernel / kernel.sum(1, keepdims=True)

    def __call__(self, query: np.ndarray) -> np.ndarray:
        # f(x) = sum_i alpha(x, x_i) y_i
        return self.weights(query) @ self.values  # (T, N) @ (N,) -> (T,)


def curve(x: np.ndarray) -> np.ndarray:
    return 2 * np.sin(x) + x**0.8


def build(config: Config) -> KernelAttention:
    return KernelAttention(np.zeros(1), np.zeros(1), 1.0)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    keys = np.sort(random.uniform(0, 5, config.examples))
    values = curve(keys) + random.normal(scale=config.noise, size=len(keys))
    queries = np.linspace(0, 5, config.points)
    baseline = float(((values.mean() - curve(queries)) ** 2).mean())
    others = ~np.eye(len(keys), dtype=bool)
    best, error = np.inf, np.inf
    for done, sigma in enumerate(np.geomspace(2, 0.05, config.widths), 1):
        model = KernelAttention(keys, values, float(sigma))
        # the width is chosen without the true curve: each example is predicted from the others
        weights = model.weights(keys) * others
        guess = weights @ values / weights.sum(1).clip(1e-300)
        left_out = float(((guess - values) ** 2).mean())
        if left_out < best:
            best, error = left_out, float(((model(queries) - curve(queries)) ** 2).mean())
        picture = (255 * model.weights(queries) / model.weights(queries).max()).astype(np.uint8)
        metrics = {"error": error, "width": float(sigma), "left-out error": left_out, "baseline": baseline}
        yield Step(done, config.widths, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
