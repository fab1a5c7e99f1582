from __future__ import annotations

import pytest

from ailineage.corpus.documents import Document, language_of, normalise
from ailineage.kg.extraction import Extract, extract
from ailineage.kg.identity import Lexicon
from ailineage.kg.model import Node
from ailineage.kg.vocabulary import Kind

NODES = {
    node.id: node
    for node in (
        Node("bert", Kind.MODEL, {"en": "BERT"}),
        Node("transformer", Kind.MODEL, {"en": "Transformer"}, ("Transformer model",)),
        Node("swin", Kind.MODEL, {"en": "Swin Transformer"}),
        Node("cnn", Kind.MODEL, {"en": "Convolutional neural network", "zh": "卷积神经网络"}, ("ConvNet", "CNN")),
        Node("rnn", Kind.MODEL, {"en": "Recurrent neural network", "zh": "循环神经网络"}),
        Node("resnet", Kind.MODEL, {"en": "ResNet"}),
        Node("seq2seq", Kind.MODEL, {"en": "Encoder-decoder"}, ("encoder", "decoder", "编码器", "解码器")),
        Node("efficientnet", Kind.MODEL, {"en": "EfficientNet"}),
        Node("dropout", Kind.TECHNIQUE, {"en": "Dropout"}),
        Node("attention", Kind.TECHNIQUE, {"en": "self-attention", "zh": "自注意力"}),
        Node("overfitting", Kind.CONCEPT, {"en": "overfitting", "zh": "过拟合"}),
        Node("llm", Kind.CONCEPT, {"en": "large language model"}),
        Node("imagecls", Kind.TASK, {"en": "image classification", "zh": "图像分类"}),
        Node("translation", Kind.TASK, {"en": "machine translation", "zh": "机器翻译"}),
        Node("imagenet", Kind.DATASET, {"en": "ImageNet"}),
        Node("coco", Kind.DATASET, {"en": "COCO"}),
        Node("carion", Kind.PERSON, {"en": "Nicolas Carion"}, ("Carion",)),
    )
}
LEXICON = Lexicon(NODES.values())
PAGE = "*This model was released on 2021-01-01 and added to Hugging Face Transformers on 2021-02-02.*\n\n# BERT\n\n"


def read(text: str) -> Extract:
    stored = normalise(text)
    return extract(Document("d", "d", stored, language_of(stored), "d", "0"), LEXICON, NODES)


def claims(text: str) -> set[tuple[str, str, str | None]]:
    return {(c.subject, str(c.relation), c.object or c.value) for c in read(text).claims}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EfficientNets are a family of image classification models.", {("efficientnet", "addresses", "imagecls")}),
        ("ResNet is a convolutional model (ConvNet), and a deep one.", {("resnet", "variant_of", "cnn")}),
        (
            "BERT is a self-attention Transformer model.",
            {("bert", "uses", "attention"), ("bert", "variant_of", "transformer")},
        ),
        ("We present BERT, a self-attention model.", {("bert", "uses", "attention")}),
        ("BERT is an encoder model.", set()),
        ("BERT is a large language model.", set()),
        ("BERT is not a Transformer model.", set()),
        ("ResNet是一种深度卷积神经网络。", {("resnet", "variant_of", "cnn")}),
        ("ResNet是一个图像分类模型。", {("resnet", "addresses", "imagecls")}),
        ("ResNet不是一种卷积神经网络。", set()),
    ],
)
def test_what_a_thing_is_said_to_be(text: str, expected: set[tuple[str, str, str]]) -> None:
    assert claims(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hierarchical Transformers (e.g., Swin Transformer) are common.", {("swin", "variant_of", "transformer")}),
        ("We compare ConvNets such as ResNet.", {("resnet", "variant_of", "cnn")}),
        ("Machine translation models such as BERT grew.", {("bert", "addresses", "translation")}),
        ("It is initialised with any encoder (e.g. BERT).", set()),
        ("It rivals the Transformer (e.g., BERT is better).", set()),
        ("The Transformer consists of an encoder and a decoder.", {("seq2seq", "part_of", "transformer")}),
        ("Transformer中包含编码器和解码器两部分。", {("seq2seq", "part_of", "transformer")}),
        ("A CNN quickly superseded the recurrent neural network.", {("rnn", "succeeded_by", "cnn")}),
        ("Transformer迅速取代了循环神经网络。", {("rnn", "succeeded_by", "transformer")}),
        (
            "ResNet was introduced in (Carion et al., 2020).",
            {("resnet", "published_on", "2020"), ("resnet", "authored_by", "carion")},
        ),
    ],
)
def test_examples_parts_successors_and_citations(text: str, expected: set[tuple[str, str, str]]) -> None:
    assert claims(text) == expected


def test_a_name_with_a_size_is_a_variant() -> None:
    found = read("# EfficientNet\n\nThe EfficientNet-B7 model is large. We like EfficientNet-B7 and EfficientNet.")
    node = next(node for node in found.nodes.values() if node.name() == "EfficientNet-B7")
    assert (node.id, "variant_of", "efficientnet") in {(c.subject, str(c.relation), c.object) for c in found.claims}


def test_notes_under_a_model_say_what_it_uses() -> None:
    assert claims("ResNet\n- Dropout防止过拟合\n- 使用自注意力\n") == {
        ("dropout", "addresses", "overfitting"),
        ("resnet", "uses", "dropout"),
        ("resnet", "uses", "attention"),
    }
    assert claims("ResNet\n- Dropout的缺点\n- 不再使用自注意力\n") == set()
    assert claims("ResNet\n- Dropout task guide\n- Use Dropout instead\n") == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("In this paper, we use self-attention.", ("bert", "uses", "attention")),
        ("Our encoder achieves 83.1% on ImageNet.", ("bert", "evaluated_on", "imagenet")),
        (
            "BERT reaches the best results on ImageNet classification and COCO detection.",
            ("bert", "evaluated_on", "coco"),
        ),
        ("It is great at tasks like machine translation.", ("bert", "addresses", "translation")),
        ("It prevents overfitting.", ("bert", "addresses", "overfitting")),
    ],
)
def test_a_page_speaks_of_its_model(text: str, expected: tuple[str, str, str]) -> None:
    assert expected in claims(PAGE + text)


@pytest.mark.parametrize(
    "text", ["In this paper, we do not use self-attention.", "We use the self-attention benchmark."]
)
def test_a_page_denies(text: str) -> None:
    assert not any(relation == "uses" for _, relation, _ in claims(PAGE + text))


def test_a_relative_clause_speaks_of_the_name_before_it() -> None:
    assert ("resnet", "uses", "attention") in claims("They came with ResNet, which uses self-attention.")
    assert claims("If it were built on ResNet, which uses self-attention, it might win.") == claims(
        "ResNet, which uses self-attention."
    )
    assert all(c.confidence < 0.5 for c in read("ResNet, which may use a lot, perhaps uses self-attention.").claims)


def test_names_in_small_words() -> None:
    found = read(PAGE + "BERT uses multigroup attention and a pairwise sigmoid loss. It is for depth estimation.")
    names = {node.name(): node.kind for node in found.nodes.values()}
    assert names["multigroup attention"] is Kind.TECHNIQUE
    assert names["pairwise sigmoid loss"] is Kind.TECHNIQUE
    assert names["depth estimation"] is Kind.TASK
    plain = read(PAGE + "BERT uses the same attention for better detection, and any new loss for image classification.")
    assert {node.name() for node in plain.nodes.values()} == set()
