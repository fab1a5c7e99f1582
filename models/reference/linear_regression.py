r"""Linear regression: the line that leaves the least sum of squares.

A.-M. Legendre, "Nouvelles methodes pour la determination des orbites des cometes", 1805, appendix "Sur la methode des
moindres quarres"; C. F. Gauss, "Theoria motus", 1809, gave it its probabilistic ground.

It stands at the root of all learning by minimising an error: later nets keep the error and bend the function. The same
minimum is reached here in two ways: in one step by the normal equations, and by gradient descent as a network does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_diabetes

from ailineage.models.reference import Step, main

METADATA = {
    "node": "linear-regression",
    "title": {"en": "Linear regression", "zh": "线性回归"},
    "year": 1805,
    "paper": {
        "title": "Nouvelles méthodes pour la détermination des orbites des comètes",
        "url": "https://archive.org/details/nouvellesmethode00legeuoft",
        "sections": "appendix: Sur la méthode des moindres quarrés",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "Progression of diabetes from ten measurements; gradient descent arrives at the normal equations",
            "zh": "由十项指标预测糖尿病进展；梯度下降收敛到正规方程的解",
        },
        "metric": "test R2",
        "target": 0.3,
        "baseline": "R2 of the mean of the training targets, on the same test set",
        "margin": 0.3,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    steps: int = 3000  # of gradient descent
    rate: float = 0.1  # eta, for standardised inputs
    report: int = 300  # a Step is yielded every so many


TINY = Config(steps=600)
PRESETS: dict[str, Config] = {}


class LinearRegression:
    """y = w . x + b with weights (D,) and a bias, zero at first."""

    def __init__(self, inputs: int) -> None:
        self.weights, self.bias = np.zeros(inputs), 0.0

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return x @ self.weights + self.bias  # (N, D) -> (N,)

    def solve(self, x: np.ndarray, y: np.ndarray) -> None:
        """Least squares in one step."""
        a = np.column_stack([x, np.ones(len(x))])  # (N, D + 1)
        # Legendre's normal equations:   A^T A w = A^T y
        solution = np.linalg.solve(a.T @ a, a.T @ y)
        self.weights, self.bias = solution[:-1], float(solution[-1])

    def descend(self, x: np.ndarray, y: np.ndarray, rate: float) -> None:
        """One step down the gradient of half the mean squared error."""
        error = self(x) - y  # (N,)
        # dE/dw = mean (y' - y) x,   dE/db = mean (y' - y)
        self.weights -= rate * (error @ x) / len(x)
        self.bias -= rate * float(error.mean())


def r2(prediction: np.ndarray, y: np.ndarray) -> float:
    """Share of the variance explained:   1 - sum (y - y')^2 / sum (y - mean)^2."""
    return float(1 - ((y - prediction) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def build(config: Config) -> LinearRegression:
    return LinearRegression(10)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    data = load_diabetes()
    order = np.random.default_rng(seed).permutation(len(data.target))
    x, y = data.data[order] / data.data.std(axis=0), data.target[order]
    x, x_test, y, y_test = x[:300], x[300:], y[:300], y[300:]
    exact, learner = build(config), build(config)
    exact.solve(x, y)
    baseline = r2(np.full(len(y_test), y.mean()), y_test)
    for step in range(1, config.steps + 1):
        learner.descend(x, y, config.rate)
        if step % config.report == 0:
            metrics = {"test R2": r2(learner(x_test), y_test), "in-sample R2": r2(learner(x), y), "baseline": baseline}
            metrics["distance to the normal equations"] = float(np.linalg.norm(learner.weights - exact.weights))
            yield Step(step, config.steps, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
