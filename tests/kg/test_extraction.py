from __future__ import annotations

import pytest

from ailineage.corpus.documents import Document, language_of, normalise
from ailineage.kg.extraction import extract
from ailineage.kg.identity import Lexicon
from ailineage.kg.model import Node
from ailineage.kg.vocabulary import Kind

NODES = {
    node.id: node
    for node in (
        Node("bert", Kind.MODEL, {"en": "BERT"}),
        Node("roberta", Kind.MODEL, {"en": "RoBERTa"}),
        Node("transformer", Kind.MODEL, {"en": "Transformer"}),
        Node("gpt3", Kind.MODEL, {"en": "GPT-3"}),
        Node("gpt2", Kind.MODEL, {"en": "GPT-2"}),
        Node("vit", Kind.MODEL, {"en": "Vision Transformer"}, ("ViT",)),
        Node("perceptron", Kind.MODEL, {"en": "perceptron", "zh": "感知机"}),
        Node("rosenblatt", Kind.PERSON, {"en": "Frank Rosenblatt", "zh": "罗森布拉特"}),
        Node("google", Kind.ORGANIZATION, {"en": "Google", "zh": "谷歌"}),
        Node("openai", Kind.ORGANIZATION, {"en": "OpenAI"}),
        Node("imagenet", Kind.DATASET, {"en": "ImageNet"}),
        Node("attention", Kind.TECHNIQUE, {"en": "self-attention", "zh": "自注意力"}),
        Node("vgg16", Kind.MODEL, {"en": "VGG-16"}),
        Node("backprop", Kind.TECHNIQUE, {"en": "backpropagation", "zh": "反向传播算法"}),
        Node("hinton", Kind.PERSON, {"en": "Geoffrey Hinton", "zh": "杰弗里·辛顿"}),
        Node("rumelhart", Kind.PERSON, {"en": "David Rumelhart", "zh": "大卫·鲁梅尔哈特"}),
        Node("turing", Kind.PERSON, {"en": "Alan Turing", "zh": "图灵"}),
        Node("paper", Kind.PAPER, {"en": "Attention Is All You Need"}),
    )
}
LEXICON = Lexicon(NODES.values())


def claims(text: str) -> set[tuple[str, str, str | None]]:
    stored = normalise(text)
    document = Document("d", "d", stored, language_of(stored), "d", "0")
    result = extract(document, LEXICON, NODES)
    for claim in result.claims:
        assert stored[claim.start : claim.end] == claim.text
        assert 0 < claim.confidence <= 1
    return {(c.subject, str(c.relation), c.object or c.value) for c in result.claims}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPT-3174.59 B1750亿个", {("gpt3", "has_parameters", "174590000000")}),
        ("VGG-16138.36 M1.38亿个", {("vgg16", "has_parameters", "138360000")}),
        ("VGG-16138.36 M5亿个", set()),
        ("BERT110 M", {("bert", "has_parameters", "110000000")}),
        (
            '[5] Rumelhart, et al. David Rumelhart. "Attention is all you need." Advances 30 (2017).',
            {("paper", "authored_by", "rumelhart"), ("paper", "published_on", "2017")},
        ),
        (
            "- Transformer 2017.6.12 Attention Is All You Need",
            {("transformer", "published_on", "2017-06-12"), ("transformer", "introduced_in", "paper")},
        ),
        (
            "2017年6月,Google 发布论文《Attention is all you need》(自注意力就够了)。",
            {("paper", "published_on", "2017-06")},
        ),
    ],
)
def test_what_structure_claims(text: str, expected: set[tuple[str, str, str]]) -> None:
    assert claims(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "1985年,心理学家大卫·鲁梅尔哈特(David Rumelhart)、学者杰弗里·辛顿(Geoffrey Hinton)提出了反向传播算法。",
            {("backprop", "proposed_by", "rumelhart"), ("backprop", "proposed_by", "hinton")},
        ),
        (
            "Backpropagation was proposed by David Rumelhart and Geoffrey Hinton.",
            {("backprop", "proposed_by", "rumelhart"), ("backprop", "proposed_by", "hinton")},
        ),
        ("反向传播算法是由图灵奖得主之一杰弗里·辛顿老先生的团队提出的。", {("backprop", "proposed_by", "hinton")}),
        (
            "GPT-3 uses self-attention and backpropagation.",
            {("gpt3", "uses", "attention"), ("gpt3", "uses", "backprop")},
        ),
        ("BERT 是谷歌的模型。它基于 Transformer 构建。", {("bert", "builds_on", "transformer")}),
        ("RoBERTa appeared later. It builds on BERT.", {("roberta", "builds_on", "bert")}),
        ("它用的是基于 Transformer 的文本编码器和基于 BERT 的图像编码器。", set()),
        ("Zorbnet builds on BERT and was proposed by Geoffrey Hinton.", set()),
    ],
)
def test_lists_pronouns_and_their_limits(text: str, expected: set[tuple[str, str, str]]) -> None:
    assert {claim for claim in claims(text) if claim[1] != "published_on"} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- BERT 2018.10.11 Pre-training of Deep Bidirectional", ("bert", "published_on", "2018-10-11")),
        ("2020年5月，OpenAI 发布了 GPT-3。", ("gpt3", "published_on", "2020-05")),
        ("2020年5月，OpenAI 发布了 GPT-3。", ("gpt3", "developed_by", "openai")),
        ("BERT was released by Google in October 2018.", ("bert", "published_on", "2018-10")),
        ("BERT was released by Google in October 2018.", ("bert", "developed_by", "google")),
        ("RoBERTa builds on BERT with more data.", ("roberta", "builds_on", "bert")),
        ("BERT 基于 Transformer 构建。", ("bert", "builds_on", "transformer")),
        ("1957年，罗森布拉特提出了感知机。", ("perceptron", "proposed_by", "rosenblatt")),
        ("The perceptron was proposed by Frank Rosenblatt.", ("perceptron", "proposed_by", "rosenblatt")),
        ("GPT-3 拥有 1750 亿个参数。", ("gpt3", "has_parameters", "175000000000")),
        ("GPT-2 has 1.5B parameters.", ("gpt2", "has_parameters", "1500000000")),
        ("RoBERTa is a variant of BERT.", ("roberta", "variant_of", "bert")),
        ("Transformer 使用了自注意力。", ("transformer", "uses", "attention")),
        ("ViT was trained on ImageNet.", ("vit", "trained_on", "imagenet")),
        ("GPT-3 is the successor to GPT-2.", ("gpt2", "succeeded_by", "gpt3")),
    ],
)
def test_what_a_sentence_claims(text: str, expected: tuple[str, str, str]) -> None:
    assert expected in claims(text)


@pytest.mark.parametrize(
    "text",
    [
        "BERT 不是基于 GPT-2 的。",
        "BERT does not build on GPT-2.",
        "GPT-3 没有 1750 亿个参数。",
        "We compare BERT and GPT-2 in 2019.",
        "这里没有模型。",
    ],
)
def test_negation_and_mere_mention_claim_nothing(text: str) -> None:
    assert not claims(text)


def test_a_hedge_lowers_confidence() -> None:
    plain = extract(Document("d", "", "BERT builds on Transformer.", "en", "", ""), LEXICON, NODES)
    hedged = extract(Document("d", "", "BERT perhaps builds on Transformer.", "en", "", ""), LEXICON, NODES)
    assert hedged.claims[0].confidence < 0.5 < plain.claims[0].confidence


def test_an_unknown_model_in_a_timeline_becomes_a_provisional_node() -> None:
    result = extract(Document("d", "", "- FooNet 2019.3.4 A new net", "en", "", ""), LEXICON, NODES)
    (node,) = result.nodes.values()
    assert node.provisional
    assert node.names == {"en": "FooNet"}
    assert [(c.subject, c.value) for c in result.claims] == [(node.id, "2019-03-04")]


def test_one_endless_word_takes_no_endless_time() -> None:
    assert claims(f"RoBERTa builds on Pre-train{'in' * 300}> BERT.") == set()
