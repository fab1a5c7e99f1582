from __future__ import annotations

import pytest

from ailineage.kg import citing, drawing, lineage
from ailineage.kg.graph import KnowledgeGraph


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_tree_is_drawn_in_both_notations(small_graph: KnowledgeGraph, language: str) -> None:
    tree = drawing.neighbourhood(small_graph, "trans", generations=1)
    assert tree.nodes == ("seq", "trans", "bert")
    assert tree.steps == (("seq", "trans"), ("trans", "bert"))
    name = small_graph.nodes["seq"].name(language)
    assert name in tree.dot(language)
    assert '"seq" -> "trans"' in tree.dot(language)
    assert f'n0["{name} · 2014"]' in tree.mermaid(language)
    assert "n0 --> n1" in tree.mermaid(language)


def test_what_is_not_drawn_is_counted(small_graph: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MOST", 2)
    tree = drawing.neighbourhood(small_graph, "trans", generations=3)
    assert (len(tree.nodes), tree.hidden) == (2, 1)


def test_a_path_is_drawn(small_graph: KnowledgeGraph) -> None:
    path = lineage.path(small_graph, "seq", "bert")
    assert path is not None
    assert drawing.of_path(small_graph, path).steps == (("seq", "trans"), ("trans", "bert"))


def test_papers_behind_nodes_are_cited(small_graph: KnowledgeGraph) -> None:
    papers = citing.papers_of(small_graph, ["bert", "trans"])
    assert [paper.reference for paper in papers] == ["arxiv:1706.03762", "arxiv:1810.04805"]
    text = citing.bibtex(small_graph, papers)
    assert "@misc{vaswani2017," in text
    assert "author = {Ashish Vaswani and Noam Shazeer}" in text
    assert "eprint = {1706.03762}" in text
    (first, _) = citing.csl(small_graph, papers)
    assert first["issued"] == {"date-parts": [[2017, 6, 12]]}
    assert [author["literal"] for author in first["author"]] == ["Ashish Vaswani", "Noam Shazeer"]
