"""Runnable reference implementations: the contract each file keeps, and the registry that lists them.

One file is one implementation. It holds, in this order:

    METADATA    a literal dict: node, titles, year, paper, parents, demo, presets, and the nodes it is `nearest_to`,
                whose own design was never published; read here without importing the file
    Config      a frozen dataclass, one comment a field
    the model   plain PyTorch (NumPy where history is older), each line under the paper's equation it computes
    TINY        a Config that runs in about a second, for tests
    PRESETS     the published configurations by name; METADATA["presets"] gives their parameter counts
    build(config)               the model, freshly initialised
    run(config, seed, tiny)     the demonstration: a generator of `Step`

Listing reads the METADATA of every file from its syntax tree, so that no torch is imported.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

_FOLDER = Path(__file__).parent
_SHARED = frozenset({"__init__", "data", "weights"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a demonstration, as it streams to a terminal, a page or a test.

    `done` of `total` units of work are finished; `metrics` are numbers so far; `sample` is text to show;
    `picture` is an (H, W) or (H, W, 3) uint8 array. The last step's metrics hold the demo's metric and `baseline`.
    """

    done: int
    total: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    sample: str | None = None
    picture: Any = None


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demonstration shows and when it counts as reached.

    The metric must reach `target` (at least, or at most where `lower`) and beat the baseline by `margin`.
    """

    task: Mapping[str, str]
    metric: str
    target: float
    baseline: str
    margin: float
    lower: bool = False

    def reached(self, metrics: Mapping[str, float]) -> bool:
        """Whether the last step's metrics reach the target and beat the baseline."""
        value, baseline = metrics[self.metric], metrics["baseline"]
        if self.lower:
            return value <= self.target and baseline - value >= self.margin
        return value >= self.target and value - baseline >= self.margin


@dataclass(frozen=True, slots=True)
class Implementation:
    """One registered file, described without importing it."""

    id: str
    node: str
    title: Mapping[str, str]
    year: int
    paper: Mapping[str, str]
    parents: tuple[str, ...]
    demo: Demo
    presets: Mapping[str, int]
    path: Path
    nearest_to: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The file's text."""
        return self.path.read_text(encoding="utf-8")

    def load(self) -> ModuleType:
        """Import the file; the first import of a torch implementation takes seconds."""
        return importlib.import_module(f"{__name__}.{self.id}")


@cache
def implementations() -> Mapping[str, Implementation]:
    """All implementations by id, in order of year and id."""
    found = [_describe(path) for path in sorted(_FOLDER.glob("*.py")) if path.stem not in _SHARED]
    return {item.id: item for item in sorted(found, key=lambda item: (item.year, item.id))}


def _describe(path: Path) -> Implementation:
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", None) == "METADATA":
            table = ast.literal_eval(statement.value)
            break
    else:
        raise ValueError(f"{path} has no METADATA literal")
    return Implementation(
        id=path.stem,
        path=path,
        demo=Demo(**table.pop("demo")),
        parents=tuple(table.pop("parents")),
        nearest_to=tuple(table.pop("nearest_to", ())),
        **table,
    )


def diff(parent: Implementation, child: Implementation) -> str:
    """What the child's code changes against the parent's, as a unified diff of the two sources."""
    lines = difflib.unified_diff(
        parent.source.splitlines(), child.source.splitlines(), parent.path.name, child.path.name, lineterm=""
    )
    return "\n".join(lines)


def parameter_count(model: Any) -> int:
    """Trainable numbers of a torch module, each shared tensor once; works on the meta device."""
    return sum(parameter.numel() for parameter in model.parameters())


def main(file: str, argv: list[str] | None = None) -> int:
    """Run a file's demonstration in the terminal: what `python models/reference/<id>.py [--tiny] [--seed N]` does."""
    arguments = sys.argv[1:] if argv is None else argv
    item = implementations()[Path(file).stem]
    seed = int(arguments[arguments.index("--seed") + 1]) if "--seed" in arguments else 0
    print(f"{item.title['en']} ({item.year}): {item.demo.task['en']}")
    last: Mapping[str, float] = {}
    for step in steps(item, seed=seed, tiny="--tiny" in arguments):
        last = step.metrics or last
        numbers = "  ".join(f"{name} {value:.4g}" for name, value in step.metrics.items())
        print(f"[{step.done:>5}/{step.total}] {numbers}" + (f"\n{step.sample}" if step.sample else ""), flush=True)
    verdict = "reached" if item.demo.reached(last) else "missed"
    print(f"{item.demo.metric} {last[item.demo.metric]:.4g}, target {item.demo.target:.4g}: {verdict}")
    return 0


def steps(item: Implementation, seed: int = 0, tiny: bool = False) -> Iterator[Step]:
    """The steps of an implementation's demonstration; `tiny` runs the second-long version that tests use."""
    module = item.load()
    yield from module.run(module.TINY if tiny else module.Config(), seed=seed)
