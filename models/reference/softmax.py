r"""Softmax: scores become chances that are positive and sum to one.

J. S. Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs, with Relationships to
Statistical Pattern Recognition", Neurocomputing, NATO ASI F68, 1990 (workshop 1989).

What it changes against logistic regression: K classes compete for one unit of probability; for two classes it is the
sigmoid of the difference. With cross-entropy the error at the scores is just p - t.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, minibatches, seeded

METADATA = {
    "node": "softmax",
    "title": {"en": "Softmax", "zh": "Softmax"},
    "year": 1989,
    "paper": {
        "title": "Probabilistic Interpretation of Feedforward Classification Network Outputs, "
        "with Relationships to Statistical Pattern Recognition",
        "doi": "10.1007/978-3-642-76153-9_28",
        "sections": "the normalised exponential",
    },
    "parents": ["logistic_regression"],
    "demo": {
        "task": {
            "en": "Ten digits told apart by one linear layer whose outputs are chances",
            "zh": "用一个输出为概率的线性层区分十个数字",
        },
        "metric": "test accuracy",
        "target": 0.94,
        "baseline": "ten separate sigmoids trained one against the rest by the same squared error rule",
        "margin": 0.005,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    epochs: int = 30  # passes over the digits
    rate: float = 0.5  # of gradient descent


TINY = Config(epochs=2)
PRESETS: dict[str, Config] = {}


def softmax(scores: Tensor) -> Tensor:
    """Scores (..., K) -> chances (..., K)."""
    # p_i = exp(a_i) / sum_j exp(a_j); subtracting the largest changes nothing but keeps exp finite
    e = (scores - scores.amax(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


class Linear:
    """Weights (64, 10) and biases (10,), all zero at first, under softmax or under ten sigmoids."""

    def __init__(self, joint: bool = True) -> None:
        self.w, self.b, self.joint = torch.zeros(64, 10), torch.zeros(10), joint

    def __call__(self, x: Tensor) -> Tensor:
        scores = x @ self.w + self.b  # (N, 64) -> (N, 10)
        return softmax(scores) if self.joint else scores.sigmoid()

    def learn(self, x: Tensor, t: Tensor, rate: float) -> None:
        """One step down the gradient for inputs x (N, 64) and one-hot targets t (N, 10)."""
        p = self(x)
        # d(-sum_i t_i ln p_i) / da = p - t; a sigmoid with squared error has (p - t) p (1 - p)
        error = p - t if self.joint else (p - t) * p * (1 - p)
        self.w -= rate * x.T @ error / len(x)
        self.b -= rate * error.mean(0)


def build(config: Config) -> Linear:
    return Linear()


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, joint, separate = digits(), build(config), Linear(joint=False)
    x, x_test, t = split.x.flatten(1), split.x_test.flatten(1), F.one_hot(split.y, 10).float()
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(x), 16):
            for model in (joint, separate):
                model.learn(x[index], t[index], config.rate)
        right = [float((model(x_test).argmax(1) == split.y_test).float().mean()) for model in (joint, separate)]
        metrics = {"test accuracy": right[0], "baseline": right[1]}
        metrics["mean sum of ten sigmoids"] = float(separate(x_test).sum(1).mean())
        yield Step(epoch, config.epochs, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
