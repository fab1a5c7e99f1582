"""A process that holds a graph's triples and answers queries, so that one that runs too long can be stopped.

It reads the triples (N-Triples, after a line with their length in bytes), then a query a line as a JSON object, and
writes a JSON object a line. It ends when its input does, and so never outlives the process that started it.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pyoxigraph as ox


class Worker:
    """The process, seen from the one that asks."""

    def __init__(self, triples: bytes) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._replies: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._write(b"%d\n%b" % (len(triples), triples))
        self._replies.get()  # loaded: no query's time is spent on it

    def ask(self, query: str, rows: int, seconds: float) -> dict[str, Any] | None:
        """The reply to a query; None if there was none in time, and then the process has been stopped."""
        self._write(json.dumps({"query": query, "rows": rows}).encode() + b"\n")
        try:
            line = self._replies.get(timeout=seconds)
        except queue.Empty:
            self.stop()
            return None
        return json.loads(line) if line else {"error": "the process that answers queries has ended"}

    def stop(self) -> None:
        """End the process now."""
        self._process.kill()
        self._process.wait()

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._replies.put(line)
        self._replies.put(b"")

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died; the listener says so


def answer(store: ox.Store, query: str, rows: int) -> dict[str, Any]:
    """Columns, at most `rows` rows of strings, and whether more were cut; or the parser's error."""
    try:
        result = store.query(query)
    except SyntaxError as error:
        return {"error": str(error)}
    if isinstance(result, ox.QueryBoolean):
        return {"columns": ["answer"], "rows": [[str(bool(result)).lower()]], "cut": False}
    found: list[list[str | None]] = []
    lines: Iterator[list[str | None]]
    if isinstance(result, ox.QueryTriples):
        columns = ["subject", "predicate", "object"]
        lines = ([str(triple.subject), str(triple.predicate), str(triple.object)] for triple in result)
    else:
        columns = [variable.value for variable in result.variables]
        lines = ([None if term is None else getattr(term, "value", str(term)) for term in row] for row in result)
    for line in lines:
        if len(found) == rows:
            return {"columns": columns, "rows": found, "cut": True}
        found.append(line)
    return {"columns": columns, "rows": found, "cut": False}


def main() -> None:
    """Serve queries from standard input."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    store = ox.Store()
    store.bulk_load(source.read(int(source.readline())), format=ox.RdfFormat.N_TRIPLES)
    sink.write(b"{}\n")
    sink.flush()
    for line in source:
        sink.write(json.dumps(answer(store, **json.loads(line))).encode() + b"\n")
        sink.flush()


if __name__ == "__main__":
    main()
