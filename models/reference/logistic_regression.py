r"""Logistic regression: a probability from a weighted sum, by the curve of log odds.

D. R. Cox, "The Regression Analysis of Binary Sequences", Journal of the Royal Statistical Society B 20(2), 1958,
section 2.

What it changes against linear regression: the answer is yes or no, so the sum is squeezed into (0, 1) by the logistic
function and fitted by likelihood instead of least squares. There is no closed form; Newton's method needs few steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_breast_cancer

from ailineage.models.reference import Step, main

METADATA = {
    "node": "logistic-regression",
    "title": {"en": "Logistic regression", "zh": "逻辑回归"},
    "year": 1958,
    "paper": {
        "title": "The Regression Analysis of Binary Sequences",
        "doi": "10.1111/j.2517-6161.1958.tb00292.x",
        "sections": "2",
    },
    "parents": ["linear_regression"],
    "demo": {
        "task": {
            "en": "Benign or malignant from thirty measurements of a breast tumour's cells",
            "zh": "由乳腺肿瘤细胞的三十项测量判断良性或恶性",
        },
        "metric": "test accuracy",
        "target": 0.95,
        "baseline": "always the more frequent class",
        "margin": 0.25,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    steps: int = 8  # of Newton's method
    decay: float = 1.0  # lambda of the penalty lambda/2 |w|^2, which keeps separable data finite


TINY = Config(steps=4)
PRESETS: dict[str, Config] = {}


def logistic(z: np.ndarray) -> np.ndarray:
    """sigma(z) = 1 / (1 + e^-z), written with tanh so that it cannot overflow."""
    return 0.5 * (1 + np.tanh(z / 2))


class LogisticRegression:
    """p(1 | x) = sigma(w . x), the constant 1 appended to x (N, D); weights (D + 1,)."""

    def __init__(self, inputs: int) -> None:
        self.weights = np.zeros(inputs + 1)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        # (Cox 2)   log p / (1 - p) = w . x
        return logistic(_with_one(x) @ self.weights)  # (N,)

    def newton(self, x: np.ndarray, t: np.ndarray, decay: float) -> float:
        """One Newton step on the penalised likelihood; returns the cross-entropy before it, in nats an example."""
        a, p = _with_one(x), self(x)
        penalty = np.full(len(self.weights), decay)
        penalty[-1] = 0.0  # the bias is free
        # g = A^T (p - t) + lambda w,   H = A^T diag(p (1 - p)) A + lambda I,   w <- w - H^-1 g
        gradient = a.T @ (p - t) + penalty * self.weights
        hessian = (a * (p * (1 - p))[:, None]).T @ a + np.diag(penalty)
        self.weights -= np.linalg.solve(hessian, gradient)
        return float(-np.log(np.where(t == 1, p, 1 - p) + 1e-12).mean())


def _with_one(x: np.ndarray) -> np.ndarray:
    return np.column_stack([x, np.ones(len(x))])


def build(config: Config) -> LogisticRegression:
    return LogisticRegression(30)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    data = load_breast_cancer()
    order = np.random.default_rng(seed).permutation(len(data.target))
    x, t = data.data[order], data.target[order]
    x, x_test, t, t_test = x[:400], x[400:], t[:400], t[400:]
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    x, x_test = (x - mean) / deviation, (x_test - mean) / deviation
    model = build(config)
    baseline = float((t_test == round(t.mean())).mean())
    for step in range(1, config.steps + 1):
        loss = model.newton(x, t, config.decay)
        accuracy = float(((model(x_test) > 0.5) == t_test).mean())
        yield Step(step, config.steps, {"test accuracy": accuracy, "loss": loss, "baseline": baseline})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
