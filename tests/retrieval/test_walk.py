from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from ailineage.errors import WorkspaceError
from ailineage.retrieval import fusion, phrases
from ailineage.retrieval.fusion import Bridges, Signals, Weights
from ailineage.retrieval.walk import Walk

MENTIONS = [(0, 0, 2.0), (0, 1, 1.0), (1, 1, 2.0), (2, 2, 2.0), (3, 2, 1.0)]
RELATIONS = [(1, 2, 0.5)]


@pytest.fixture
def walk() -> Walk:
    return Walk.build((4, 3), MENTIONS, RELATIONS)


def test_the_walk_is_personalised_pagerank(walk: Walk) -> None:
    graph = nx.Graph()
    for passage, name, weight in MENTIONS:
        graph.add_edge(f"p{passage}", f"n{name}", weight=weight)
    for left, right, weight in RELATIONS:
        graph.add_edge(f"n{left}", f"n{right}", weight=weight)
    expected = nx.pagerank(graph, alpha=0.5, personalization={"n0": 1.0}, tol=1e-10)
    np.testing.assert_allclose(walk.rank({0: 1.0}, {}), [expected[f"p{i}"] for i in range(4)], atol=1e-3)


def test_the_second_hop_is_reached_and_nearer_is_better(walk: Walk) -> None:
    scores = walk.rank({0: 1.0}, {})
    assert scores[0] > scores[1] > scores[2] > 0
    assert not walk.rank({}, {}).any()
    assert walk.rank({}, {3: 1.0}).argmax() == 3


def test_a_saved_walk_is_the_same(walk: Walk, tmp_path: Path) -> None:
    walk.save(tmp_path)
    again = Walk.load(tmp_path)
    np.testing.assert_array_equal(again.rank({0: 1.0}, {1: 0.1}), walk.rank({0: 1.0}, {1: 0.1}))
    assert (again.mentions != walk.mentions).nnz == 0
    with pytest.raises(WorkspaceError):
        Walk.load(tmp_path / "absent")


def test_a_bridge_leads_over_a_rare_name_that_the_question_has_not(walk: Walk) -> None:
    bridges = Bridges(walk.mentions)
    scores = np.array([1.0, 0.0, 0.0, 0.0], np.float32)
    reached = bridges.reach(scores, {0}, heads=1)
    assert reached.argmax() == 1
    assert reached[0] == reached[2] == 0
    assert not bridges.reach(scores, {0, 1}, heads=1).any()


def test_fusion_finds_both_ends_of_a_chain() -> None:
    # 0 answers the first half of the question and names what 1 is about; 2 only shares a word with the question.
    walk = Walk.build((3, 2), [(0, 0, 2.0), (0, 1, 1.0), (1, 1, 2.0)], [])
    dense = np.array([0.9, 0.80, 0.82], np.float32)
    bm25 = np.array([3.0, 0.0, 0.5], np.float32)
    signals = _signals(dense, bm25, walk.rank({0: 1.0}, {}))
    total, bridge = fusion.fuse(signals, Bridges(walk.mentions), {0}, Weights())
    assert np.argsort(-total).tolist() == [0, 1, 2]
    assert bridge[1] > 0


@pytest.mark.parametrize("size", [0, 1, 3])
def test_fusion_of_few_or_equal_scores(size: int) -> None:
    same = np.ones(size, np.float32)
    bridges = Bridges(Walk.build((size, 1), [], []).mentions)
    total, _ = fusion.fuse(_signals(same, same, same), bridges, (), Weights())
    assert total.tolist() == [0.0] * size


def _signals(dense: np.ndarray, bm25: np.ndarray, walk: np.ndarray) -> Signals:
    none = np.zeros(len(dense), np.float32)
    return Signals(dense, bm25, walk, none, none, none)


def test_phrases_are_titles_and_what_two_passages_name() -> None:
    passages = [
        ("Lilu (mythology)", "A Lilu is a demon. See also Marie Curie."),
        ("Physics", "In 1903 Marie Curie won the Nobel Prize."),
    ]
    known = phrases.vocabulary(passages)
    assert set(known) == {"lilu", "physics", "marie curie"}
    assert phrases.find("what did marie curie say of Lilu?", known) == {known["marie curie"], known["lilu"]}
    links = phrases.mentions(passages, known)
    assert (0, known["lilu"], 2.0) in links
    assert (1, known["marie curie"], 1.0) in links
