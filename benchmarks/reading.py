"""How fast documents are read, by one process and by several: `python benchmarks/reading.py [--megabytes 8]`.

The texts are the library's articles, a document each, over and over, with every copy told apart by its first line. Each
way reads the same files; the files are read from disk, and what is measured is all that `build` does before embedding.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import resource
import tempfile
import time
from itertools import cycle
from pathlib import Path

from joblib.externals.loky import get_reusable_executor

from ailineage.corpus import library as authored_library
from ailineage.corpus.library import Library
from ailineage.kg import authored
from ailineage.kg.building import Parts


def write(folder: Path, articles: Library, size: int) -> dict[Path, str]:
    """Files of so many bytes together, about 100 kB each."""
    texts = cycle(document.text for document in authored.read(articles).documents)
    files: dict[Path, str] = {}
    written = 0
    while written < size:
        file = folder / f"{len(files):05}.md"
        parts = [f"Collection {len(files)}"]
        while sum(map(len, parts)) < 80_000:
            parts.append(next(texts))
        data = "\n\n".join(parts).encode()
        file.write_bytes(data)
        written += len(data)
        files[file] = file.name
    return files


def main() -> None:
    """Print megabytes a minute, and the largest memory of any process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=8.0)
    options = parser.parse_args()
    articles = authored_library.load()
    with tempfile.TemporaryDirectory() as folder:
        files = write(Path(folder), articles, int(options.megabytes * 1e6))
        size = sum(file.stat().st_size for file in files) / 1e6
        first = None
        for jobs in (1, 2):
            parts = Parts(authored.read(articles))
            began = time.perf_counter()
            parts.take(extracted for _, extracted in parts.reader().files(files, jobs))
            taken = time.perf_counter() - began
            first = first or taken
            claims = sum(len(extract.claims) for extract in parts.extracts.values())
            print(f"{jobs} processes: {60 * size / taken:6.1f} MB/min, {first / taken:.2f}x   {claims} claims")
    get_reusable_executor().shutdown(wait=True)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest memory: {own:.0f} MiB here, {others:.0f} MiB in a process that read")


if __name__ == "__main__":
    main()
