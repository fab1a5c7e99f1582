from __future__ import annotations

import pytest

from ailineage.models.decoder.intent import Intent, intent, values


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Who is Yann LeCun?", Intent.EXPLAIN),
        ("and who was Frank Rosenblatt", Intent.EXPLAIN),
        ("辛顿是谁？", Intent.EXPLAIN),
        ("谁是图灵", Intent.EXPLAIN),
        ("Who is behind Stable Diffusion?", Intent.WHO),
        ("Who was the first author of the GPT-3 paper?", Intent.WHO),
        ("BERT 的作者是谁", Intent.WHO),
        ("是谁提出了感知机？", Intent.WHO),
    ],
)
def test_who_somebody_is_wants_an_account_and_who_did_it_a_name(question: str, wanted: Intent) -> None:
    assert intent(question) is wanted


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("When was BERT published and who wrote it?", [Intent.WHEN, Intent.WHO]),
        ("GPT-3 有多少参数，是谁提出的？", [Intent.COUNT, Intent.WHO]),
        ("When was BERT published?", []),
        ("What is BERT and how does it work?", []),
    ],
)
def test_a_question_can_want_several_values(question: str, wanted: list[Intent]) -> None:
    assert values(question) == wanted
