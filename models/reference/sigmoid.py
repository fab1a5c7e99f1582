r"""Sigmoid: a step with its corners rounded off, so that a small change of a weight shows in the output.

H. R. Wilson and J. D. Cowan, "Excitatory and Inhibitory Interactions in Localized Populations of Model Neurons",
Biophysical Journal 12(1), 1972 (the response of a population whose thresholds differ); as the unit of a trained net:
D. E. Rumelhart, G. E. Hinton and R. J. Williams, Nature 323, 1986, equations 2 and 5.

What it changes against the step: the slope y (1 - y) is nowhere zero. One sigmoid is what many steps with thresholds
spread around zero do on average. With it hidden units can be trained by descent, which under steps they cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits
from ailineage.models.reference.sgn_step import step

METADATA = {
    "node": "sigmoid",
    "title": {"en": "Sigmoid", "zh": "Sigmoid 函数"},
    "year": 1972,
    "paper": {
        "title": "Excitatory and Inhibitory Interactions in Localized Populations of Model Neurons",
        "doi": "10.1016/S0006-3495(72)86068-5",
        "sections": "the subpopulation response function; Nature 323, 1986 (10.1038/323533a0), equations 2 and 5",
    },
    "parents": ["sgn_step"],
    "demo": {
        "task": {
            "en": "A net with 12 hidden units learns digits by descent: sigmoids against steps, which have no slope",
            "zh": "含 12 个隐藏单元的网络用梯度下降学数字：sigmoid 与没有斜率的阶跃函数对比",
        },
        "metric": "test accuracy",
        "target": 0.88,
        "baseline": "the same net with steps as hidden units; only its output layer can learn",
        "margin": 0.15,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    hidden: int = 12  # units between input and output
    epochs: int = 60  # passes over the digits
    rate: float = 1.0  # epsilon
    batch: int = 16  # examples a step
    population: int = 10_000  # steps that are averaged


TINY = Config(epochs=3, population=500)
PRESETS: dict[str, Config] = {}

Function = Callable[[np.ndarray], np.ndarray]


def sigmoid(a: np.ndarray) -> np.ndarray:
    """Any shape, in (0, 1); written so that exp never overflows."""
    # y = 1 / (1 + e^-a), for a < 0 the same as e^a / (1 + e^a)
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1, e) / (1 + e)


def slope(y: np.ndarray) -> np.ndarray:
    # dy/da = y (1 - y), at most 1/4
    return y * (1 - y)


def population(a: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """The share of step units with thresholds (P,) that fire under the common input a (N,)."""
    # S(a) = int_-inf^a D(theta) dtheta; for logistic thresholds, D = S (1 - S), that is the sigmoid
    return step(a[:, None] - thresholds).mean(1)  # (N, P) -> (N,)


class Net:
    """64 - H - 10 units: sigmoids at the output, `unit` with slope `unit_slope` (a function of y) in between."""

    def __init__(self, hidden: int, random: np.random.Generator, unit: Function, unit_slope: Function) -> None:
        self.w1, self.b1 = random.normal(size=(64, hidden), scale=0.3), np.zeros(hidden)
        self.w2, self.b2 = random.normal(size=(hidden, 10), scale=0.3), np.zeros(10)
        self.unit, self.unit_slope = unit, unit_slope

    def hidden(self, x: np.ndarray) -> np.ndarray:
        return self.unit(x @ self.w1 + self.b1)  # (N, 64) -> (N, H)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return sigmoid(self.hidden(x) @ self.w2 + self.b2)  # (N, 10)

    def learn(self, x: np.ndarray, t: np.ndarray, rate: float) -> None:
        """One step down the squared error of inputs x (N, 64) and targets t (N, 10)."""
        h = self.hidden(x)
        y = sigmoid(h @ self.w2 + self.b2)
        # dE/da = dE/dy dy/da, layer by layer from the output
        error = (y - t) * slope(y)  # (N, 10)
        below = error @ self.w2.T * self.unit_slope(h)  # (N, H): zero everywhere under steps
        self.w2 -= rate * h.T @ error / len(x)
        self.b2 -= rate * error.mean(0)
        self.w1 -= rate * x.T @ below / len(x)
        self.b1 -= rate * below.mean(0)


def build(config: Config) -> Net:
    return Net(config.hidden, np.random.default_rng(0), sigmoid, slope)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, random = digits(), np.random.default_rng(seed)
    x, x_test = (part.flatten(1).numpy().astype(float) for part in (split.x, split.x_test))
    t, label = np.eye(10)[split.y.numpy()], split.y_test.numpy()
    a = np.linspace(-6, 6, 200)
    apart = float(np.abs(population(a, random.logistic(size=config.population)) - sigmoid(a)).max())
    soft = Net(config.hidden, random, sigmoid, slope)
    hard = Net(config.hidden, random, step, np.zeros_like)
    hard.w1[:], hard.w2[:] = soft.w1, soft.w2
    for epoch in range(1, config.epochs + 1):
        for rows in np.array_split(random.permutation(len(x)), len(x) // config.batch):
            for net in (soft, hard):
                net.learn(x[rows], t[rows], config.rate)
        right = [float((net(x_test).argmax(1) == label).mean()) for net in (soft, hard)]
        metrics = {"test accuracy": right[0], "baseline": right[1], "population apart from sigmoid": apart}
        if epoch % 3 == 0:
            yield Step(epoch, config.epochs, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
