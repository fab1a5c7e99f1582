r"""Weight decay: of all weights that fit, prefer small ones.

A. Krogh, J. A. Hertz, "A Simple Weight Decay Can Improve Generalization", NIPS 1991; A. N. Tikhonov, 1943; A. E.
Hoerl, R. W. Kennard, "Ridge Regression", 1970.

What it changes against least squares: a penalty on the squared weights. It pulls hardest where the data say least, so
noise is not fitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main

METADATA = {
    "node": "regularization",
    "title": {"en": "Weight decay", "zh": "正则化（权重衰减）"},
    "year": 1991,
    "paper": {
        "title": "A Simple Weight Decay Can Improve Generalization",
        "url": "https://papers.nips.cc/paper/1991/hash/8eefcfdf5990e441f0fb6f3fad709e21-Abstract.html",
        "sections": "equations 1 and 2",
    },
    "parents": ["linear_regression"],
    "demo": {
        "task": {
            "en": "Polynomials of degree 15 through 20 noisy points: error on the true curve, mean of 20 draws",
            "zh": "用 15 次多项式拟合 20 个含噪点：对真实曲线的误差（20 次平均）",
        },
        "metric": "error",
        "target": 0.1,
        "baseline": "the same fit without decay",
        "margin": 0.1,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    points: int = 20  # N noisy examples
    degree: int = 15  # of the polynomial
    noise: float = 0.3  # standard deviation
    decay: float = 1e-2  # lambda
    draws: int = 20  # data sets


TINY = Config(draws=4)
PRESETS: dict[str, Config] = {}


class Ridge:
    """A polynomial in Chebyshev form with weights (degree + 1,)."""

    def __init__(self, degree: int, decay: float) -> None:
        self.degree, self.decay, self.weights = degree, decay, np.zeros(degree + 1)

    def features(self, x: np.ndarray) -> np.ndarray:
        return np.polynomial.chebyshev.chebvander(x, self.degree)  # (N,) -> (N, degree + 1)

    def fit(self, x: np.ndarray, t: np.ndarray) -> None:
        # (1)   E(w) = E_0(w) + lambda / 2 sum_i w_i^2, whose minimum is  w = (X^T X + N lambda I)^-1 X^T t
        f = self.features(x)
        penalty = len(x) * self.decay * np.eye(self.degree + 1)
        self.weights = np.linalg.lstsq(f.T @ f + penalty, f.T @ t, rcond=None)[0]

    def step(self, x: np.ndarray, t: np.ndarray, rate: float) -> None:
        """The same by gradient descent: this is where the word decay comes from."""
        f = self.features(x)
        # (2)   w <- w - eta dE_0/dw - eta lambda w
        self.weights -= rate * (f.T @ (f @ self.weights - t) / len(x) + self.decay * self.weights)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.features(x) @ self.weights


def build(config: Config) -> Ridge:
    return Ridge(config.degree, config.decay)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    grid = np.linspace(-0.95, 0.95, 200)
    found: list[tuple[float, float]] = []
    for done in range(1, config.draws + 1):
        x = np.sort(np.linspace(-1, 1, config.points) + random.uniform(-0.02, 0.02, config.points))
        t = np.sin(np.pi * x) + random.normal(scale=config.noise, size=len(x))
        errors = []
        for model in (build(config), Ridge(config.degree, 0.0)):
            model.fit(x, t)
            errors.append(float(((model(grid) - np.sin(np.pi * grid)) ** 2).mean()))
        found.append((errors[0], errors[1]))
        mean = np.mean(found, 0)
        yield Step(done, config.draws, {"error": float(mean[0]), "baseline": float(mean[1])})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
