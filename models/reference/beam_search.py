r"""Beam search: keep the k best beginnings at every step.

B. Lowerre, "The HARPY Speech Recognition System", Carnegie Mellon University, 1976.

What it changes against greedy search: k beginnings survive each step instead of one, at k times the cost. A beam of
V^T is exhaustive search, which is the check in the demonstration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main

METADATA = {
    "node": "beam-search",
    "title": {"en": "Beam search", "zh": "束搜索"},
    "year": 1976,
    "paper": {
        "title": "The HARPY Speech Recognition System",
        "url": "https://apps.dtic.mil/sti/citations/ADA035146",
        "sections": "the beam",
    },
    "parents": ["greedy_search"],
    "demo": {
        "task": {
            "en": "Decode 200 random languages of memory two: share of best sentences found, checked exhaustively",
            "zh": "在 200 个随机语言中解码：找到最优句的比例（穷举核对）",
        },
        "metric": "optimal share",
        "target": 0.9,
        "baseline": "greedy search (a beam of one)",
        "margin": 0.2,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    words: int = 5  # V
    length: int = 5  # T; all V^T sentences are enumerated as the check
    beam: int = 6  # k
    languages: int = 200  # random models decoded


TINY = Config(languages=20)
PRESETS: dict[str, Config] = {}


class Language:
    """The chance of the next word given the last two: table (V + 1, V + 1, V), row V is the sentence's begin."""

    def __init__(self, words: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.words = words
        self.table = np.log(random.dirichlet(np.full(words, 0.3), (words + 1, words + 1)) + 1e-12)

    def next(self, prefix: tuple[int, ...]) -> np.ndarray:
        """Log-probabilities (V,) of the word after `prefix`."""
        a, b = (self.words, self.words, *prefix)[-2:]
        return self.table[a, b]

    def score(self, words: tuple[int, ...]) -> float:
        # log p(y) = sum_t log p(y_t | y_<t)
        return float(sum(self.next(words[:t])[y] for t, y in enumerate(words)))


def beam_search(model: Language, length: int, beam: int) -> list[tuple[float, tuple[int, ...]]]:
    """The `beam` best sentences found, best first, with their log-probabilities."""
    kept: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    for _ in range(length):
        # candidates: every kept beginning with every word, k V of them; keep the k with the highest log p(y_<=t)
        longer = [(score + float(p), (*y, v)) for score, y in kept for v, p in enumerate(model.next(y))]
        kept = sorted(longer, reverse=True)[:beam]
    return kept


def build(config: Config) -> Language:
    return Language(config.words, 0)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    hits = {1: 0, config.beam: 0}
    for done in range(1, config.languages + 1):
        model = Language(config.words, seed * 100_003 + done)
        everything = beam_search(model, config.length, config.words**config.length)
        for width in hits:
            hits[width] += abs(beam_search(model, config.length, width)[0][0] - everything[0][0]) < 1e-9
        if done % max(1, config.languages // 10) == 0:
            metrics = {"optimal share": hits[config.beam] / done, "baseline": hits[1] / done}
            yield Step(done, config.languages, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
