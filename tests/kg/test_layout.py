from __future__ import annotations

import itertools

import networkx as nx
import pytest

from ailineage.kg import layout
from ailineage.kg.building import Parts
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.layout import Chosen, timeline
from ailineage.kg.model import Claim, Node
from ailineage.kg.vocabulary import Family, Kind, Relation


def node(id: str, date: str | None, family: Family | None = Family.TRANSFORMER, kind: Kind = Kind.MODEL) -> Node:
    return Node(id, kind, {"en": id, "zh": id}, family=family, date=date)


def builds(child: str, parent: str) -> Claim:
    fields = {"document": "d", "start": 0, "end": 1, "text": "x", "extractor": "test", "confidence": 1.0}
    return Claim.make(subject=child, relation=Relation.BUILDS_ON, object=parent, **fields)


def graph_of(nodes: list[Node], *steps: tuple[str, str]) -> KnowledgeGraph:
    return KnowledgeGraph(nodes, [builds(child, parent) for parent, child in steps], [])


@pytest.fixture
def three() -> KnowledgeGraph:
    nodes = [node("a", "2014"), node("b", "2017-06-12"), node("c", "2018-10"), node("alone", "1990")]
    return graph_of(nodes, ("a", "b"), ("b", "c"), ("a", "c"))


def test_a_step_that_others_imply_is_left_out_and_counted(three: KnowledgeGraph) -> None:
    drawn = timeline(three)
    assert drawn.steps == (("a", "b"), ("b", "c"))
    assert (drawn.implied, drawn.unrelated, drawn.filtered, drawn.undated) == (1, 1, 0, 0)


def test_time_runs_to_the_right(three: KnowledgeGraph) -> None:
    x = {placed.id: placed.x for placed in timeline(three).nodes}
    assert 0 <= x["a"] < x["b"] < x["c"] <= layout.WIDTH


def test_what_is_not_chosen_is_counted_and_its_step_is_not_lost(three: KnowledgeGraph) -> None:
    drawn = timeline(three, Chosen(first=2018))
    assert [placed.id for placed in drawn.nodes] == ["c"]
    assert drawn.filtered == 2
    assert timeline(three, Chosen(kinds=frozenset({Kind.PAPER}))).nodes == ()
    assert len(timeline(three, Chosen(families=frozenset({Family.TRANSFORMER}))).nodes) == 3


def test_undated_and_oddly_dated_nodes_are_counted() -> None:
    drawn = timeline(graph_of([node("a", None), node("b", "c. 1950"), node("c", "1950")], ("a", "c"), ("b", "c")))
    assert [placed.id for placed in drawn.nodes] == ["c"]
    assert drawn.undated == 2


def test_what_is_older_than_the_axis_stands_before_it() -> None:
    drawn = timeline(graph_of([node("old", "1805"), node("new", "1958")], ("old", "new")))
    years = dict(drawn.ticks)
    x = {placed.id: placed.x for placed in drawn.nodes}
    assert x["old"] < years[str(layout.FIRST)] < x["new"]


def test_a_step_to_a_node_that_is_not_there_is_passed_over() -> None:
    drawn = timeline(graph_of([node("a", "2000"), node("b", "2001")], ("a", "b"), ("gone", "b")))
    assert drawn.steps == (("a", "b"),)


def test_contradicting_steps_make_no_circle() -> None:
    drawn = timeline(graph_of([node("a", "2000"), node("b", "2001")], ("a", "b"), ("b", "a")))
    assert drawn.steps == (("a", "b"),)


def test_nodes_of_a_row_do_not_touch_and_lanes_do_not_overlap(shipped: object) -> None:
    graph = Parts(shipped).graph()  # type: ignore[arg-type]
    drawn = timeline(graph)
    rows: dict[float, list[float]] = {}
    for placed in drawn.nodes:
        rows.setdefault(placed.y, []).append(placed.x)
    for xs in rows.values():
        xs.sort()
        assert all(right - left >= 12 for left, right in itertools.pairwise(xs))
    ends = [(lane.top, lane.top + lane.rows) for lane in drawn.lanes]
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(ends))
    assert nx.is_directed_acyclic_graph(nx.DiGraph(drawn.steps))


def test_the_branches_meet_in_the_transformer(shipped: object) -> None:
    drawn = timeline(Parts(shipped).graph())  # type: ignore[arg-type]
    level = {placed.id: placed.level for placed in drawn.nodes}
    assert [id for id, size in level.items() if size == 3] == ["transformer"]
    assert all(level[id] == 2 for id in layout.STORY & level.keys() - {"transformer"})


def test_families_have_colours_of_their_own() -> None:
    assert len({layout.hue(family) for family in Family}) == len(Family)
    assert layout.hue(None) is None


def test_single_nodes_and_kinds_of_step_can_be_chosen(three: KnowledgeGraph) -> None:
    assert [placed.id for placed in timeline(three, Chosen(ids=frozenset({"a", "b"}))).nodes] == ["a", "b"]
    assert timeline(three, Chosen(relations=frozenset({Relation.VARIANT_OF}))).nodes == ()
    assert timeline(three, Chosen(relations=frozenset({Relation.BUILDS_ON}))) == timeline(three)
