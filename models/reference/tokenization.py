r"""Byte-pair encoding: frequent pairs of symbols become symbols, until the vocabulary is full.

R. Sennrich, B. Haddow, A. Birch, "Neural Machine Translation of Rare Words with Subword Units", arXiv:1508.07909,
section 3.2 and algorithm 1; the compression is P. Gage, "A New Algorithm for Data Compression", 1994.

Between characters (long sequences) and words (unknown ones): common words are one token, rare ones a few. The space
belongs to the word after it, as in GPT-2. Its baseline, single characters, is analytic: one a token.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import text

METADATA = {
    "node": "tokenization",
    "title": {"en": "Byte-pair encoding", "zh": "分词（BPE）"},
    "year": 2015,
    "paper": {
        "title": "Neural Machine Translation of Rare Words with Subword Units",
        "arxiv": "1508.07909",
        "sections": "3.2, algorithm 1",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "Merges learned on our English articles, used on others: characters a token carries",
            "zh": "在本库英文文章上学习合并，再编码未读过的文章：每个词元承载的字符数",
        },
        "metric": "characters a token",
        "target": 2.5,
        "baseline": "single characters",
        "margin": 1.0,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    merges: int = 800  # pairs learned: the vocabulary has as many symbols more than the alphabet
    characters: int = 150_000  # text read; the last tenth is held out


TINY = Config(merges=30, characters=20_000)
PRESETS: dict[str, Config] = {}

Pair = tuple[str, str]


class BPE:
    """Merges in the order in which they were learned."""

    def __init__(self) -> None:
        self.ranks: dict[Pair, int] = {}

    @staticmethod
    def words(source: str) -> list[str]:
        """The text in pieces that no merge may cross: a word with the space before it, digits, or signs."""
        return re.findall(r" ?[^\W\d_]+| ?\d+| ?[^\w\s]+|\s+|_", source)

    def learn(self, source: str, merges: int) -> Iterator[Pair]:
        """Algorithm 1: count pairs within words, merge the most frequent everywhere, repeat."""
        counts = Counter(self.words(source))
        splits = {word: list(word) for word in counts}
        pairs: Counter[Pair] = Counter()
        where: dict[Pair, set[str]] = defaultdict(set)
        for word, n in counts.items():
            for pair in itertools.pairwise(word):
                pairs[pair] += n
                where[pair].add(word)
        for _ in range(merges):
            # best = argmax over pairs of their frequency (ties: the first in alphabetical order)
            best = min(pairs, key=lambda pair: (-pairs[pair], pair))
            self.ranks[best] = len(self.ranks)
            for word in where.pop(best):
                old = splits[word]
                new = splits[word] = merge(old, best)
                for pair in itertools.pairwise(old):
                    pairs[pair] -= counts[word]
                for pair in itertools.pairwise(new):
                    pairs[pair] += counts[word]
                    where[pair].add(word)
            del pairs[best]
            yield best

    def encode(self, source: str) -> list[str]:
        """Tokens of a text: in each word the earliest learned merge first."""
        tokens: list[str] = []
        for word in self.words(source):
            symbols = list(word)
            while len(symbols) > 1:
                best = min(itertools.pairwise(symbols), key=lambda p: self.ranks.get(p, 1 << 30))
                if best not in self.ranks:
                    break
                symbols = merge(symbols, best)
            tokens += symbols
        return tokens


def merge(symbols: list[str], pair: Pair) -> list[str]:
    """Every `pair` of neighbours becomes one symbol."""
    out: list[str] = []
    for symbol in symbols:
        if out and (out[-1], symbol) == pair:
            out[-1] += symbol
            out.append("")  # a merged symbol takes no part in the next pair of this pass
        else:
            out.append(symbol)
    return [symbol for symbol in out if symbol]


def build(config: Config) -> BPE:
    return BPE()


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    source = text("en", config.characters)
    train, held_out = source[: len(source) * 9 // 10], source[len(source) * 9 // 10 :]
    model, every = build(config), max(1, config.merges // 10)
    for done, _ in enumerate(model.learn(train, config.merges), 1):
        if done % every == 0:
            tokens = model.encode(held_out)
            metrics = {"characters a token": len(held_out) / len(tokens), "baseline": 1.0}
            metrics["lossless"] = float("".join(tokens) == held_out)
            yield Step(done, config.merges, metrics, sample="|".join(tokens[40:70]).replace("\n", " "))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
