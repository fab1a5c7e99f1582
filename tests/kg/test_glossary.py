from __future__ import annotations

import pytest

from ailineage.corpus.documents import Document, language_of
from ailineage.corpus.glossary import Term
from ailineage.kg import glossary
from ailineage.kg.authored import Authored
from ailineage.kg.building import Parts
from ailineage.kg.glossary import vocabulary
from ailineage.kg.model import Node
from ailineage.kg.vocabulary import Kind


def read(parts: Parts, text: str) -> dict[str, Node]:
    parts.add([Document("notes.md", "Notes", text, language_of(text), "notes.md", text)])
    return {node.name("en"): node for node in parts.graph().nodes.values() if node.provisional}


@pytest.mark.parametrize("text", ["卷积核在特征图上滑动。", "A kernel slides over the feature map."])
def test_a_term_that_a_document_mentions_becomes_its_node(parts: Parts, text: str) -> None:
    node = read(parts, text)["feature map"]
    assert (node.kind, node.name("zh")) == (Kind.CONCEPT, "特征图")


def test_terms_that_no_document_mentions_are_no_nodes(parts: Parts) -> None:
    assert not any(node.provisional for node in parts.graph().nodes.values())
    assert "receptive field" not in read(parts, "卷积核在特征图上滑动。")


def test_a_term_lends_its_names_to_the_node_that_bears_one(monkeypatch: pytest.MonkeyPatch) -> None:
    bert = Node("bert", Kind.MODEL, {"en": "BERT"})
    gpt = Node("gpt", Kind.MODEL, {"en": "GPT"}, ("decoder model",))
    known = (
        Term("model", ("BERT", "two-way model"), ("双向模型",)),
        Term("model", ("GPT", "BERT"), ("生成模型",)),  # whose is it?
        Term("concept", ("two-way model", "stride"), ("步幅",)),
    )
    monkeypatch.setattr(glossary.glossary, "terms", lambda: known)
    told = vocabulary({"bert": bert, "gpt": gpt})
    assert told.lexicon.lookup("双向模型") == ("bert",)
    assert told.lexicon.lookup("two-way model") == ("bert",)
    assert told.lexicon.lookup("生成模型") == ()
    (stride,) = told.lexicon.lookup("步幅")
    assert told.nodes[stride].name("en") == "stride"
    assert told.nodes["bert"] is bert


def test_the_shipped_glossary_leaves_the_library_as_it_is(shipped: Authored) -> None:
    told = vocabulary(shipped.nodes)
    assert {id: told.nodes[id] for id in shipped.nodes} == shipped.nodes
    assert all(node.provisional for id, node in told.nodes.items() if id not in shipped.nodes)
