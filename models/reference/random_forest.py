r"""Random forest: many deep trees, each grown on a resampled set and a few random features a split, vote.

L. Breiman, "Random Forests", Machine Learning 45, 2001, sections 2 (definition 1.1, theorem 1.2), 3.1 (out-of-bag
estimates) and 4 (forest-RI). Trees are grown to the end by the Gini impurity, as in CART, and not pruned.

What it changes against a single tree: resampling and random choice make the trees err in different places, and the
error of the vote falls with their strength and rises with their correlation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits

from ailineage.models.reference import Step, main

METADATA = {
    "node": "random-forest",
    "title": {"en": "Random forest", "zh": "随机森林"},
    "year": 2001,
    "paper": {
        "title": "Random Forests",
        "doi": "10.1023/A:1010933404324",
        "sections": "definition 1.1, theorem 1.2, 3.1, 4",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "Sixty trees read digits of 8x8, and grade themselves on what they have not seen",
            "zh": "六十棵树识别 8x8 手写数字，并用各自没见过的样本估计误差",
        },
        "metric": "test accuracy",
        "target": 0.94,
        "baseline": "one tree grown on all features and examples",
        "margin": 0.06,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    trees: int = 60  # K
    features: int = 7  # F, tried at a split; int(log2 M + 1) = 7 for M = 64, section 4
    examples: int = 1200  # training digits; the other 597 are the test


TINY = Config(trees=5, examples=400)
PRESETS: dict[str, Config] = {}


class Tree:
    """A binary tree in arrays; a leaf has feature -1 and its class in `said`."""

    def __init__(self, x: np.ndarray, y: np.ndarray, features: int, random: np.random.Generator) -> None:
        self.feature: list[int] = []
        self.threshold: list[float] = []
        self.children: list[tuple[int, int]] = []
        self.said: list[int] = []
        self.classes, self.features, self.random = int(y.max()) + 1, features, random
        self._grow(x, y)

    def _grow(self, x: np.ndarray, y: np.ndarray) -> int:
        node = len(self.feature)
        self.feature.append(-1)
        self.threshold.append(0.0)
        self.children.append((-1, -1))
        self.said.append(int(np.bincount(y).argmax()))
        if (y != y[0]).any() and (cut := self._split(x, y)) is not None:
            self.feature[node], self.threshold[node] = cut
            left = x[:, cut[0]] <= cut[1]
            self.children[node] = self._grow(x[left], y[left]), self._grow(x[~left], y[~left])
        return node

    def _split(self, x: np.ndarray, y: np.ndarray) -> tuple[int, float] | None:
        """The best cut among F random features that vary here; None if none does."""
        varying = np.flatnonzero((x != x[0]).any(0))
        if not len(varying):
            return None
        chosen = self.random.permutation(varying)[: self.features]
        order = np.argsort(x[:, chosen], axis=0, kind="stable")  # (N, F)
        values = np.take_along_axis(x[:, chosen], order, 0)
        left = np.cumsum(np.eye(self.classes)[y[order]], 0)[:-1]  # (N - 1, F, C) counts of each class at or below
        right = left[-1] + np.eye(self.classes)[y[order[-1]]] - left
        below = np.arange(1, len(x))[:, None]
        # Gini of a part: 1 - sum_c (n_c / n)^2, weighted by its size; least where sum_c n_c^2 / n is greatest
        purity = (left**2).sum(2) / below + (right**2).sum(2) / (len(x) - below)
        purity[values[:-1] == values[1:]] = -1  # no cut between equal values
        row, column = np.unravel_index(purity.argmax(), purity.shape)
        return int(chosen[column]), float(values[row : row + 2, column].mean())

    def __call__(self, x: np.ndarray) -> np.ndarray:  # (N, D) -> (N,) classes
        feature, threshold, children = np.array(self.feature), np.array(self.threshold), np.array(self.children)
        at = np.zeros(len(x), int)
        while (inner := feature[at] >= 0).any():
            here = at[inner]
            right = x[inner, feature[here]] > threshold[here]
            at[inner] = children[here, right.astype(int)]
        return np.array(self.said)[at]


class Forest:
    """Trees and the votes they cast."""

    def __init__(self) -> None:
        self.trees: list[Tree] = []

    def votes(self, x: np.ndarray, classes: int = 10) -> np.ndarray:  # (N, D) -> (N, C)
        return sum((np.eye(classes)[tree(x)] for tree in self.trees), np.zeros((len(x), classes)))


def build(config: Config) -> Forest:
    return Forest()


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    data = load_digits()
    order = random.permutation(len(data.data))
    x, y = data.data[order], data.target[order]
    n = config.examples
    alone = float((Tree(x[:n], y[:n], x.shape[1], random)(x[n:]) == y[n:]).mean())
    forest, unseen = build(config), np.zeros((n, 10))
    for done in range(1, config.trees + 1):
        # section 3.1: a bootstrap sample leaves about a third of the examples out
        drawn = random.integers(0, n, n)
        tree = Tree(x[drawn], y[drawn], config.features, random)
        forest.trees.append(tree)
        left = np.setdiff1d(np.arange(n), drawn)
        unseen[left, tree(x[left])] += 1
        # definition 1.1: each tree casts a unit vote for the most popular class
        right = float((forest.votes(x[n:]).argmax(1) == y[n:]).mean())
        judged = unseen.sum(1) > 0
        estimate = float((unseen[judged].argmax(1) == y[:n][judged]).mean())
        yield Step(done, config.trees, {"test accuracy": right, "out-of-bag accuracy": estimate, "baseline": alone})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
