"""The graph knows an implementation by its node's id alone; here the two sides are compared."""

from __future__ import annotations

import ailineage
from ailineage.corpus import library
from ailineage.models.reference import implementations


def test_every_implementation_belongs_to_a_node_of_the_library() -> None:
    known = library.load().articles
    assert [item.id for item in implementations().values() if item.node not in known] == []


def test_a_node_has_at_most_one_implementation_and_the_engine_finds_it() -> None:
    engine = ailineage.open()
    nodes = [item.node for item in implementations().values()]
    assert len(nodes) == len(set(nodes))
    assert engine.implementation_of("perceptron") == "perceptron"
    assert engine.implementation_of("openai") is None


def test_what_was_never_published_leads_to_the_nearest_published_design() -> None:
    engine = ailineage.open()
    assert engine.nearest_implementation("sora") == "dit"
    assert engine.nearest_implementation("perceptron") is None
    known = library.load().articles
    for item in implementations().values():
        for node in item.nearest_to:
            assert node in known
            assert engine.implementation_of(node) is None


def test_a_difference_in_code_names_both_files() -> None:
    text = ailineage.open().diff("transformer", "gpt1")
    assert text.startswith("--- transformer.py\n+++ gpt1.py\n")
