r"""AdaBoost: weak rules, each trained on what the ones before got wrong, vote by how good they are.

Y. Freund, R. Schapire, "A Decision-Theoretic Generalization of On-Line Learning and an Application to Boosting",
Journal of Computer and System Sciences 55, 1997, section 4 (figure 2, theorem 6); the margins are R. Schapire et al.,
"Boosting the margin", Annals of Statistics 26(5), 1998.

What it changes against R. Schapire's first boosting of 1990: nobody needs to know how good the weak rules will be. The
weights adapt to the errors they make, and the training error is bounded by a product of factors below one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_digits

from ailineage.models.reference import Step, main

METADATA = {
    "node": "adaboost",
    "title": {"en": "AdaBoost", "zh": "AdaBoost（自适应提升）"},
    "year": 1995,
    "paper": {
        "title": "A Decision-Theoretic Generalization of On-Line Learning and an Application to Boosting",
        "doi": "10.1006/jcss.1997.1504",
        "sections": "4.1, figure 2, theorem 6",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": 'Odd and even digits told apart by questions of the kind "is this pixel darker than 5?"',
            "zh": "只用“这个像素是否比 5 更深”这样的问题分辨奇数与偶数",
        },
        "metric": "test accuracy",
        "target": 0.87,
        "baseline": "the best single question",
        "margin": 0.15,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    rounds: int = 300  # T, weak rules
    levels: int = 17  # values of a pixel


TINY = Config(rounds=20)
PRESETS: dict[str, Config] = {}


class Stump(NamedTuple):
    """A weak rule: `sign` where x[feature] > cut, else -sign."""

    feature: int
    cut: int
    sign: int

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Examples (N, M) -> guesses (N,) in {-1, 1}."""
        return np.where(x[:, self.feature] > self.cut, self.sign, -self.sign)


class AdaBoost:
    """Stumps and their votes; `weights` (N,) say how much each training example counts at the moment."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.stumps: list[Stump] = []
        self.votes: list[float] = []
        self.weights = np.zeros(0)
        self.bound = 1.0

    def weak(self, x: np.ndarray, t: np.ndarray) -> tuple[Stump, float]:
        """The stump with the least weighted error on x (N, M), t (N,) in {-1, 1}, and that error."""
        M, V = x.shape[1], self.config.levels
        # sums of w t over the examples with each value of each feature, then over those above each cut
        place = np.arange(M) * V + x  # (N, M)
        table = np.bincount(place.ravel(), np.repeat(self.weights * t, M), minlength=M * V).reshape(M, V)
        above = table[:, ::-1].cumsum(1)[:, ::-1] - table  # (M, V)
        # the rule "1 above the cut" has the edge  sum_i w_i t_i h(x_i) = above - below, its error is (1 - edge) / 2
        edge = 2 * above - table.sum(1, keepdims=True)
        best = int(np.abs(edge).argmax())
        feature, cut = divmod(best, V)
        return Stump(feature, cut, 1 if edge.flat[best] > 0 else -1), float(1 - abs(edge.flat[best])) / 2

    def round(self, x: np.ndarray, t: np.ndarray) -> float:
        """Add one weak rule; its weighted error."""
        if not len(self.weights):
            self.weights = np.full(len(t), 1 / len(t))  # w_i^1 = D(i), here uniform
        # steps 1 to 3: with the normalised weights, call the weak learner; its error is epsilon_t
        stump, error = self.weak(x, t)
        error = max(error, 1e-10)
        # step 4   beta_t = epsilon_t / (1 - epsilon_t)
        beta = error / (1 - error)
        # step 5   w_i^(t+1) = w_i^t beta_t^(1 - |h_t(x_i) - y_i|): what was right counts less from now on
        self.weights = self.weights * beta ** (stump(x) == t)
        self.weights /= self.weights.sum()
        self.stumps.append(stump)
        self.votes.append(float(np.log(1 / beta)))
        # theorem 6   epsilon <= prod_t 2 sqrt(epsilon_t (1 - epsilon_t))
        self.bound *= 2 * (error * (1 - error)) ** 0.5
        return error

    def margins(self, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        """How decided the votes for the right answer are (N,), from -1 to 1."""
        return t * self._sum(x) / sum(self.votes)

    def _sum(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(sum(vote * stump(x) for vote, stump in zip(self.votes, self.stumps, strict=True)))  # (N,)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        # h_f(x) = 1 if sum_t log(1 / beta_t) h_t(x) >= 1/2 sum_t log(1 / beta_t); with answers of -1 and 1: if >= 0
        return np.where(self._sum(x) >= 0, 1, -1)


def build(config: Config) -> AdaBoost:
    return AdaBoost(config)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    x, t = digits.data[order].astype(int), np.where(digits.target[order] % 2, 1, -1)
    x, t, x_test, t_test = x[:1437], t[:1437], x[1437:], t[1437:]
    model, baseline = build(config), 0.0
    for count in range(1, config.rounds + 1):
        error = model.round(x, t)
        if count == 1:
            baseline = float((model(x_test) == t_test).mean())
        if count % max(1, config.rounds // 10) == 0:
            metrics = {
                "test accuracy": float((model(x_test) == t_test).mean()),
                "training error": float((model(x) != t).mean()),
                "its bound": model.bound,
                "error of the last rule": error,
                "least margin": float(model.margins(x, t).min()),
                "baseline": baseline,
            }
            picture = None
            if count == config.rounds:
                asked = np.bincount([s.feature for s in model.stumps], model.votes, minlength=x.shape[1])
                picture = (asked / asked.max() * 255).astype(np.uint8).reshape(8, 8).repeat(16, 0).repeat(16, 1)
            yield Step(count, config.rounds, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
