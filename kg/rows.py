"""A table of records on disk, one JSON object a line, in which a record is found by its id without reading the rest.

<name>.jsonl        the records, in order, each with a field `id`
<name>.ids.npy      their ids in UTF-8, sorted (N,)
<name>.places.npy   for each id the characters of its line in the file, first and last + 1 (N, 2)

Opening maps the three into memory and reads nothing; nothing in them is executable.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import orjson

T = TypeVar("T")


def write(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write records to `path`, and beside it where each of them is."""
    ids: list[bytes] = []
    ends = [0]
    with path.open("wb") as stream:
        for record in records:
            ends.append(ends[-1] + stream.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)))
            ids.append(record["id"].encode())
    names = np.array(ids, np.bytes_)
    order = np.argsort(names, kind="stable")
    places = np.column_stack([ends[:-1], ends[1:]]).astype(np.int64)
    np.save(path.with_suffix(".ids.npy"), names[order], allow_pickle=False)
    np.save(path.with_suffix(".places.npy"), places[order], allow_pickle=False)


class Rows(Mapping[str, T]):
    """A table opened for reading, in the order written; what has been read once is kept in memory."""

    def __init__(self, path: Path, decode: Callable[[dict[str, Any]], T]) -> None:
        self._decode = decode
        self._ids, self._places = (
            np.load(path.with_suffix(suffix), mmap_mode="r", allow_pickle=False)
            for suffix in (".ids.npy", ".places.npy")
        )
        with path.open("rb") as stream:
            self._bytes = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if len(self._ids) else b""
        self._kept: dict[str, T] = {}
        self._whole = False

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, id: str) -> T:
        found = self._kept.get(id)
        if found is not None or self._whole:
            return self._kept[id] if found is None else found
        key = id.encode()
        at = int(np.searchsorted(self._ids, key))
        if at == len(self) or self._ids[at] != key:
            raise KeyError(id)
        return self._kept.setdefault(id, self._read(*self._places[at].tolist()))

    def __iter__(self) -> Iterator[str]:
        """The ids; all records are read."""
        if not self._whole:
            kept = self._kept
            places = self._places[np.argsort(self._places[:, 0])].tolist()
            ids = self._ids[np.argsort(self._places[:, 0])].tolist()
            self._kept = {
                (id := name.decode()): kept.get(id) or self._read(*place)
                for name, place in zip(ids, places, strict=True)
            }
            self._whole = True
        return iter(self._kept)

    def _read(self, start: int, end: int) -> T:
        return self._decode(orjson.loads(self._bytes[start:end]))
