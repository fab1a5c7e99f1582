from __future__ import annotations

import pytest

from ailineage.corpus import statement
from ailineage.corpus.acronym import stands_for
from ailineage.kg.vocabulary import Kind, Relation


@pytest.mark.parametrize("relation", list(Relation))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_relation_can_be_said(relation: Relation, language: str) -> None:
    said = statement.sentence(relation, "AAA", "BBB", language)
    assert "AAA" in said
    assert "BBB" in said
    assert said.endswith("." if language == "en" else "。")


@pytest.mark.parametrize("kind", list(Kind))
def test_dates_are_put_as_the_kind_of_node_wants(kind: Kind) -> None:
    said = statement.sentence("published_on", "X", statement.date("1956", "en"), "en", kind=kind)
    assert said.endswith("in 1956.")


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        ("1943", "in 1943", "1943 年"),
        ("2017-06", "in June 2017", "2017 年 6 月"),
        ("2017-06-12", "on June 12, 2017", "2017 年 6 月 12 日"),
    ],
)
def test_dates_at_their_precision(value: str, en: str, zh: str) -> None:
    assert statement.date(value, "en") == en
    assert statement.date(value, "zh") == zh


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        (9, "9", "9 "),
        (61_706, "61,706", "6.171 万（61,706）"),
        (25_557_032, "25.56 million (25.56M)", "2556 万（25.56M）"),
        (175_000_000_000, "175 billion (175B)", "1750 亿（175B）"),
        (1_600_000_000_000, "1.6 trillion (1.6T)", "1.6 万亿（1.6T）"),
    ],
)
def test_counts(value: int, en: str, zh: str) -> None:
    assert statement.count(value, "en") == en
    assert statement.count(value, "zh") == zh


def test_listing() -> None:
    assert statement.listing(["A"], "en") == "A"
    assert statement.listing(["A", "B", "C"], "en") == "A, B and C"
    assert statement.listing(["甲", "乙"], "zh") == "甲 和 乙"


@pytest.mark.parametrize(
    ("short", "long", "expected"),
    [
        ("BERT", "Bidirectional Encoder Representations from Transformers", True),
        ("ViT", "Vision Transformer", True),
        ("LSTM", "Long short-term memory", True),
        ("VAE", "variational auto-encoder", True),
        ("CLIP", "Contrastive Language-Image Pre-training", True),
        ("GPT", "Generative Pre-trained Transformer", True),
        ("RNN", "convolutional neural network", False),
        ("BERT", "BERT", False),
        ("GPT-2", "Generative Pre-trained Transformer 2", True),
    ],
)
def test_acronyms(short: str, long: str, expected: bool) -> None:
    assert stands_for(short, long) is expected
