from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ailineage.errors import UsageError
from ailineage.kg import citing, drawing, exports, lineage
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Node
from ailineage.kg.vocabulary import Kind


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


def test_trees_and_papers_of_a_node_are_exported(small_graph: KnowledgeGraph, tmp_path: Path) -> None:
    for format, start in (("mermaid", "flowchart LR"), ("dot", "digraph {"), ("bibtex", "@misc{"), ("csl", "[")):
        exports.write(small_graph, format, tmp_path / format, node="bert")
        assert (tmp_path / format).read_text(encoding="utf-8").startswith(start)
    assert "序列到序列" in _exported(small_graph, tmp_path / "zh", "mermaid", language="zh")
    assert "Seq2Seq" not in _exported(small_graph, tmp_path / "near", "mermaid", generations=1)


def _exported(graph: KnowledgeGraph, path: Path, format: str, **settings: Any) -> str:
    exports.write(graph, format, path, node="bert", **settings)
    return path.read_text(encoding="utf-8")


def test_a_drawing_needs_a_node_and_a_whole_graph_takes_none(small_graph: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--node"):
        exports.write(small_graph, "mermaid", tmp_path / "g")
    with pytest.raises(UsageError, match="holds the whole graph"):
        exports.write(small_graph, "turtle", tmp_path / "g", node="bert")


NASTY = ['say "x"', "two\nlines", "back\\slash\\", "שלום", "🤖 {a|b} <c>", "]]>&#;"]


@pytest.mark.parametrize("name", NASTY)
def test_any_label_is_drawn_on_one_line(name: str) -> None:
    graph = KnowledgeGraph([Node(name, Kind.MODEL, {"en": name})], [], [])
    tree = drawing.neighbourhood(graph, name, generations=1)
    dot = tree.dot("en").splitlines()
    assert len(dot) == 6
    quotes = re.sub(r"\\.", "", dot[-2]).count('"')
    assert quotes == 6
    (_, node) = tree.mermaid("en").splitlines()
    assert re.fullmatch(r' {4}n0\["[^"]*"\]', node)
