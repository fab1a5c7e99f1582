"""BM25 over the words of two languages, by bm25s.

A question and a passage are cut into words by the same tokeniser: Chinese by jieba, which knows the names of the
graph, English by words and their stems. A model name such as GPT-2 or ViT-B/16 is one word and also its parts.

References:
    Lù, "BM25S: Orders of magnitude faster lexical search via eager sparse scoring", arXiv 2407.03618.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson
from numpy.typing import NDArray

from ailineage.errors import WorkspaceError

_RUN = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+(?:[\-‐‑–./+'’][^\W_\u3400-\u9fff]+)*\+*")
_PART = re.compile(r"[^\W\d_]+|\d+")
_NAMES, _BM25 = "lexical.names.json", "bm25"
_STOP_EN = frozenset(
    "a about an and any are as at be been but by can did do does for from had has have how i if in into is it its me "
    "of on or s so such that the their them then there these they this to was were what when where which who whom "
    "whose why will with would you your".split()
)
_STOP_ZH = frozenset(
    "的 了 是 在 和 与 及 或 也 都 就 而 着 被 把 从 到 对 为 以 于 之 其 这 那 这个 那个 它 他 她 我 你 吗 呢 吧 啊 "
    "什么 怎么 如何 哪 哪些 哪个 哪一 多少 几 谁 为什么 一个 一种 有 请 请问 介绍 一下 啥".split()
)


class Tokenizer:
    """Cuts texts into words for BM25.

    Args:
        names: names that stay whole; the Chinese ones are made known to jieba.
        cache: folder for jieba's prepared dictionary; the system's temporary folder if None.

    Example:
        >>> Tokenizer().words("GPT-2 uses Transformers")
        ['gpt2', 'gpt', '2', 'use', 'transform']
    """

    def __init__(self, names: Iterable[str] = (), cache: Path | None = None) -> None:
        found = {run for name in names for run in re.findall(r"[\u3400-\u9fff]{2,}", name)}
        self.names = sorted(found)
        self.cache = cache
        self._stems: dict[str, str] = {}

    def words(self, text: str) -> list[str]:
        """The words of a text in order; a name with its parts after it."""
        text = unicodedata.normalize("NFKC", text).casefold()
        words: list[str] = []
        for run in _RUN.findall(text):
            if "\u3400" <= run[0] <= "\u9fff":
                words += [word for word in self._jieba.cut_for_search(run) if word not in _STOP_ZH]
            elif run not in _STOP_EN:
                words += self._latin(run)
        return words

    def cut(self, text: str) -> list[str]:
        """A Chinese text in words, none left out."""
        return list(self._jieba.cut(text))

    def ordinary(self, text: str) -> bool:
        """Whether a Chinese text is made of words of the dictionary alone."""
        return all(self._jieba.FREQ.get(word, 0) > 0 for word in self.cut(text))

    def latin(self, text: str) -> set[str]:
        """The words of a text that are not Chinese."""
        runs = _RUN.findall(unicodedata.normalize("NFKC", text).casefold())
        return {word for run in runs if not "\u3400" <= run[0] <= "\u9fff" for word in self._latin(run)}

    def _latin(self, run: str) -> list[str]:
        run = re.sub(r"['’]s$", "", run)
        parts = _PART.findall(run)
        if len(parts) == 1:
            return [self._stem(parts[0])] + ([run] if run.endswith("+") else [])
        whole = "".join(parts)
        return [whole, *(self._stem(part) for part in parts)]

    def _stem(self, word: str) -> str:
        if (stem := self._stems.get(word)) is None:
            stem = self._stems[word] = self._stemmer.stemWord(word)
        return stem

    @cached_property
    def _stemmer(self) -> Any:
        import Stemmer

        return Stemmer.Stemmer("english")

    @cached_property
    def _jieba(self) -> Any:
        """A jieba of our own: silent, with our names, its dictionary kept in our cache."""
        import logging
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in its source
            import jieba

        jieba.setLogLevel(logging.ERROR)
        cutter = jieba.Tokenizer()
        if self.cache is not None:
            self.cache.mkdir(parents=True, exist_ok=True)
            cutter.tmp_dir = str(self.cache)
        cutter.initialize()
        for name in self.names:
            cutter.add_word(name)
        return cutter


class LexicalIndex:
    """BM25 scores of a fixed set of texts. Positions count from 0 in the order given to `build`."""

    def __init__(self, tokenizer: Tokenizer, model: Any, size: int) -> None:
        self.tokenizer = tokenizer
        self.size = size
        self._model = model

    @classmethod
    def build(cls, texts: Sequence[str], tokenizer: Tokenizer, progress: bool = False) -> Self:
        """Index texts (Lucene's BM25, k1 = 1.2, b = 0.75); with a progress bar on a terminal if asked."""
        import bm25s
        from tqdm import tqdm

        vocabulary: dict[str, int] = {}
        bar = tqdm(texts, desc="words", unit="text", disable=None if progress else True)
        rows = [[vocabulary.setdefault(word, len(vocabulary)) for word in tokenizer.words(text)] for text in bar]
        if not vocabulary:
            return cls(tokenizer, None, len(texts))
        model = bm25s.BM25(k1=1.2, b=0.75)
        model.index((rows, vocabulary), create_empty_token=False, show_progress=False)
        return cls(tokenizer, model, len(texts))

    def scores(self, query: str) -> NDArray[np.float32]:
        """The BM25 score of every text (N,); 0 where no word of the query occurs."""
        if self._model is None:
            return np.zeros(self.size, np.float32)
        words = [word for word in dict.fromkeys(self.tokenizer.words(query)) if word in self._model.vocab_dict]
        if not words:
            return np.zeros(self.size, np.float32)
        scores: NDArray[np.float32] = self._model.get_scores(words)
        return scores

    def knows(self, phrase: str) -> bool:
        """Whether every word of a phrase occurs somewhere in the texts."""
        return self._model is not None and all(word in self._model.vocab_dict for word in self.tokenizer.words(phrase))

    def rarity(self, word: str) -> float:
        """The idf of a word as cut by the tokeniser, at least 0; that of the rarest word if it does not occur."""
        if self._model is None:
            return 0.0
        count = len(self.holding(word))
        return float(np.log(1 + (self.size - count + 0.5) / (count + 0.5)))

    def holding(self, word: str) -> NDArray[np.integer]:
        """The numbers of the texts that hold a word as cut by the tokeniser."""
        number = None if self._model is None else self._model.vocab_dict.get(word)
        if number is None:
            return np.zeros(0, np.int64)
        pointers, texts = self._model.scores["indptr"], self._model.scores["indices"]
        found: NDArray[np.integer] = texts[pointers[number] : pointers[number + 1]]
        return found

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        if self._model is not None:
            self._model.save(str(folder / _BM25), show_progress=False)
        table = {"names": self.tokenizer.names, "size": self.size}
        (folder / _NAMES).write_bytes(orjson.dumps(table))

    @classmethod
    def load(cls, folder: Path, cache: Path | None = None) -> Self:
        """Open a saved index; its tables stay in their files and are mapped into memory.

        Raises:
            WorkspaceError: if the files are missing or damaged.
        """
        import bm25s

        try:
            table = orjson.loads((folder / _NAMES).read_bytes())
            tokenizer = Tokenizer(table["names"], cache)
            model = None
            if (folder / _BM25).exists():
                model = bm25s.BM25.load(str(folder / _BM25), mmap=True, load_corpus=False, allow_pickle=False)
            return cls(tokenizer, model, table["size"])
        except (OSError, ValueError, KeyError, TypeError):
            raise WorkspaceError(f"{folder}: the word index is missing or damaged; run `ailineage build`") from None
