r"""Random forest: many trees, each grown on other examples and asking other questions, vote.

L. Breiman, "Random Forests", Machine Learning 45, 2001, sections 1 (definition), 3.1 (out-of-bag estimates) and 4
(random input selection, Forest-RI); the trees are those of L. Breiman et al., "Classification and Regression Trees",
1984, T. Ho had trees vote that saw random features in 1995.

What it changes against the single decision tree: the tree is neither pruned nor optimised. A tree that fits its
examples without error is unstable; the average of many that err differently is not (theorem 1.2: it converges).
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
        "sections": "1, 3.1 and 4",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "Handwritten digits named by the votes of 40 trees",
            "zh": "40 棵树投票识别手写数字",
        },
        "metric": "test accuracy",
        "target": 0.94,
        "baseline": "one tree that may ask all questions about all examples",
        "margin": 0.05,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    trees: int = 40  # votes
    features: int = 7  # F, drawn anew at each node; the paper takes int(log2 M + 1), which is 7 for M = 64
    levels: int = 17  # values a feature has: pixels count from 0 to 16
    classes: int = 10  # digits


TINY = Config(trees=3)
PRESETS: dict[str, Config] = {}


class Tree:
    """A tree of questions "is x[feature] <= cut?", grown until each leaf holds one class."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.feature: list[int] = []  # of each node; -1 at a leaf
        self.cut: list[int] = []
        self.children: list[tuple[int, int]] = []  # where to go on yes and on no
        self.label: list[int] = []

    def grow(self, x: np.ndarray, y: np.ndarray, features: int, random: np.random.Generator) -> int:
        """Grow the branch for examples x (N, M), y (N,); the number of its first node."""
        node = len(self.label)
        counts = np.bincount(y, minlength=self.config.classes)
        self.feature.append(-1)
        self.cut.append(0)
        self.children.append((-1, -1))
        self.label.append(int(counts.argmax()))
        if counts.max() == len(y):
            return node
        chosen = random.permutation(x.shape[1])
        # where the first F cannot divide the examples, look at the others too
        for some in (chosen[:features], chosen[features:]):
            if len(some) and (question := self.ask(x[:, some], y)) is not None:
                feature, cut = int(some[question[0]]), question[1]
                yes = x[:, feature] <= cut
                self.feature[node], self.cut[node] = feature, cut
                self.children[node] = (
                    self.grow(x[yes], y[yes], features, random),
                    self.grow(x[~yes], y[~yes], features, random),
                )
                break
        return node

    def ask(self, x: np.ndarray, y: np.ndarray) -> tuple[int, int] | None:
        """The feature (a column of x (N, F)) and the cut that leave the least impurity; None if all are alike."""
        F, V, K = x.shape[1], self.config.levels, self.config.classes
        place = (np.arange(F) * V + x) * K + y[:, None]  # (N, F)
        table = np.bincount(place.ravel(), minlength=F * V * K).reshape(F, V, K)
        left = table.cumsum(1)[:, :-1]  # (F, V - 1, K) examples of each class at or below each cut
        right = table.sum(1, keepdims=True) - left
        n_left, n_right = left.sum(-1), right.sum(-1)  # (F, V - 1)
        # Gini impurity  i(t) = 1 - sum_k p_k^2;   both sides weigh N_t:  N - sum_k n_k^2 / N_t is to be small
        pure = (left**2).sum(-1) / np.maximum(n_left, 1) + (right**2).sum(-1) / np.maximum(n_right, 1)
        pure[(n_left == 0) | (n_right == 0)] = -1
        best = int(pure.argmax())
        return None if pure.flat[best] < 0 else divmod(best, V - 1)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Classes (N,) of examples (N, M)."""
        feature, cut, children = np.array(self.feature), np.array(self.cut), np.array(self.children)
        node, rows = np.zeros(len(x), int), np.arange(len(x))
        while (feature[node] >= 0).any():
            no = (x[rows, feature[node]] > cut[node]).astype(int)
            node = np.where(feature[node] >= 0, children[node, no], node)
        return np.array(self.label)[node]


class Forest:
    """Trees and, for each training example, the votes of those that have not seen it."""

    def __init__(self, config: Config) -> None:
        self.config, self.trees = config, list[Tree]()
        self.unseen_votes = np.zeros((0, config.classes), int)

    def add(self, x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> None:
        """Grow one more tree on a bootstrap sample: N examples drawn with replacement, a third are left out."""
        if not len(self.unseen_votes):
            self.unseen_votes = np.zeros((len(y), self.config.classes), int)
        drawn = random.integers(len(y), size=len(y))
        tree = Tree(self.config)
        tree.grow(x[drawn], y[drawn], self.config.features, random)
        self.trees.append(tree)
        unseen = np.setdiff1d(np.arange(len(y)), drawn)
        self.unseen_votes[unseen, tree(x[unseen])] += 1

    def out_of_bag(self, y: np.ndarray) -> float:
        """Accuracy (section 3.1) of each example's vote among the trees that were grown without it."""
        voted = self.unseen_votes.sum(1) > 0
        return float((self.unseen_votes.argmax(1) == y)[voted].mean())

    def __call__(self, x: np.ndarray) -> np.ndarray:
        # the most popular class, max_k sum_trees 1[h(x) = k]
        votes = sum(np.eye(self.config.classes, dtype=int)[tree(x)] for tree in self.trees)  # (N, K)
        return np.asarray(votes).argmax(1)


def build(config: Config) -> Forest:
    return Forest(config)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    x, y = digits.data[order].astype(int), digits.target[order]
    x, y, x_test, y_test = x[:1437], y[:1437], x[1437:], y[1437:]
    single = Tree(config)
    single.grow(x, y, x.shape[1], random)
    baseline = float((single(x_test) == y_test).mean())
    forest = build(config)
    for count in range(1, config.trees + 1):
        forest.add(x, y, random)
        if count % max(1, config.trees // 10) == 0 or count == config.trees:
            accuracy = float((forest(x_test) == y_test).mean())
            metrics = {"test accuracy": accuracy, "out of bag": forest.out_of_bag(y), "baseline": baseline}
            picture = None
            if count == config.trees:
                asked = np.bincount([f for t in forest.trees for f in t.feature if f >= 0], minlength=64)
                picture = (asked / asked.max() * 255).astype(np.uint8).reshape(8, 8).repeat(16, 0).repeat(16, 1)
            yield Step(count, config.trees, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
