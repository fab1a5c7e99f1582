from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ailineage
from ailineage import errors

HEAVY = ("torch", "transformers", "sentence_transformers", "faiss", "streamlit", "rdflib", "networkx", "jieba")


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("code", ["import ailineage", "import ailineage.cli", "import ailineage.corpus.documents"])
def test_importing_is_light(code: str) -> None:
    loaded = python(f"{code}; import sys; print(*(m for m in {HEAVY} if m in sys.modules))")
    assert loaded == ""


def test_every_export_resolves_and_nothing_else_does() -> None:
    for name in ailineage.__all__:
        assert getattr(ailineage, name) is not None
    with pytest.raises(AttributeError):
        _ = ailineage.nonsense
    assert set(ailineage.__all__) <= set(dir(ailineage))


def test_exports_are_sorted() -> None:
    assert list(ailineage.__all__) == sorted(ailineage.__all__, key=lambda name: (name.islower(), name))


def test_every_error_derives_from_the_root_and_is_in_the_tree() -> None:
    drawn = errors.__doc__ or ""
    for name, error in vars(errors).items():
        if isinstance(error, type) and issubclass(error, Exception):
            assert issubclass(error, errors.AilineageError)
            assert name in drawn


def test_the_five_packages_are_one_copy() -> None:
    root = Path(ailineage.__file__).parent
    for package in ("corpus", "kg", "retrieval", "models", "ui"):
        module = __import__(f"ailineage.{package}", fromlist=["x"])
        assert Path(module.__file__).parent == root / package
