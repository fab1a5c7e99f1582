r"""Backpropagation: the chain rule run backwards over a net, every derivative for the price of one more pass.

P. Werbos, "Beyond Regression", PhD thesis, Harvard, 1974; D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning
representations by back-propagating errors", Nature 323, 1986, equations 4-7. S. Linnainmaa, 1970, has reverse-mode
differentiation.

What it changes against gradient descent by trying each weight: the error's derivatives flow from the output back, each
layer reusing those of the layer above. Written out here in NumPy on whole arrays, without any autograd.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits

from ailineage.models.reference import Step, main

METADATA = {
    "node": "backprop",
    "title": {"en": "Backpropagation", "zh": "反向传播"},
    "year": 1974,
    "paper": {
        "title": "Learning representations by back-propagating errors",
        "doi": "10.1038/323533a0",
        "sections": "equations 3 to 7; Werbos 1974, chapter 2",
    },
    "parents": ["perceptron"],
    "demo": {
        "task": {
            "en": "Derivatives of a two-layer net on digits agree with finite differences, at a fraction of the price",
            "zh": "两层网络在手写数字上的导数与有限差分一致，而计算代价只是其零头",
        },
        "metric": "largest relative error",
        "target": 1e-5,
        "baseline": "the same error when the hidden layer's factor y (1 - y) of equation 5 is left out",
        "margin": 0.01,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    hidden: int = 12  # units between input and output
    examples: int = 50  # digits whose summed error is differentiated
    checks: int = 400  # weights compared with finite differences
    epochs: int = 40  # then the derivatives are used: descent on all digits
    rate: float = 0.5  # epsilon


TINY = Config(checks=60, epochs=3)
PRESETS: dict[str, Config] = {}


class Var:
    """An array in a graph: its value, its derivative dE/d(value), and how to pass that on to what it came from."""

    def __init__(
        self, value: np.ndarray, parents: tuple[Var, ...] = (), back: Callable[[], None] | None = None
    ) -> None:
        self.value, self.parents, self.back = value, parents, back
        self.grad = np.zeros_like(value)

    def __matmul__(self, weights: Var) -> Var:
        out = Var(self.value @ weights.value, (self, weights))

        def back() -> None:
            # (6)   dE/dw_ji = dE/dx_j y_i
            weights.grad += self.value.T @ out.grad
            # (7)   dE/dy_i = sum_j dE/dx_j w_ji
            self.grad += out.grad @ weights.value.T

        out.back = back
        return out

    def add(self, bias: Var) -> Var:
        out = Var(self.value + bias.value, (self, bias))

        def back() -> None:
            self.grad += out.grad
            bias.grad += out.grad.sum(axis=0)  # the bias was spread over all rows

        out.back = back
        return out

    def sigmoid(self, wrong: bool = False) -> Var:
        y = 1 / (1 + np.exp(-self.value))
        out = Var(y, (self,))

        def back() -> None:
            # (5)   dE/dx_j = dE/dy_j y_j (1 - y_j)
            self.grad += out.grad * (1 if wrong else y * (1 - y))

        out.back = back
        return out

    def squared_error(self, target: np.ndarray) -> Var:
        # (3)   E = 1/2 sum_c sum_j (y_jc - d_jc)^2
        out = Var(np.array(0.5 * ((self.value - target) ** 2).sum()), (self,))

        def back() -> None:
            # (4)   dE/dy_j = y_j - d_j
            self.grad += out.grad * (self.value - target)

        out.back = back
        return out

    def backward(self) -> None:
        """From this number to all leaves: each node passes on once all that depend on it have passed theirs."""
        order: list[Var] = []
        seen: set[int] = set()

        def visit(node: Var) -> None:
            if id(node) not in seen:
                seen.add(id(node))
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        for node in order:
            node.grad = np.zeros_like(node.value)
        self.grad = np.ones_like(self.value)
        for node in reversed(order):
            if node.back is not None:
                node.back()


class Net:
    """64 - hidden - 10 sigmoid units."""

    def __init__(self, hidden: int, random: np.random.Generator) -> None:
        shapes = ((64, hidden), (hidden,), (hidden, 10), (10,))
        self.weights = [Var(random.normal(size=s, scale=0.3)) for s in shapes]

    def __call__(self, x: np.ndarray, wrong: bool = False) -> Var:
        w1, b1, w2, b2 = self.weights
        hidden = (Var(x) @ w1).add(b1).sigmoid(wrong)  # (N, 64) -> (N, H)
        return (hidden @ w2).add(b2).sigmoid()  # (N, 10)


def build(config: Config) -> Net:
    return Net(config.hidden, np.random.default_rng(0))


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    data = load_digits()
    x, label = data.data / 16, data.target
    target = np.eye(10)[label]
    net = Net(config.hidden, random)
    few, few_target = x[: config.examples], target[: config.examples]
    net(few, wrong=True).squared_error(few_target).backward()
    without = [w.grad.copy() for w in net.weights]
    net(few).squared_error(few_target).backward()
    grads = [w.grad.copy() for w in net.weights]
    scale = float(np.abs(np.concatenate([g.ravel() for g in grads])).max())
    worst = worst_without = 0.0
    total = config.checks + config.epochs
    for check in range(1, config.checks + 1):
        which = int(random.integers(len(grads)))
        w = net.weights[which].value
        place = tuple(int(random.integers(n)) for n in w.shape)
        keep, h = w[place], 1e-5
        # dE/dw ~ (E(w + h) - E(w - h)) / 2h
        w[place] = keep + h
        above = float(net(few).squared_error(few_target).value)
        w[place] = keep - h
        below = float(net(few).squared_error(few_target).value)
        w[place] = keep
        slope = (above - below) / (2 * h)
        worst = max(worst, abs(slope - float(grads[which][place])) / scale)
        worst_without = max(worst_without, abs(slope - float(without[which][place])) / scale)
        if check % 20 == 0:
            yield Step(check, total, {"largest relative error": worst, "baseline": worst_without})
    for epoch in range(1, config.epochs + 1):
        for rows in np.array_split(random.permutation(len(x)), 60):
            net(x[rows]).squared_error(target[rows]).backward()
            for weights in net.weights:
                weights.value -= config.rate * weights.grad / len(rows) * 4
        right = float((net(x).value.argmax(axis=1) == label).mean())
        metrics = {"largest relative error": worst, "training accuracy": right, "baseline": worst_without}
        yield Step(config.checks + epoch, total, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
