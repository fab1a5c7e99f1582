"""One table over the registry of reference implementations: every file keeps the contract."""

from __future__ import annotations

import ast
import sys
import time
from typing import Any

import numpy as np
import pytest

from ailineage.models.reference import Implementation, Step, diff, implementations, parameter_count, steps

ALL = list(implementations().values())
TINY_SECONDS = 20
"""A tiny run takes about a second; machines that run tests are busy."""
DEMO_SECONDS = 180
"""A demonstration takes a minute at most on two free cores."""

OURS = {"ailineage.models.reference", "ailineage.models.reference.data"}
LIBRARIES = {"numpy", "torch"}
DATA_ONLY = {"sklearn.datasets", "skimage.data", "skimage"}

every = pytest.mark.parametrize("item", ALL, ids=lambda item: item.id)


def _imports(item: Implementation) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(item.source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def _same(one: Step, two: Step) -> bool:
    pictures = (one.picture is None) == (two.picture is None) and np.array_equal(one.picture, two.picture)
    numbers = dict(one.metrics) == pytest.approx(dict(two.metrics), nan_ok=True, rel=1e-6)
    return (one.done, one.total, one.sample) == (two.done, two.total, two.sample) and numbers and pictures


def test_there_are_implementations() -> None:
    assert {"perceptron", "mcculloch_pitts"} <= set(implementations())


@every
def test_metadata_is_complete_in_both_languages(item: Implementation) -> None:
    for words in (item.title, item.demo.task):
        assert set(words) == {"en", "zh"}
        assert all(words.values())
    assert any("一" <= c <= "鿿" for c in item.demo.task["zh"])
    assert 1800 <= item.year <= 2026
    assert item.paper["title"]
    assert item.demo.metric
    assert item.demo.baseline
    assert item.demo.margin >= 0
    assert item.node == item.id.replace("_", "-")


@every
def test_parents_are_implemented_and_not_younger(item: Implementation) -> None:
    for parent in item.parents:
        assert implementations()[parent].year <= item.year
        assert diff(implementations()[parent], item)


@every
def test_file_is_one_short_readable_room(item: Implementation) -> None:
    tree = ast.parse(item.source)
    assert item.source.startswith('r"""')
    assert len(ast.get_docstring(tree) or "") > 100
    assert len(item.source.splitlines()) < 400
    names = [n.name for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    assert {"Config", "build", "run"} <= set(names)
    assert "__main__" in item.source


@every
def test_imports_are_on_the_list(item: Implementation) -> None:
    for name in _imports(item):
        first = name.split(".")[0]
        parent = name.removeprefix("ailineage.models.reference.")
        assert (
            first in sys.stdlib_module_names
            or first in LIBRARIES
            or name in DATA_ONLY
            or name in OURS
            or parent in implementations()
        ), f"{item.id} imports {name}"


@every
def test_presets_have_the_published_parameter_counts(item: Implementation) -> None:
    presets = item.load().PRESETS
    assert set(presets) == set(item.presets)
    if presets:
        import torch

        for name, config in presets.items():
            with torch.device("meta"):
                model = item.load().build(config)
            assert parameter_count(model) == item.presets[name], name


@every
def test_tiny_run_finishes_in_time_and_repeats_itself(item: Implementation) -> None:
    import torch

    item.load()
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]
    start = time.perf_counter()
    first = list(steps(item, seed=3, tiny=True))
    assert time.perf_counter() - start < TINY_SECONDS
    _check(item, first)
    again = list(steps(item, seed=3, tiny=True))
    assert len(first) == len(again)
    assert all(map(_same, first, again))
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == np.random.get_state()[1].tolist()  # type: ignore[index]


def _check(item: Implementation, found: list[Step]) -> None:
    last: Any = found[-1]
    assert last.done == last.total
    assert [s.done for s in found] == sorted(s.done for s in found)
    assert item.demo.metric in last.metrics
    assert "baseline" in last.metrics
    for step in found:
        assert all(isinstance(float(value), float) for value in step.metrics.values())
        if step.picture is not None:
            assert step.picture.dtype == np.uint8
            assert step.picture.ndim in (2, 3)


@pytest.mark.demo
@every
def test_demonstration_reaches_its_target_and_beats_its_baseline(item: Implementation) -> None:
    item.load()
    start = time.perf_counter()
    found = list(steps(item))
    assert time.perf_counter() - start < DEMO_SECONDS
    _check(item, found)
    assert item.demo.reached(found[-1].metrics), dict(found[-1].metrics)
