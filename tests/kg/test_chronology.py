from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailineage.errors import UsageError
from ailineage.kg import chronology
from ailineage.kg.chronology import Period
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.vocabulary import Kind, Relation

DATES = st.dates().map(str)
ISO = st.one_of(DATES, DATES.map(lambda d: d[:7]), DATES.map(lambda d: d[:4]))


@pytest.mark.parametrize(
    ("one", "other", "before", "during"),
    [
        ("2017-06-12", "2018", True, False),
        ("2017-06-12", "2017", False, True),
        ("2017", "2017-06", False, False),
        ("2017-06", "2017-06", False, True),
        ("2016", "2015/2017-03", False, True),
    ],
)
def test_relations_at_the_precision_known(one: str, other: str, before: bool, during: bool) -> None:
    assert Period.of(one).before(Period.of(other)) is before
    assert Period.of(one).during(Period.of(other)) is during


@given(ISO, ISO)
def test_exactly_one_of_before_after_overlap_holds(one: str, other: str) -> None:
    a, b = Period.of(one), Period.of(other)
    assert [a.before(b), b.before(a), a.overlaps(b)].count(True) == 1
    if a.during(b):
        assert a.overlaps(b)


@pytest.mark.parametrize("text", ["", "17", "2017-13", "2017-02-30", "May 2017", "2018/2017", "2017-6"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Period.of(text)


def test_a_timeline_is_in_order_and_a_window_cuts_it(small_graph: KnowledgeGraph) -> None:
    models = [node.id for node in chronology.timeline(small_graph) if node.id in ("seq", "trans", "bert")]
    assert models == ["seq", "trans", "bert"]
    assert "trans" in {node.id for node in chronology.timeline(small_graph, "2017")}
    assert "bert" not in {node.id for node in chronology.timeline(small_graph, "2017")}
    assert {node.id for node in chronology.before(small_graph, "2017-06-12")} >= {"seq", "google"}
    assert "trans" not in {node.id for node in chronology.before(small_graph, "2017-06-12")}


def test_the_field_as_it_stood(small_graph: KnowledgeGraph) -> None:
    then = chronology.as_of(small_graph, "2017-12")
    assert {"seq", "trans"} <= set(then.nodes)
    assert "bert" not in then.nodes
    assert all(claim.subject in then.nodes for claim in then.claims.values())
    assert list(then.lineage.edges) == [("seq", "trans")]


def test_no_child_is_older_than_its_parent(small_graph: KnowledgeGraph) -> None:
    assert list(chronology.anachronisms(small_graph)) == []


def test_an_anachronism_is_reported_unless_a_reason_is_given() -> None:
    nodes = [Node("old", Kind.MODEL, {"en": "Old"}, date="2010"), Node("new", Kind.MODEL, {"en": "New"}, date="2005")]
    claim = Claim.make(
        subject="new",
        relation=Relation.BUILDS_ON,
        object="old",
        document="d",
        start=0,
        end=1,
        text="x",
        extractor="e",
        confidence=1.0,
    )
    graph = KnowledgeGraph(nodes, [claim], [])
    (line,) = chronology.unexplained(graph, ())
    assert line == "new (2005) is dated before its parent old (2010); see d"
    assert chronology.unexplained(graph, {("old", "new")}) == []


def test_a_malformed_date_counts_as_none() -> None:
    graph = KnowledgeGraph([Node("a", Kind.MODEL, {"en": "A"}, date="| ICLR")], [], [])
    assert chronology.timeline(graph) == []
