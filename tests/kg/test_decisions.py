from __future__ import annotations

from pathlib import Path

import pytest

from ailineage.corpus.library import Library
from ailineage.errors import UsageError
from ailineage.kg import authored, store
from ailineage.kg.building import Parts, reopen
from ailineage.kg.decisions import Decision, Verdict, decide
from ailineage.kg.graph import KnowledgeGraph
from tests.kg.test_building import document, stored

FOO = "provisional-foonet"


@pytest.fixture
def read(parts: Parts) -> Parts:
    parts.add([document("b.md"), document("d.md")])
    return parts


def said(graph: KnowledgeGraph, node: str) -> set[tuple[str, str | None]]:
    return {(claim.relation, claim.value or claim.object) for claim in graph.claims_about(node) if not claim.authored}


def decided(parts: Parts, verdict: Verdict, into: str | None = None) -> KnowledgeGraph:
    graph = parts.graph()
    parts.decisions[FOO] = decide(graph, graph.nodes[FOO], verdict, graph.nodes[into] if into else None)
    return parts.graph()


def test_a_confirmed_node_keeps_its_claims_and_is_provisional_no_longer(read: Parts) -> None:
    before = said(read.graph(), FOO)
    graph = decided(read, Verdict.CONFIRMED)
    assert not graph.nodes[FOO].provisional
    assert said(graph, FOO) == before != set()


def test_a_rejected_node_goes_with_its_claims(read: Parts) -> None:
    graph = decided(read, Verdict.REJECTED)
    assert FOO not in graph.nodes
    assert not any(FOO in (claim.subject, claim.object) for claim in graph.claims.values())


def test_a_merged_nodes_claims_are_weighed_against_those_of_the_other(read: Parts) -> None:
    graph = decided(read, Verdict.MERGED, "bert")
    assert FOO not in graph.nodes
    (claim,) = [claim for claim in graph.claims_about("bert") if claim.value == "2019-03-04"]
    assert not claim.preferred
    assert claim.conflicts_with


@pytest.mark.parametrize("verdict", [Verdict.REJECTED, Verdict.MERGED])
def test_a_decision_lasts_and_can_be_taken_back(
    small_library: Library, read: Parts, tmp_path: Path, verdict: Verdict
) -> None:
    undecided = stored(read, tmp_path / "before")
    decided(read, verdict, "bert" if verdict is Verdict.MERGED else None)
    once = stored(read, tmp_path / "after")
    assert once != undecided
    again = reopen(store.load(tmp_path / "after"), tmp_path / "after", Parts(authored.read(small_library)))
    assert stored(again, tmp_path / "again") == once
    again.decisions.clear()
    assert stored(again, tmp_path / "back") == undecided


def test_nodes_merged_into_each_other_do_not_hang(read: Parts) -> None:
    read.decisions = {FOO: Decision(FOO, Verdict.MERGED, FOO)}
    assert FOO not in read.graph().nodes


def test_what_cannot_be_decided_is_said(read: Parts) -> None:
    graph = read.graph()
    foo, bert = graph.nodes[FOO], graph.nodes["bert"]
    for node, verdict, into, message in (
        (bert, Verdict.REJECTED, None, "not provisional"),
        (foo, Verdict.MERGED, None, "needs a node"),
        (foo, Verdict.CONFIRMED, bert, "only then"),
        (foo, Verdict.MERGED, foo, "into itself"),
    ):
        with pytest.raises(UsageError, match=message):
            decide(graph, node, verdict, into)
