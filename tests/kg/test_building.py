from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ailineage.corpus.documents import Document, read
from ailineage.corpus.library import Library
from ailineage.errors import DocumentError
from ailineage.kg import authored, store
from ailineage.kg.building import Parts, reopen

TEXTS = {
    "a.md": "2018年10月，谷歌发布了 BERT。BERT 基于 Transformer。",
    "b.md": "- BERT 2017.1.1 wrong\n- FooNet 2019.3.4 new",
    "c.md": "FooNet builds on BERT. BERT has 110M parameters.",
    "d.md": "- FooNet 2018.1.1 another date",
}


def document(id: str) -> Document:
    text = TEXTS[id]
    return Document(id, id, text, "zh" if id == "a.md" else "en", id, hashlib.sha256(text.encode()).hexdigest())


def stored(parts: Parts, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    store.save(parts.graph(), parts.provisional, folder, parts.decisions)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_library_becomes_nodes_claims_and_people(parts: Parts) -> None:
    graph = parts.graph()
    assert graph.nodes["bert"].date == "2018-10-11"
    assert graph.resolve("Jacob Devlin").kind == "person"
    assert {c.object for c in graph.claims_about("paper-1706-03762") if c.relation == "authored_by"} == {
        "person-ashish-vaswani",
        "person-noam-shazeer",
    }
    for claim in graph.claims.values():
        assert graph.documents[claim.document].text[claim.start : claim.end] == claim.text
        assert claim.authored


def test_a_documents_error_becomes_a_conflict_and_no_fact(parts: Parts) -> None:
    parts.add([document("b.md")])
    graph = parts.graph()
    (wrong,) = [c for c in graph.claims.values() if c.value == "2017-01-01"]
    assert not wrong.preferred
    assert {graph.claims[id].value for id in wrong.conflicts_with} == {"2018-10-11"}
    assert "2017-01-01" not in {edge.value for edge in graph.edges}


def test_the_order_of_documents_does_not_matter(small_library: Library, tmp_path: Path) -> None:
    results = []
    for number, order in enumerate(itertools.islice(itertools.permutations(TEXTS), 8)):
        parts = Parts(authored.read(small_library))
        parts.add(map(document, order))
        results.append(stored(parts, tmp_path / str(number)))
    assert all(result == results[0] for result in results)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(sorted(TEXTS)), unique=True), st.sampled_from(sorted(TEXTS)))
def test_adding_then_removing_is_the_identity(
    small_library: Library, tmp_path_factory: pytest.TempPathFactory, held: list[str], more: str
) -> None:
    if more in held:
        held.remove(more)
    tmp = tmp_path_factory.mktemp("identity")
    parts = Parts(authored.read(small_library))
    parts.add(map(document, held))
    before = stored(parts, tmp / "before")
    parts.add([document(more)])
    grown = stored(parts, tmp / "grown")
    reopened = reopen(store.load(tmp / "grown"), tmp / "grown", Parts(authored.read(small_library)))
    assert stored(reopened, tmp / "reopened") == grown
    del reopened.extracts[more]
    assert stored(reopened, tmp / "after") == before


def test_the_same_text_twice_is_passed_over_with_a_note(parts: Parts) -> None:
    twin = Document("copy.md", "", TEXTS["a.md"], "zh", "copy.md", document("a.md").sha256)
    notes = parts.add([document("a.md"), twin])
    assert list(parts.extracts) == ["a.md"]
    assert notes == ["copy.md: the same text as a.md; passed over"]


def test_a_text_that_moved_to_another_document_is_not_lost(parts: Parts) -> None:
    parts.add([document("a.md")])
    moved = replace(document("a.md"), id="c.md")
    assert parts.add([moved, replace(document("b.md"), id="a.md")]) == []
    assert {id: extract.document.text for id, extract in parts.extracts.items()} == {
        "a.md": TEXTS["b.md"],
        "c.md": TEXTS["a.md"],
    }


def test_a_document_may_not_take_a_library_articles_name(parts: Parts) -> None:
    with pytest.raises(DocumentError, match="rename"):
        parts.add([Document("bert.en", "", "text", "en", "bert.en", "1")])


def test_the_four_documents_contribute_claims_and_conflicts(seeds: Path, shipped: authored.Authored) -> None:
    parts = Parts(shipped)
    parts.add(document for path in sorted(seeds.glob("*.txt")) for document in read(path))
    graph = parts.graph()
    per_document = {id: len(graph.by_document.get(id, ())) for id in parts.extracts}
    assert len(per_document) == 4
    assert all(per_document.values())
    wrong = {(c.subject, c.value) for c in graph.claims.values() if c.conflicts_with and not c.authored}
    assert ("vae", "2012-12-20") in wrong
    assert ("vit", "2019") in wrong
