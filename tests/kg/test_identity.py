from __future__ import annotations

import pytest

from ailineage.kg.identity import Lexicon, fold
from ailineage.kg.model import Node
from ailineage.kg.vocabulary import Kind


def node(id: str, *names: str, ambiguous: tuple[str, ...] = ()) -> Node:
    return Node(id, Kind.MODEL, {"en": names[0]}, names[1:], ambiguous)


LEXICON = Lexicon(
    [
        node("gpt1", "GPT-1", ambiguous=("GPT",)),
        node("gpt2", "GPT-2"),
        node("gpt3", "GPT-3", ambiguous=("GPT",)),
        node("bert", "BERT"),
        node("roberta", "RoBERTa"),
        node("llama", "LLaMA"),
        node("llama2", "LLaMA 2"),
        node("vit", "ViT", "Vision Transformer", "视觉变换器"),
        node("transformer", "Transformer", "Transofrmer", "变换器"),
        node("alexnet", "AlexNet", "AlextNet"),
        node("attention", "attention mechanism", "注意力机制"),
        node("sam", "SAM", "Segment Anything Model"),
    ]
)


def found(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(mention.surface, mention.nodes) for mention in LEXICON.find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPT-2 is not GPT-3", [("GPT-2", ("gpt2",)), ("GPT-3", ("gpt3",))]),
        ("gpt2和GPT 3", [("gpt2", ("gpt2",)), ("GPT 3", ("gpt3",))]),
        ("RoBERTa", [("RoBERTa", ("roberta",))]),
        ("GPT-4 and GPT3.5 are unknown here", []),
        ("LLaMA 2 and LLaMA", [("LLaMA 2", ("llama2",)), ("LLaMA", ("llama",))]),
        ("视觉变换器来自变换器", [("视觉变换器", ("vit",)), ("变换器", ("transformer",))]),
        ("Vision Transformer", [("Vision Transformer", ("vit",))]),
        ("transformers everywhere", [("transformer", ("transformer",))]),
        ("BERT 2018.10.11", [("BERT", ("bert",))]),
        ("a man named Sam, I am; SAM segments", [("Sam", ("sam",)), ("SAM", ("sam",))]),
        ("sam", []),
        ("the Ro-BERT-a", [("Ro-BERT-a", ("roberta",))]),
        ("Albert and Robert", []),
        ("注意力机制", [("注意力机制", ("attention",))]),
    ],
)
def test_mentions(text: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert found(text) == expected


def test_a_shared_name_is_ambiguous_and_says_so() -> None:
    assert found("GPT came first") == [("GPT", ("gpt1", "gpt3"))]
    assert LEXICON.lookup("GPT") == ("gpt1", "gpt3")


@pytest.mark.parametrize(
    ("name", "nodes"),
    [
        ("Transfomer", ("transformer",)),
        ("transofrmer", ("transformer",)),
        ("AlexNett", ("alexnet",)),
        ("gpt 2", ("gpt2",)),
        ("GPT-5", ()),
        ("GPT-22", ()),
        ("BERTT", ("bert",)),
        ("xyz", ()),
        ("", ()),
    ],
)
def test_lookup_forgives_letters_never_digits(name: str, nodes: tuple[str, ...]) -> None:
    assert LEXICON.lookup(name) == nodes


def test_offsets_survive_full_width_and_combining_characters() -> None:
    text = "Ｂ ＢＥＲＴ é BERT"
    assert [text[m.start : m.end] for m in LEXICON.find(text)] == ["ＢＥＲＴ", "BERT"]


def test_folding() -> None:
    assert fold("ViT-B/16") == fold("vit b 16")
    assert fold("GPT-2") != fold("GPT-3")
