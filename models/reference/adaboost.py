r"""AdaBoost: weak rules of thumb voted into a strong one, each trained on what the last ones got wrong.

Y. Freund and R. E. Schapire, "A Decision-Theoretic Generalization of On-Line Learning and an Application to Boosting",
Journal of Computer and System Sciences 55(1), 1997, section 4 (figure 2); first presented at EuroCOLT in March 1995.
The weak learner is a decision stump: one pixel against one threshold. Theorem 6 bounds the training error.

It is no network and has no gradient: the distribution over examples is what is learned, the vote follows from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits

from ailineage.models.reference import Step, main

METADATA = {
    "node": "adaboost",
    "title": {"en": "AdaBoost", "zh": "AdaBoost 自适应提升"},
    "year": 1995,
    "paper": {
        "title": "A Decision-Theoretic Generalization of On-Line Learning and an Application to Boosting",
        "doi": "10.1006/jcss.1997.1504",
        "sections": "4, figure 2, theorem 6",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "Digits of 5 and more against smaller ones by votes of one-pixel rules",
            "zh": "用单像素规则的加权投票区分 5 及以上与更小的数字",
        },
        "metric": "test accuracy",
        "target": 0.86,
        "baseline": "the best single rule",
        "margin": 0.15,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    rounds: int = 150  # T, weak rules in the vote
    examples: int = 1200  # training digits; the other 597 are the test


TINY = Config(rounds=25, examples=600)
PRESETS: dict[str, Config] = {}


@dataclass(frozen=True)
class Stump:
    """h(x) = sign if x[pixel] > threshold else -sign."""

    pixel: int
    threshold: float
    sign: int

    def __call__(self, x: np.ndarray) -> np.ndarray:  # (N, D) -> (N,) of -1 and 1
        return np.where(x[:, self.pixel] > self.threshold, self.sign, -self.sign)


def best_stump(x: np.ndarray, y: np.ndarray, p: np.ndarray) -> Stump:
    """The stump of least weighted error: all thresholds of a pixel at once, by running sums over sorted values."""
    order = np.argsort(x, axis=0, kind="stable")  # (N, D)
    values = np.take_along_axis(x, order, 0)
    signed = (p * y)[order]
    # error of "positive above": what is positive at or below the cut, and negative above it
    below = np.cumsum(signed, 0)
    error = (1 - (p * y).sum()) / 2 + below
    error[:-1][values[:-1] == values[1:]] = 0.5  # no cut between equal values
    row, pixel = np.unravel_index(np.argmax(abs(error - 0.5)), error.shape)
    top = values[min(row + 1, len(x) - 1), pixel]
    return Stump(int(pixel), float((values[row, pixel] + top) / 2), 1 if error[row, pixel] < 0.5 else -1)


class AdaBoost:
    def __init__(self) -> None:
        self.rules: list[Stump] = []
        self.votes: list[float] = []
        self.bound = 1.0

    def step(self, x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
        """One round on examples of weight w (N,); returns the new weights."""
        # 1.   p = w / sum_i w_i
        p = w / w.sum()
        rule = best_stump(x, y, p)
        said = rule(x)
        # 3.   epsilon = sum_i p_i [h(x_i) != y_i]
        error = float(np.clip(p[said != y].sum(), 1e-9, 0.5))
        # 4.   beta = epsilon / (1 - epsilon)
        beta = error / (1 - error)
        self.rules.append(rule)
        # output: votes of log 1 / beta; with labels of -1 and 1, half of it on either side
        self.votes.append(np.log(1 / beta))
        # theorem 6   error of the vote <= prod_t 2 sqrt(epsilon_t (1 - epsilon_t))
        self.bound *= 2 * float(np.sqrt(error * (1 - error)))
        # 5.   w_i <- w_i beta^[h(x_i) = y_i]
        return p * np.where(said == y, beta, 1.0)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        total = sum(vote * rule(x) for vote, rule in zip(self.votes, self.rules, strict=True))
        return np.where(np.asarray(total) >= 0, 1, -1)


def build(config: Config) -> AdaBoost:
    return AdaBoost()


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    data = load_digits()
    order = np.random.default_rng(seed).permutation(len(data.data))
    x, y = data.data[order], np.where(data.target[order] >= 5, 1, -1)
    train, test = slice(0, config.examples), slice(config.examples, None)
    model, w = build(config), np.ones(config.examples)
    single = 0.0
    for done in range(1, config.rounds + 1):
        w = model.step(x[train], y[train], w)
        right = float((model(x[test]) == y[test]).mean())
        single = right if done == 1 else single
        if done % 5 and done < config.rounds:
            continue
        wrong = float((model(x[train]) != y[train]).mean())
        metrics = {"test accuracy": right, "training error": wrong, "bound on it": model.bound, "baseline": single}
        hard = x[train][np.argsort(-w)[:10]].reshape(10, 8, 8)  # the digits that weigh most
        picture = (hard.transpose(1, 0, 2).reshape(8, 80) / 16 * 255).astype(np.uint8).repeat(4, 0).repeat(4, 1)
        yield Step(done, config.rounds, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
