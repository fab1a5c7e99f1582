r"""The hyperbolic tangent: a sigmoid about zero, so that what the next layer reads has mean zero.

Y. LeCun, "Generalization and Network Design Strategies", technical report CRG-TR-89-4, University of Toronto, 1989; the
reason is in Y. LeCun, L. Bottou, G. B. Orr and K.-R. Mueller, "Efficient BackProp", 1998, sections 4.3 and 4.4: inputs
all of one sign force all weights of a unit to grow or shrink together.

What it changes against the sigmoid: tanh(a) = 2 sigma(2 a) - 1, so a net of one kind can be written as one of the
other; but gradient descent is faster, and deep nets that stand still with sigmoids begin to learn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.datasets import load_digits

from ailineage.models.reference import Step, main
from ailineage.models.reference.sigmoid import sigmoid

METADATA = {
    "node": "tanh",
    "title": {"en": "Tanh activation", "zh": "双曲正切激活函数"},
    "year": 1989,
    "paper": {
        "title": "Generalization and Network Design Strategies",
        "url": "http://yann.lecun.com/exdb/publis/pdf/lecun-89.pdf",
        "sections": "LeCun et al. 1998, sections 4.3 and 4.4",
    },
    "parents": ["sigmoid"],
    "demo": {
        "task": {
            "en": "Four hidden layers learn digits by plain gradient descent in ten passes",
            "zh": "四个隐层用普通梯度下降在十遍之内学会识别数字",
        },
        "metric": "test accuracy",
        "target": 0.85,
        "baseline": "the same net with sigmoids",
        "margin": 0.3,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    layers: int = 4  # hidden
    width: int = 32  # units of each
    epochs: int = 10  # passes over 1200 digits
    rate: float = 0.1  # of gradient descent


TINY = Config(layers=2, width=8, epochs=2)
PRESETS: dict[str, Config] = {}


def tanh(a: np.ndarray) -> np.ndarray:
    # tanh(a) = (e^a - e^-a) / (e^a + e^-a) = 2 sigma(2 a) - 1
    return 2 * sigmoid(2 * a) - 1


class Net:
    """Hidden layers of tanh or sigmoid units and softmax outputs: (B, 64) -> (B, 10)."""

    def __init__(self, config: Config, centred: bool, random: np.random.Generator) -> None:
        sizes = [64, *[config.width] * config.layers, 10]
        # section 4.6: standard deviation 1 / sqrt(fan-in)
        self.weights = [random.normal(size=(m, n)) / np.sqrt(m) for m, n in pairwise(sizes)]
        self.biases = [np.zeros(n) for n in sizes[1:]]
        self.centred = centred

    def forward(self, x: np.ndarray) -> list[np.ndarray]:
        """The inputs of all layers, and the probabilities (B, 10) last."""
        seen = [x]
        for w, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            a = seen[-1] @ w + b
            seen.append(tanh(a) if self.centred else sigmoid(a))
        a = seen[-1] @ self.weights[-1] + self.biases[-1]
        e = np.exp(a - a.max(1, keepdims=True))
        return [*seen, e / e.sum(1, keepdims=True)]

    def learn(self, x: np.ndarray, y: np.ndarray, rate: float) -> None:
        *seen, p = self.forward(x)
        d = (p - np.eye(10)[y]) / len(x)
        for layer in reversed(range(len(self.weights))):
            h = seen[layer]
            # tanh'(a) = 1 - tanh(a)^2, at most 1;   sigma'(a) = sigma(a) (1 - sigma(a)), at most 1/4
            back = d @ self.weights[layer].T * (1 - h**2 if self.centred else h * (1 - h))
            self.weights[layer] -= rate * h.T @ d
            self.biases[layer] -= rate * d.sum(0)
            d = back

    def accuracy(self, x: np.ndarray, y: np.ndarray) -> float:
        return float((self.forward(x)[-1].argmax(1) == y).mean())


def build(config: Config) -> Net:
    return Net(config, True, np.random.default_rng(0))


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    data = load_digits()
    x, y = data.data / 8 - 1, data.target
    start = random.integers(2**31)
    nets = [Net(config, centred, np.random.default_rng(start)) for centred in (True, False)]
    for epoch in range(1, config.epochs + 1):
        for index in random.permutation(1200).reshape(-1, 10):
            for net in nets:
                net.learn(x[index], y[index], config.rate)
        right = [net.accuracy(x[1200:], y[1200:]) for net in nets]
        yield Step(epoch, config.epochs, {"test accuracy": right[0], "baseline": right[1]})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
