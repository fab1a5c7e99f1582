"""Which of the base's 262,144 tokens the fast runtime keeps: a third of the time of writing goes into the others.

vocabulary.npz lists them. Kept are special tokens, bytes, the characters of Latin and GB 2312 text, what the library's
articles are made of, and the most frequent tokens of English and Chinese letters up to 48,000; and of each the tokens
it is joined from, so that text is cut as before. Any other text still passes, byte by byte.

`python -m ailineage.models.decoder.vocabulary` makes the list anew from the library.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("vocabulary.npz")
SIZE = 48_000
_FIRST = 494
"""Special tokens and the 256 bytes come before this id."""
_LETTERS = re.compile(r"\u2581?(?:[A-Za-z]+|[\u4e00-\u9fff]+)")
_BLANKS = re.compile(r"[\n\t \u2581]+")


@cache
def kept() -> NDArray[np.int64]:
    """The ids that are kept, ascending."""
    with np.load(FILE) as table:
        return np.cumsum(table["steps"].astype(np.int64))


def choose(tokens: Sequence[str], ranks: Sequence[float], used: Iterable[int], size: int = SIZE) -> list[int]:
    """The ids to keep.

    Args:
        tokens: the vocabulary by id; a blank is U+2581.
        ranks: the tokenizer's scores by id; the pair whose whole has the highest is joined first.
        used: ids that occur in the texts that matter.
        size: how many to keep, if `used` and what must be kept leave room.
    """
    ids = {token: id for id, token in enumerate(tokens)}
    keep: set[int] = set(range(_FIRST))
    wanted = [*used, *(id for id, token in enumerate(tokens) if _wanted(token))]
    common = (id for id, token in enumerate(tokens) if _LETTERS.fullmatch(token))  # ids go by frequency
    for id in wanted:
        keep.update(_joined(tokens[id], ids, ranks), (id,))
    for id in common:
        if len(keep) >= size:
            break
        keep.update(_joined(tokens[id], ids, ranks), (id,))
    return sorted(keep)


def _wanted(token: str) -> bool:
    """Characters that any text of ours may hold, and runs of blanks."""
    if len(token) != 1:
        return bool(_BLANKS.fullmatch(token))
    code = ord(token)
    if 0x4E00 <= code < 0xA000:
        try:
            token.encode("gb2312")
        except UnicodeEncodeError:
            return False
        return True
    return code < 0x250 or 0x370 <= code < 0x400 or 0x2000 <= code < 0x2C00 or 0x3000 <= code < 0x3040 or code > 0xFEFF


def _joined(token: str, ids: Mapping[str, int], ranks: Sequence[float]) -> Iterator[int]:
    """The tokens that a token is joined from, step by step, the best pair first; single characters too."""
    parts = list(token)
    yield from (ids[part] for part in parts if part in ids)
    while len(parts) > 1:
        pairs = [(ranks[ids[a + b]], -n) for n, (a, b) in enumerate(pairwise(parts)) if a + b in ids]
        if not pairs:
            return
        at = -max(pairs)[1]
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
        yield ids[parts[at]]


def main(gguf: str) -> None:
    """Choose anew from the library's texts and write vocabulary.npz.

    Args:
        gguf: the base's file; a folder that transformers reads stands beside it.
    """
    from gguf import GGUFReader
    from transformers import AutoTokenizer

    from ailineage.kg.building import Parts, library

    fields = GGUFReader(gguf).fields
    tokens, ranks = (fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "scores"))
    tokenizer = AutoTokenizer.from_pretrained(Path(gguf).with_name("transformers"))
    used: set[int] = set()
    for document in Parts(library()).graph().documents.values():
        used.update(tokenizer(document.text, add_special_tokens=False)["input_ids"])
    ids = np.array(choose(tokens, ranks, sorted(used)), np.int64)
    np.savez_compressed(FILE, steps=np.diff(ids, prepend=0).astype(np.uint32))
    print(f"{len(used)} tokens in the library, {len(ids)} kept")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
