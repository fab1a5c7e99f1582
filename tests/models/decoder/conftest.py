"""A small graph and hand-made bundles, in both languages, without any index or weights."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ailineage.corpus.documents import language_of
from ailineage.kg.model import AUTHORED, Claim, Node
from ailineage.kg.vocabulary import Kind, Relation
from ailineage.models.decoder.knowledge import Knowledge
from ailineage.retrieval.evidence import Bundle, Evidence

NODES = {
    node.id: node
    for node in (
        Node("perceptron", Kind.MODEL, {"en": "Perceptron", "zh": "感知机"}, date="1957-01"),
        Node("transformer", Kind.MODEL, {"en": "Transformer", "zh": "Transformer"}, date="2017-06-12"),
        Node("vit", Kind.MODEL, {"en": "Vision Transformer", "zh": "ViT"}, ("ViT",), date="2020-10-22"),
        Node("sam", Kind.MODEL, {"en": "Segment Anything Model", "zh": "SAM"}, ("SAM",), date="2023-04-05"),
        Node("bert", Kind.MODEL, {"en": "BERT", "zh": "BERT"}, ("BERT-base", "BERT-large"), date="2018-10-11"),
        Node("gpt", Kind.MODEL, {"en": "GPT", "zh": "GPT"}, date="2018-06-11"),
        Node("vgg", Kind.MODEL, {"en": "VGG-16", "zh": "VGG-16"}, date="2014-09-04"),
        Node("alexnet", Kind.MODEL, {"en": "AlexNet", "zh": "AlexNet"}, date="2012-09-30"),
        Node("imagenet", Kind.DATASET, {"en": "ImageNet", "zh": "ImageNet"}, date="2009"),
        Node("rosenblatt", Kind.PERSON, {"en": "Frank Rosenblatt", "zh": "罗森布拉特"}, ("Rosenblatt",)),
        Node("hinton", Kind.PERSON, {"en": "Geoffrey Hinton", "zh": "辛顿"}, ("Hinton",)),
        Node("google", Kind.ORGANIZATION, {"en": "Google", "zh": "谷歌"}, ("Google Brain",)),
        Node("openai", Kind.ORGANIZATION, {"en": "OpenAI", "zh": "OpenAI"}),
    )
}


class Library:
    """Evidence made from sentences; a sentence that states a claim gets one."""

    def __init__(self) -> None:
        self.claims: dict[str, Claim] = {}

    def evidence(self, text: str, node: str | None, *, start: int = 0, **claim: str | None) -> Evidence:
        language = language_of(text)
        title = NODES[node].name(language) if node else "notes"
        document = f"{node}.{language}" if node else "notes.txt"
        signals = {"dense": 0.88, "bm25": 3.0}
        found = Evidence(document, start, start + len(text), text, title, language, node, None, 0.5, signals)
        if not claim:
            return found
        relation = Relation(claim.pop("relation"))
        made = Claim.make(
            subject=claim.pop("subject", node),
            relation=relation,
            document=document,
            start=start,
            end=found.end,
            text=text,
            extractor=AUTHORED,
            confidence=1.0,
            **claim,
        )
        self.claims[made.id] = made
        return replace(found, claim=made.id)

    def bundle(self, question: str, evidence: list[Evidence], **fields) -> Bundle:
        named = {nodes[0] for nodes in self.knowledge.named(question)}
        nodes = tuple(id for id in NODES if id in named)
        return Bundle(question, language_of(question), fields.pop("nodes", nodes), tuple(evidence), **fields)

    @property
    def knowledge(self) -> Knowledge:
        return Knowledge(NODES, self.claims)


@pytest.fixture
def nodes() -> dict[str, Node]:
    return NODES


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def perceptron(library: Library) -> list[Evidence]:
    return [
        library.evidence(
            "Perceptron was proposed by Frank Rosenblatt.",
            "perceptron",
            relation="proposed_by",
            object="rosenblatt",
        ),
        library.evidence(
            "Perceptron was first published in January 1957.",
            "perceptron",
            start=100,
            relation="published_on",
            value="1957-01",
        ),
        library.evidence(
            "The perceptron is a single layer of weights with a threshold. It learns by correcting its mistakes.",
            "perceptron",
            start=200,
        ),
    ]
