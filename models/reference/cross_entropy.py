r"""Cross-entropy: a wrong answer given with certainty is the most expensive one.

E. B. Baum, F. Wilczek, "Supervised Learning of Probability Distributions by Neural Networks", NIPS 1987; entropy is
C. E. Shannon, "A Mathematical Theory of Communication", 1948.

What it changes against back-propagation's squared error: the slope of the unit cancels, so the error signal is the
plain difference p - t and does not vanish where the unit is certain and wrong.
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
    "node": "cross-entropy",
    "title": {"en": "Cross-entropy", "zh": "交叉熵损失"},
    "year": 1987,
    "paper": {
        "title": "Supervised Learning of Probability Distributions by Neural Networks",
        "url": "https://papers.nips.cc/paper/1987/hash/eccbc87e4b5ce2fe28308fd9f2a7baf3-Abstract.html",
        "sections": "the relative entropy error",
    },
    "parents": ["backprop"],
    "demo": {
        "task": {
            "en": "A sigmoid layer that starts out certain and wrong unlearns it; under squared error it stays stuck",
            "zh": "从“确信但错误”出发的 sigmoid 层：交叉熵能纠正，平方误差则停滞",
        },
        "metric": "test accuracy",
        "target": 0.85,
        "baseline": "the same layer trained on squared error",
        "margin": 0.15,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    epochs: int = 15  # passes over the digits
    rate: float = 0.05  # of gradient descent
    wrong: float = 6.0  # how certain the wrong answers are at first: the size of the initial scores


TINY = Config(epochs=1)
PRESETS: dict[str, Config] = {}


def entropy(p: Tensor, q: Tensor) -> Tensor:
    """Nats to code events of chances p (..., K) by a code made for q (..., K)."""
    # H(p, q) = -sum_k p_k ln q_k
    return -(p * q.clamp_min(1e-12).log()).sum(-1)


class Layer:
    """Ten sigmoids over 64 pixels, at first all near one whatever they see."""

    def __init__(self, bias: float) -> None:
        self.w, self.b = torch.zeros(64, 10), torch.full((10,), bias)

    def __call__(self, x: Tensor) -> Tensor:
        return (x @ self.w + self.b).sigmoid()  # (N, 64) -> (N, 10)

    def learn(self, x: Tensor, t: Tensor, rate: float, squared: bool) -> None:
        """One step for inputs x (N, 64) and one-hot targets t (N, 10)."""
        p = self(x)
        # cross-entropy: dE/da = p - t.   squared error: dE/da = (p - t) p (1 - p), zero where p is certain
        error = (p - t) * p * (1 - p) if squared else p - t
        self.w -= rate * x.T @ error / len(x)
        self.b -= rate * error.mean(0)


def build(config: Config) -> Layer:
    return Layer(config.wrong)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, one, two = digits(), build(config), build(config)
    x, x_test, t = split.x.flatten(1), split.x_test.flatten(1), F.one_hot(split.y, 10).float()
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(x), 16):
            one.learn(x[index], t[index], config.rate, squared=False)
            two.learn(x[index], t[index], config.rate, squared=True)
        right = [float((layer(x_test).argmax(1) == split.y_test).float().mean()) for layer in (one, two)]
        target = F.one_hot(split.y_test, 10).float()
        p = one(x_test)
        nats = entropy(torch.stack([target, 1 - target], -1), torch.stack([p, 1 - p], -1)).sum(1).mean()
        yield Step(epoch, config.epochs, {"test accuracy": right[0], "nats": float(nats), "baseline": right[1]})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
