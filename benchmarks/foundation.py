"""Time and peak memory of each step on this machine, in a fresh workspace: `python benchmarks/foundation.py`.

Each step is a process of its own, as a user would start it; peak memory is the largest resident set of that process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ailineage --help", ("--help",)),
    ("build, first", ("build",)),
    ("build, nothing changed", ("build",)),
    ("search, one question", ("search", "attention mechanism")),
    ("ask without the decoder", ("ask", "Who proposed the perceptron?", "--no-model")),
    ("ask, first (converts weights)", ("ask", "How did the Transformer lead to SAM?")),
    ("ask, again", ("ask", "BERT 和 GPT 有什么区别？")),
    ("lineage", ("lineage", "transformer", "sam")),
    ("export turtle", ("export", "-o", os.devnull)),
)


def measure(arguments: tuple[str, ...], workspace: str) -> tuple[float, float]:
    """Wall seconds and peak MiB of one command.

    Raises:
        RuntimeError: if the command fails.
    """
    shared = () if arguments == ("--help",) else ("--workspace", workspace)
    command = [sys.executable, "-m", "ailineage.cli", *arguments, *shared]
    code = (
        "import resource, subprocess, sys; r = subprocess.run(sys.argv[1:], stdout=-3, stderr=-3);"
        "print(r.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=True)
    wall = time.perf_counter() - began
    status, peak = map(int, done.stdout.split())
    if status:
        raise RuntimeError(f"{' '.join(arguments)} failed with {status}")
    return wall, peak / 1024


def main() -> None:
    """Print the table."""
    sys.stdout.write(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
    with tempfile.TemporaryDirectory() as folder:
        workspace = str(Path(folder) / "workspace")
        for name, arguments in STEPS:
            wall, peak = measure(arguments, workspace)
            sys.stdout.write(f"{name:32} {wall:7.2f} s {peak:7.0f} MiB\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
