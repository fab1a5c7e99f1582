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


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("when did LSTM come out", Intent.WHEN),
        ("transfer learning goes back to when?", Intent.WHEN),
        ("BERT 的发布时间", Intent.WHEN),
        ("how does ring attention work when there are many GPUs", Intent.EXPLAIN),
        ("why average the heads when one could be chosen?", Intent.EXPLAIN),
        ("lstm 是怎么做到长时间记住东西的", Intent.EXPLAIN),
        ("为什么作者要加残差连接", Intent.EXPLAIN),
        ("how many parameters does GPT-3 have", Intent.COUNT),
        ("这几年注意力机制有什么进展", Intent.EXPLAIN),
    ],
)
def test_a_how_or_why_wants_no_value_whatever_follows(question: str, wanted: Intent) -> None:
    assert intent(question) is wanted
