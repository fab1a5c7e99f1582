r"""Recursive neural network: one small net, applied at every node of a tree, makes the whole's vector from the parts'.

C. Goller and A. Kuechler, "Learning task-dependent distributed representations by backpropagation through structure",
ICNN 1996, sections 2 and 3; a classifier at every node as in R. Socher et al., "Recursive Deep Models for Semantic
Compositionality Over a Sentiment Treebank", EMNLP 2013, section 4.1.

What it changes against a multilayer perceptron: the input is a tree of any shape, whose own structure says how often
and where the same weights are used; the error runs down the tree to every place of their use. (A recurrent net, as
Elman's, is the special case of a tree that is a chain.)
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "recursive-nn",
    "title": {"en": "Recursive neural network", "zh": "递归神经网络（树结构）"},
    "year": 1996,
    "paper": {
        "title": "Learning task-dependent distributed representations by backpropagation through structure",
        "doi": "10.1109/ICNN.1996.548916",
        "sections": "2, 3; node labels from Socher et al. 2013, section 4.1",
    },
    "parents": ["mlp", "backprop"],
    "demo": {
        "task": {
            "en": "Evaluates nested expressions of and, or and not that are deeper than those it learned from",
            "zh": "计算比训练时嵌套更深的“与、或、非”表达式",
        },
        "metric": "accuracy",
        "target": 0.9,
        "baseline": "logistic regression on how often each symbol occurs",
        "margin": 0.15,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    width: int = 24  # D, of every node's vector
    trees: int = 2000  # expressions to learn from
    depth: int = 4  # of those; the ones for testing are two deeper
    batch: int = 64  # expressions a step
    updates: int = 400  # training steps
    rate: float = 1e-2  # highest of Adam


TINY = Config(width=8, trees=60, depth=2, batch=16, updates=10)
PRESETS: dict[str, Config] = {}

SYMBOLS = ("false", "true", "not", "and", "or")
Tree = int | tuple["Tree", "Tree"]  # a leaf is the number of its symbol; [[and a] b] is binary too


def expression(depth: int, rng: random.Random, root: bool = True) -> Tree:
    """A random expression at most `depth` operators deep; exactly so along one branch of the root's."""
    if depth == 0 or (not root and rng.random() < 0.2):
        return rng.randrange(2)
    if rng.random() < 0.25:
        return (2, expression(depth - 1, rng, root))
    left, right = expression(depth - 1, rng, root), expression(depth - 1, rng, False)
    return ((rng.choice((3, 4)), left), right)


def value(tree: Tree) -> int:
    """What an expression means, 0 or 1; -1 for an operator and for one that waits for its second argument."""
    if isinstance(tree, int):
        return tree if tree < 2 else -1
    head, last = tree
    if head == 2:
        return 1 - value(last)
    if isinstance(head, tuple) and head[0] in (3, 4):
        a, b = value(head[1]), value(last)
        return a & b if head[0] == 3 else a | b
    return -1


def show(tree: Tree) -> str:
    if isinstance(tree, int):
        return SYMBOLS[tree]
    head, last = tree
    if isinstance(head, tuple):
        return f"({show(head[1])} {SYMBOLS[head[0]]} {show(last)})"  # type: ignore[index]
    return f"{show(head)} {show(last)}"


class Forest(NamedTuple):
    """Trees laid out so that all nodes of one height are computed at once.

    Nodes are numbered leaves first, then by height: `leaves` (L,) their symbols, `levels` a (children (n, 2)) each,
    `meanings` (all nodes,) with -1 where a node has none, `roots` (trees,).
    """

    leaves: Tensor
    levels: list[Tensor]
    meanings: Tensor
    roots: Tensor


def plant(trees: list[Tree]) -> Forest:
    rows: list[list[tuple[Tree, tuple[tuple[int, int], ...]]]] = []  # by height: (tree, places of its children)

    def visit(tree: Tree) -> tuple[int, int]:
        below = () if isinstance(tree, int) else tuple(visit(part) for part in tree)
        height = 1 + max((h for h, _ in below), default=-1)
        while len(rows) <= height:
            rows.append([])
        rows[height].append((tree, below))
        return height, len(rows[height]) - 1

    places = [visit(tree) for tree in trees]
    start = [0]
    for row in rows:
        start.append(start[-1] + len(row))
    levels = [torch.tensor([[start[h] + i for h, i in below] for _, below in row]) for row in rows[1:]]
    meanings = torch.tensor([value(tree) for row in rows for tree, _ in row])
    return Forest(
        torch.tensor([tree for tree, _ in rows[0]]), levels, meanings, torch.tensor([start[h] + i for h, i in places])
    )


class RecursiveNet(nn.Module):
    def __init__(self, width: int, symbols: int = len(SYMBOLS), classes: int = 2) -> None:
        super().__init__()
        self.embed = nn.Embedding(symbols, width)
        self.compose = nn.Linear(2 * width, width)
        self.judge = nn.Linear(width, classes)

    def forward(self, forest: Forest) -> Tensor:
        """Logits of every node's class (nodes, classes)."""
        states = torch.tanh(self.embed(forest.leaves))  # (L, D)
        for children in forest.levels:
            # p = tanh(W [c_1; c_2] + b), the same W at every node
            parts = states[children].flatten(1)  # (n, 2, D) -> (n, 2D)
            states = torch.cat([states, torch.tanh(self.compose(parts))])
        # y = softmax(W_s p), at every node
        return self.judge(states)


def build(config: Config) -> RecursiveNet:
    return RecursiveNet(config.width)


def counted(trees: list[Tree]) -> Tensor:
    """How often each symbol occurs (trees, symbols)."""
    words = [show(tree).replace("(", "").replace(")", "").split() for tree in trees]
    return torch.tensor([[float(line.count(symbol)) for symbol in SYMBOLS] for line in words])


def by_counts(train: list[Tree], test: list[Tree]) -> float:
    """Accuracy of logistic regression on the counts: what a reader gets who does not see the tree."""
    regression = nn.Linear(len(SYMBOLS), 2)
    optimizer = torch.optim.Adam(regression.parameters(), 0.05)
    x, y = counted(train), torch.tensor([value(tree) for tree in train])
    for _ in range(200):
        loss = F.cross_entropy(regression(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float((regression(counted(test)).argmax(1) == torch.tensor([value(t) for t in test])).float().mean())


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    rng = random.Random(seed)
    train = [expression(rng.randint(1, config.depth), rng) for _ in range(config.trees)]
    test = [expression(config.depth + rng.randint(1, 2), rng) for _ in range(400)]
    baseline = by_counts(train, test)
    held_out = plant(test)
    truth = held_out.meanings[held_out.roots]
    model = build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates)
    for update in range(1, config.updates + 1):
        forest = plant(rng.sample(train, min(config.batch, len(train))))
        # E = -sum over nodes with a meaning of log y_meaning
        loss = F.cross_entropy(model(forest), forest.meanings, ignore_index=-1)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if update % max(1, config.updates // 10) == 0:
            with torch.no_grad():
                guess = model(held_out)[held_out.roots].argmax(1)
            metrics = {"accuracy": float((guess == truth).float().mean()), "loss": float(loss.detach())}
            chosen = min(range(len(test)), key=lambda i: abs(len(show(test[i])) - 60))
            sample = f"{show(test[chosen])} = {SYMBOLS[int(guess[chosen])]}"
            yield Step(update, config.updates, metrics | {"baseline": baseline}, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
