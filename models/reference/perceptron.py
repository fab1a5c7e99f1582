r"""Perceptron: a threshold unit that learns its weights from its mistakes.

F. Rosenblatt, "The Perceptron: A Probabilistic Model for Information Storage and Organization in the Brain",
Psychological Review 65(6), 1958; learning rule as in "Principles of Neurodynamics", 1962, chapter 5.

What it changes against the McCulloch-Pitts neuron: the weights are no longer set by hand. Where the classes can be
separated by a plane the rule stops after finitely many mistakes; on XOR no plane exists and it never does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_iris

from ailineage.models.reference import Step, main

METADATA = {
    "node": "perceptron",
    "title": {"en": "Perceptron", "zh": "感知机"},
    "year": 1957,
    "paper": {
        "title": "The Perceptron: A Probabilistic Model for Information Storage and Organization in the Brain",
        "doi": "10.1037/h0042519",
        "sections": "learning rule",
    },
    "parents": ["mcculloch_pitts"],
    "demo": {
        "task": {
            "en": "Iris setosa against the rest is learned without error; XOR is not, however long it trains",
            "zh": "鸢尾花 setosa 与其余两类可零错误分开；异或无论训练多久都学不会",
        },
        "metric": "iris accuracy",
        "target": 1.0,
        "baseline": "the best XOR accuracy the same rule ever reaches",
        "margin": 0.25,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    epochs: int = 200  # passes over the data; iris needs three, XOR gets them all
    rate: float = 1.0  # eta; scales the weights, not the decisions, when they start at zero


TINY = Config(epochs=20)
PRESETS: dict[str, Config] = {}


class Perceptron:
    """Weights (D,) and a bias, all zero at first."""

    def __init__(self, inputs: int, rate: float) -> None:
        self.weights, self.bias, self.rate = np.zeros(inputs), 0.0, rate

    def __call__(self, x: np.ndarray) -> np.ndarray:
        # y = 1 if w . x + b > 0 else 0
        return (x @ self.weights + self.bias > 0).astype(int)  # (N, D) -> (N,)

    def learn(self, x: np.ndarray, t: np.ndarray) -> int:
        """One pass over examples x (N, D) with targets t (N,) in {0, 1}; returns how many were wrong."""
        mistakes = 0
        for xi, ti in zip(x, t, strict=True):
            error = ti - self(xi[None])[0]
            # w <- w + eta (t - y) x,   b <- b + eta (t - y)
            self.weights += self.rate * error * xi
            self.bias += self.rate * error
            mistakes += abs(error)
        return int(mistakes)


def build(config: Config) -> Perceptron:
    return Perceptron(4, config.rate)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    iris = load_iris()
    order = random.permutation(len(iris.data))
    x, t = iris.data[order], (iris.target[order] == 0).astype(int)
    xor_x, xor_t = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float), np.array([0, 1, 1, 0])
    flower, xor = build(config), Perceptron(2, config.rate)
    best_xor = 0.0
    for epoch in range(1, config.epochs + 1):
        mistakes = flower.learn(x, t)
        xor.learn(xor_x, xor_t)
        best_xor = max(best_xor, float((xor(xor_x) == xor_t).mean()))
        accuracy = float((flower(x) == t).mean())
        metrics = {"iris accuracy": accuracy, "iris mistakes": mistakes, "baseline": best_xor}
        yield Step(epoch, config.epochs, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
