"""The passages of an index: where each stands, so that they need not be cut from the documents again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from ailineage.corpus.passages import Passage
from ailineage.errors import WorkspaceError
from ailineage.retrieval.known import Keys

_ROWS, _KEYS = "passages.jsonl", "passages.keys.npy"


@dataclass(frozen=True, slots=True)
class Row:
    """A passage: characters `start` to `end` of a document; `node` is the node it is about, if it is known."""

    document: str
    start: int
    end: int
    title: str
    language: str
    node: str | None


def indexed_text(passage: Passage) -> str:
    """What of a passage is embedded and searched: its title, the headings above it, and its text."""
    place = f"{passage.title} / {passage.heading}" if passage.heading else passage.title
    return f"{place}\n{passage.text}"


def save(rows: Sequence[Row], keys: Keys, folder: Path) -> None:
    """Write the table, and the keys under which the vectors of its rows are known."""
    with (folder / _ROWS).open("wb") as stream:
        for row in rows:
            values = (row.document, row.start, row.end, row.title, row.language, row.node)
            stream.write(orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE))
    np.save(folder / _KEYS, keys, allow_pickle=False)


def load(folder: Path) -> list[Row]:
    """Read the table.

    Raises:
        WorkspaceError: if it is missing or damaged.
    """
    try:
        with (folder / _ROWS).open("rb") as stream:
            return [Row(*orjson.loads(line)) for line in stream]
    except (OSError, orjson.JSONDecodeError, TypeError):
        raise WorkspaceError(f"{folder}: the passage table is missing or damaged; run `ailineage build`") from None


def load_keys(folder: Path) -> Keys:
    """Read the keys of the rows.

    Raises:
        OSError, ValueError: if they are missing or damaged.
    """
    keys: Keys = np.load(folder / _KEYS, allow_pickle=False)
    return keys
