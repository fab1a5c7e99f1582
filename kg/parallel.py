"""Read files and extract what they say, by several processes where there is much to read.

A file is one task; of jsonl, which holds many documents, so many documents are. What comes out, and its order, does
not depend on the number of processes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path

from ailineage.corpus.documents import Document, read
from ailineage.kg.extraction import Extract, extract
from ailineage.kg.glossary import vocabulary
from ailineage.kg.model import Node

WORTH = 4 * 2**20
"""Bytes of files from which other processes are worth their start: about ten seconds of reading."""
_TOGETHER = 64  # documents of a jsonl file in a task
_Task = tuple[Path, str] | list[Document]
_worker: Reader


class Reader:
    """What it takes to read documents: the library's nodes, and by id the hashes of texts not to be read again."""

    def __init__(self, nodes: Mapping[str, Node], known: Mapping[str, str] | None = None) -> None:
        self.nodes, self.known = nodes, known or {}
        self.vocabulary = vocabulary(nodes)

    def __reduce__(self) -> tuple[type[Reader], tuple[Mapping[str, Node], Mapping[str, str]]]:
        return Reader, (self.nodes, self.known)

    def read(self, document: Document, without: Collection[str] = ()) -> Extract:
        """What a document says; nothing if it is known. `without` leaves parts of the reading out."""
        if self.known.get(document.id) == document.sha256:
            return Extract(document)
        return extract(document, self.vocabulary.lexicon, self.vocabulary.nodes, without)

    def files(self, files: Mapping[Path, str], jobs: int | None = None) -> Iterator[tuple[int, Extract]]:
        """What the documents in files say, in the order of the files, each with the number of files begun.

        Args:
            files: and the id that each one's document gets.
            jobs: so many processes; as many as are worth their start if None.

        Raises:
            DocumentError: if a file cannot be read.
        """
        jobs = jobs or self.jobs(files)
        tasks = self._tasks(files)
        if jobs == 1:
            for number, task in tasks:
                for extracted in map(self.read, _documents(task)):
                    yield number, extracted
            return
        from joblib import Parallel, delayed

        pool = Parallel(jobs, return_as="generator", idle_worker_timeout=10, initializer=_begin, initargs=(self,))
        for number, extracts in pool(delayed(_read)(number, task) for number, task in tasks):
            for extracted in extracts:
                yield number, extracted

    def jobs(self, files: Mapping[Path, str]) -> int:
        """How many processes are worth their start for these files."""
        if sum(file.stat().st_size for file in files if file.is_file()) < WORTH:
            return 1
        from joblib import cpu_count

        return int(cpu_count())

    def _tasks(self, files: Mapping[Path, str]) -> Iterator[tuple[int, _Task]]:
        for number, (file, id) in enumerate(files.items(), 1):
            if file.suffix.lower() == ".jsonl":
                documents = read(file, id)
                while batch := list(islice(documents, _TOGETHER)):
                    yield number, batch
            else:
                yield number, (file, id)


def _documents(task: _Task) -> Iterator[Document]:
    yield from task if isinstance(task, list) else read(*task)


def _begin(reader: Reader) -> None:
    global _worker
    _worker = reader


def _read(number: int, task: _Task) -> tuple[int, list[Extract]]:
    return number, [_worker.read(document) for document in _documents(task)]
