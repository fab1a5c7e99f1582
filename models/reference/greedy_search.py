r"""Greedy search: at each step take the likeliest word and never look back.

The degenerate case of B. Lowerre, "The HARPY Speech Recognition System", Carnegie Mellon University, 1976: a beam of
width one. Decoders of RNNs and GPTs use it as "argmax" or "temperature 0".

Cost V T instead of V^T, without a promise: a likely first word may lead where nothing is likely. The demonstration
compares with the exact optimum, which a Markov chain lets us compute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main

METADATA = {
    "node": "greedy-search",
    "title": {"en": "Greedy search", "zh": "贪心搜索"},
    "year": 1976,
    "paper": {
        "title": "The HARPY Speech Recognition System",
        "url": "https://apps.dtic.mil/sti/citations/ADA035146",
        "sections": "the search with a beam of one",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "Decode 200 random Markov languages: far better than sampling, not always the best",
            "zh": "在 200 个随机马尔可夫语言中解码：远好于采样，但只有部分找到最优句",
        },
        "metric": "log-probability",
        "target": -4.6,
        "baseline": "a sentence sampled from the same model",
        "margin": 1.5,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    words: int = 6  # V
    length: int = 7  # T
    languages: int = 200  # random models decoded


TINY = Config(languages=20)
PRESETS: dict[str, Config] = {}


class Chain:
    """A language of V words: the chance of the next word given the last one, first (V,) and move (V, V)."""

    def __init__(self, words: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        chances = random.dirichlet(np.full(words, 0.3), words + 1)
        self.first, self.move = np.log(chances[0] + 1e-12), np.log(chances[1:] + 1e-12)

    def next(self, prefix: tuple[int, ...]) -> np.ndarray:
        """Log-probabilities (V,) of the word after `prefix`."""
        return self.move[prefix[-1]] if prefix else self.first

    def score(self, words: tuple[int, ...]) -> float:
        # log p(y) = sum_t log p(y_t | y_<t)
        return float(sum(self.next(words[:t])[y] for t, y in enumerate(words)))

    def best(self, length: int) -> float:
        """The highest log-probability of any sentence, by dynamic programming: what greedy search may miss."""
        value = self.first
        for _ in range(length - 1):
            value = (value[:, None] + self.move).max(0)  # (V, V) -> (V,)
        return float(value.max())


def greedy(model: Chain, length: int) -> tuple[int, ...]:
    """A sentence of `length` words, each the likeliest after those before."""
    words: tuple[int, ...] = ()
    for _ in range(length):
        # y_t = argmax_v p(v | y_<t)
        words = (*words, int(model.next(words).argmax()))
    return words


def sample(model: Chain, length: int, random: np.random.Generator) -> tuple[int, ...]:
    """A sentence drawn from the model, word by word."""
    words: tuple[int, ...] = ()
    for _ in range(length):
        chances = np.exp(model.next(words))
        words = (*words, int(random.choice(len(chances), p=chances / chances.sum())))
    return words


def build(config: Config) -> Chain:
    return Chain(config.words, 0)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    found, drawn, best = [], [], []
    for done in range(1, config.languages + 1):
        model = Chain(config.words, seed * 100_003 + done)
        found.append(model.score(greedy(model, config.length)))
        drawn.append(model.score(sample(model, config.length, random)))
        best.append(model.best(config.length))
        if done % max(1, config.languages // 10) == 0:
            optimal = np.mean(np.isclose(found, best))
            metrics = {"log-probability": float(np.mean(found)), "best": float(np.mean(best))}
            metrics |= {"optimal share": float(optimal), "baseline": float(np.mean(drawn))}
            yield Step(done, config.languages, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
