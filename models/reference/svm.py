r"""Support vector machine: the widest street between two classes, in a space that only a kernel sees.

B. E. Boser, I. M. Guyon and V. N. Vapnik, "A Training Algorithm for Optimal Margin Classifiers", COLT 1992, sections 2
and 3; with slack: C. Cortes and V. Vapnik, Machine Learning 20, 1995. Solved by sequential minimal optimisation: J. C.
Platt, "Sequential Minimal Optimization", MSR-TR-98-14, 1998, section 2 (equations 12 to 23), with the choice of the
pair that violates the conditions most (S. S. Keerthi et al., 2001).

What it changes against the perceptron: of all separating planes the one farthest from the examples, found by a convex
problem with one answer, and only the examples at the street's edge remain in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits

from ailineage.models.reference import Step, main

METADATA = {
    "node": "svm",
    "title": {"en": "Support vector machine", "zh": "支持向量机"},
    "year": 1992,
    "paper": {
        "title": "A Training Algorithm for Optimal Margin Classifiers",
        "doi": "10.1145/130385.130401",
        "sections": "2, 3; Platt 1998, section 2",
    },
    "parents": ["perceptron"],
    "demo": {
        "task": {
            "en": "Even against odd digits, which no plane separates, by a Gaussian kernel",
            "zh": "用高斯核区分奇数和偶数的手写数字，任何平面都做不到",
        },
        "metric": "test accuracy",
        "target": 0.97,
        "baseline": "the same machine with a linear kernel",
        "margin": 0.05,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    examples: int = 600  # training digits; 597 others are the test
    gamma: float = 0.03  # of the Gaussian kernel
    c: float = 10.0  # C, the price of slack
    tolerance: float = 1e-3  # tau, of the optimality conditions
    most: int = 20_000  # pairs optimised at most


TINY = Config(examples=120, most=2000)
PRESETS: dict[str, Config] = {}


def gaussian(a: np.ndarray, b: np.ndarray, gamma: float) -> np.ndarray:
    """(M, D), (N, D) -> (M, N)."""
    # K(x, z) = exp(-gamma |x - z|^2)
    square = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.exp(-gamma * np.maximum(square, 0))


class SVM:
    """The dual problem of examples with kernel (N, N) and labels -1 or 1 (N,)."""

    def __init__(self, kernel: np.ndarray, y: np.ndarray, c: float) -> None:
        self.k, self.y, self.c = kernel, y, c
        self.alpha = np.zeros(len(y))
        self.gradient = -np.ones(len(y))  # of 1/2 a^T Q a - sum a, with Q_ij = y_i y_j K_ij

    def step(self, tolerance: float) -> bool:
        """Optimise the pair that violates the conditions most; False once none does by more than the tolerance."""
        score = -self.y * self.gradient
        up = ((self.y > 0) & (self.alpha < self.c)) | ((self.y < 0) & (self.alpha > 0))
        low = ((self.y > 0) & (self.alpha > 0)) | ((self.y < 0) & (self.alpha < self.c))
        i = int(np.where(up, score, -np.inf).argmax())
        j = int(np.where(low, score, np.inf).argmin())
        self.bias = (score[i] + score[j]) / 2
        if score[i] - score[j] < tolerance:
            return False
        # (15)   eta = K_11 + K_22 - 2 K_12
        eta = max(self.k[i, i] + self.k[j, j] - 2 * self.k[i, j], 1e-12)
        # (16), (17)   the step along y_1 a_1 + y_2 a_2 = constant, clipped to the box 0 <= a <= C
        step = (score[i] - score[j]) / eta
        room_i = self.c - self.alpha[i] if self.y[i] > 0 else self.alpha[i]
        room_j = self.alpha[j] if self.y[j] > 0 else self.c - self.alpha[j]
        step = min(step, room_i, room_j)
        self.alpha[i] += self.y[i] * step
        self.alpha[j] -= self.y[j] * step
        self.gradient += self.y * step * (self.k[:, i] - self.k[:, j])
        return True

    def decide(self, kernel: np.ndarray) -> np.ndarray:
        """Kernel of new examples with the training ones (M, N) -> (M,)."""
        # (10)   u = sum_j y_j alpha_j K(x_j, x) + b
        return kernel @ (self.y * self.alpha) + self.bias


def build(config: Config) -> type[SVM]:
    return SVM


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    data = load_digits()
    order = np.random.default_rng(seed).permutation(len(data.data))
    x, y = data.data[order] / 4, np.where(data.target[order] % 2 == 0, 1.0, -1.0)
    train, test = slice(0, config.examples), slice(-597, None)
    kernels = {
        "linear": lambda a, b: a @ b.T / 64,
        "gaussian": lambda a, b: gaussian(a, b, config.gamma),
    }
    reached: dict[str, float] = {}
    for name, kernel in kernels.items():
        machine = SVM(kernel(x[train], x[train]), y[train], config.c)
        pairs = 0
        while pairs < config.most and machine.step(config.tolerance):
            pairs += 1
        right = float((np.sign(machine.decide(kernel(x[test], x[train]))) == y[test]).mean())
        reached[name] = right
        held = float((machine.alpha > 1e-9).sum())
        metrics = {f"pairs optimised, {name}": float(pairs), f"support vectors, {name}": held}
        if name == "gaussian":
            metrics |= {"test accuracy": right}
        yield Step(len(reached), 2, metrics | {"baseline": reached["linear"]})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
