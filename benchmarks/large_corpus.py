"""A large corpus of a user's own: built, killed half way, resumed and searched, with time and peak memory.

    python benchmarks/large_corpus.py                        # 100,000 passages through the packaged embedder
    python benchmarks/large_corpus.py 1000000 --hashed       # any number, with vectors hashed from words
    python benchmarks/large_corpus.py 1000000 --hashed --whole   # not killed half way

The passages are log entries of made-up training runs; each question asks for one of them in other words. Hashed
vectors cost no time and find only words, but take as much room as real ones: they show memory and latency at sizes
that would take a day to embed here.
"""

# ruff: noqa: T201
from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson

from ailineage.engine import Engine
from ailineage.retrieval.embedding import Vectors
from ailineage.workspace import Workspace

_MODELS = "ResNet-50 ViT-B/16 BERT-base LSTM GPT-2 T5-small U-Net DCGAN WaveNet MobileNet CLIP DeepLab".split()
_PLACES = "Oslo Kyoto Lagos Lima Quito Perth Turin Basel Delft Porto Hanoi Tunis Cusco Davos Ghent".split()
_OPTIMISERS = "Adam SGD RMSprop AdamW Adagrad".split()
_QUESTIONS = 200
_A_FILE = 250_000


class Hashed:
    """An embedder without weights: words hashed into 384 numbers."""

    identity, dimension, piece = "hashed words", 384, 4096

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors (N, 384)."""
        vectors = np.full((len(texts), self.dimension), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in text.casefold().split():
                vectors[row, hash_of(word) % self.dimension] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors (N, 384)."""
        return self.queries(texts)


def hash_of(word: str) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(word.encode()[:8].ljust(8, b"\0"), "little") * 2_654_435_761 % 2**32


def write_corpus(folder: Path, count: int) -> list[tuple[str, str]]:
    """Write the corpus into files below the limit; returns questions with the document that answers each."""
    rng = random.Random(7)
    asked = []
    every = max(count // _QUESTIONS, 1)
    folder.mkdir()
    for first in range(0, count, _A_FILE):
        with (folder / f"runs-{first}.jsonl").open("wb") as stream:
            for number in range(first, min(first + _A_FILE, count)):
                model, place, optimiser = rng.choice(_MODELS), rng.choice(_PLACES), rng.choice(_OPTIMISERS)
                epochs, score, seed = rng.randrange(5, 300), rng.randrange(5000, 9990) / 100, rng.randrange(10**6)
                text = (
                    f"{model} trained in {place} for {epochs} epochs with {optimiser}, seed {seed}, reached {score}%."
                )
                stream.write(orjson.dumps({"id": f"run-{number}", "title": f"Run {number}", "text": text}) + b"\n")
                if number % every == 0:
                    asked.append((f"which {model} run in {place} used seed {seed}?", f"run-{number}"))
    return asked


def engine(home: Path, hashed: bool) -> Engine:
    """An engine over the workspace of the benchmark."""
    opened = Engine(Workspace(home))
    if hashed:
        opened.__dict__["embedder"] = Hashed()
    return opened


def peak() -> float:
    """Peak memory of this process, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def build(home: Path, corpus: Path, hashed: bool) -> None:
    """The child process: build, and say what it took."""
    began = time.perf_counter()
    report = engine(home, hashed).build([corpus], only=True)
    print(f"  {report.passages:,} passages in {time.perf_counter() - began:.0f} s, peak {peak():.2f} GiB", flush=True)


def written(home: Path) -> int:
    """Bytes of vectors that the build has kept so far."""
    return sum(file.stat().st_size for file in home.glob("cache/embedding-*.part"))


def main(arguments: list[str]) -> None:
    """Write, build, kill, resume, search."""
    hashed, whole = "--hashed" in arguments, "--whole" in arguments
    rest = [argument for argument in arguments if not argument.startswith("--")]
    if rest[:1] == ["build"]:
        return build(Path(rest[1]), Path(rest[2]), hashed)
    count = int(rest[0]) if rest else 100_000
    with tempfile.TemporaryDirectory() as folder:
        home, corpus = Path(folder) / "home", Path(folder) / "runs"
        asked = write_corpus(corpus, count)
        size = sum(file.stat().st_size for file in corpus.iterdir())
        print(f"{count:,} passages, {size / 2**20:.0f} MiB", flush=True)
        command = [sys.executable, __file__, "build", str(home), str(corpus), *(["--hashed"] if hashed else [])]
        half = count * (16 + 4 * 384) // 2
        began = time.perf_counter()
        child = subprocess.Popen(command)
        while child.poll() is None and (whole or written(home) < half):
            time.sleep(0.2)
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            kept = written(home) // (16 + 4 * 384)
            print(f"  killed after {time.perf_counter() - began:.0f} s with {kept:,} vectors kept", flush=True)
            began = time.perf_counter()
            subprocess.run(command, check=True)
            print(f"  resumed and done in {time.perf_counter() - began:.0f} s", flush=True)
        elif child.returncode:
            raise SystemExit(child.returncode)
        began = time.perf_counter()
        opened = engine(home, hashed)
        opened.search("warm")
        print(f"  opened and searched once in {time.perf_counter() - began:.1f} s; {opened.retriever.dense.settings}")
        times, hits = [], 0
        for text, document in asked[:_QUESTIONS]:
            began = time.perf_counter()
            found = opened.search(text, k=5)
            times.append(1000 * (time.perf_counter() - began))
            hits += any(evidence.document == document for evidence in found)
        print(
            f"  {hits} of {len(times)} found in the first five; p50 {np.median(times):.0f} ms, "
            f"p95 {np.percentile(times, 95):.0f} ms; peak of searching {peak():.2f} GiB"
        )
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
