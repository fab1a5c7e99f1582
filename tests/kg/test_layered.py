from __future__ import annotations

import networkx as nx
import pytest

from ailineage.kg import layered, lineage
from ailineage.kg.layout import WIDTH
from tests.kg.test_lineage import graph


@pytest.mark.parametrize("seed", range(4))
def test_ancestors_stand_left_and_descendants_right(seed: int) -> None:
    tree = nx.gnp_random_graph(20, 0.15, seed=seed, directed=True)
    g = graph("n19 builds_on n0", *(f"n{max(a, b)} builds_on n{min(a, b)}" for a, b in tree.edges))
    for focus in ("n0", "n9", "n19"):
        if focus not in g.nodes:
            continue
        drawn = layered.generations(g, focus, 3)
        x = {placed.id: placed.x for placed in drawn.nodes}
        assert all(0 <= place <= WIDTH for place in x.values())
        assert all(x[a] < x[b] for a, b in drawn.steps)
        assert x.keys() == {focus, *layered.kin(g, focus, 3)}
        everyone = lineage.ancestors(g, focus) | lineage.descendants(g, focus)
        assert drawn.further == len(everyone) + 1 - len(x)
        places = [(placed.x, placed.y) for placed in drawn.nodes]
        assert len(set(places)) == len(places)


def test_a_chain_of_generations_is_numbered_from_the_focus() -> None:
    drawn = layered.generations(graph("b builds_on a", "c builds_on b", "d builds_on c"), "b", 1)
    assert [label for label, _ in drawn.ticks] == ["-1", "0", "+1"]
    assert drawn.further == 1


def test_too_many_relatives_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layered, "MOST", 3)
    drawn = layered.generations(graph(*(f"n{number} builds_on a" for number in range(6))), "a", 2)
    assert (len(drawn.nodes), drawn.further) == (3, 4)


def test_a_circle_in_the_documents_does_not_break_the_drawing() -> None:
    drawn = layered.generations(graph("b builds_on a", "a builds_on b", "c builds_on b"), "b", 2)
    assert {placed.id for placed in drawn.nodes} == {"a", "b", "c"}


def test_a_node_without_relatives_stands_alone() -> None:
    g = graph("b builds_on a", "x uses y")
    assert [placed.id for placed in layered.generations(g, "x", 2).nodes] == ["x"]
