from __future__ import annotations

import json
from pathlib import Path

import pytest

from ailineage.errors import DocumentError
from ailineage.models.decoder.training import written

FILES = sorted(written.FOLDER.glob("*.jsonl"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_sentence_written_is_borne_out_by_what_it_quotes(path: Path) -> None:
    graph = written.library_graph()
    questions = written.read(path, graph)
    assert list(written.faults(questions, graph)) == []
    families = {str(graph.nodes[node].family or graph.nodes[node].kind) for q in questions for node in q.nodes[:1]}
    assert path.stem in families


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    graph = written.library_graph()
    good = {"lang": "en", "type": "refuse", "refuse": "field", "question": "rain?", "nodes": [], "answer": []}
    for change, says in (
        ({"refuse": "mood"}, "refuse is one of"),
        ({"nodes": ["nobody"]}, "no node is called nobody"),
        ({"type": "fact", "refuse": None}, "without a sentence"),
        ({"answer": [{"text": "x", "quotes": [["bert.en", "not said there"]]}]}, "does not say"),
        ({"extra": 1}, "no field is called extra"),
    ):
        path.write_text(json.dumps(good) + "\n" + json.dumps(good | change), encoding="utf-8")
        with pytest.raises(DocumentError, match=f"line 2.*{says}"):
            written.read(path, graph)
