import pytest

from ailineage.models.decoder.verification import verify

BERT = "BERT, published on October 11, 2018, is the encoder of the Transformer with 110 million parameters."
BERT_ZH = "BERT 发表于 2018 年 10 月 11 日，是有 1.1 亿参数的 Transformer 编码器。"


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("BERT was published on 2018-10-11.", BERT),
        ("BERT was published in October 2018.", BERT),
        ("BERT has 110M parameters.", BERT),
        ("BERT 有 1.1 亿参数。", BERT_ZH),
        ("BERT has 12 layers.", "BERT has 110M parameters (layers 12, heads 16)."),
        ("BERT-large has 340M parameters.", "BERT-large has 340 million (340M) parameters."),
        ("BERT 发表于 2018年10月11日。", BERT_ZH),
        (BERT, BERT),
    ],
)
def test_supported(library, sentence, evidence) -> None:
    assert verify(sentence, [library.evidence(evidence, "bert")], library.knowledge).supported


@pytest.mark.parametrize(
    ("sentence", "evidence", "reason"),
    [
        ("BERT was published on October 12, 2018.", BERT, "date"),
        ("BERT has 340 million parameters.", BERT, "number"),
        ("BERT is the encoder of GPT.", BERT, "GPT"),
        ("BERT was published by Yann LeCun in 2018.", BERT, "Yann"),
        ("BERT translates spoken languages on mobile telephones.", BERT, "words"),
        ("BERT is not the encoder of the Transformer.", BERT, "deny"),
        ("BERT 不是 Transformer 编码器。", BERT_ZH, "deny"),
        ("BERT 发表于 2019 年。", BERT_ZH, "date"),
        ("BERT has 60 million neurons.", "BERT has 60 million (60M) parameters (layers 12, neurons 650000).", "else"),
        ("BERT-large has 110M parameters.", "BERT-base has 110M parameters.", "BERT-large"),
        ("BERT is a variant of BERT.", BERT, "by itself"),
        ("BERT uses recurrence.", "BERT does not use recurrence.", "denies"),
        ("Transformer builds on BERT.", "BERT builds on Transformer.", "other way round"),
        ("Transformer 建立在 BERT 之上。", "BERT 建立在 Transformer 之上：只保留编码器。", "other way round"),
    ],
)
def test_unsupported(library, sentence, evidence, reason) -> None:
    verdict = verify(sentence, [library.evidence(evidence, "bert")], library.knowledge)
    assert not verdict.supported
    assert reason in verdict.reason


def test_nothing_stands_without_a_citation(library) -> None:
    assert verify(BERT, [], library.knowledge).reason == "no citation"


def test_a_claim_supports_its_rendering_in_the_other_language(library, perceptron) -> None:
    assert verify("感知机由罗森布拉特提出。", perceptron[:1], library.knowledge).supported
    assert not verify("感知机由辛顿提出。", perceptron[:1], library.knowledge).supported


@pytest.mark.parametrize(
    ("sentence", "text", "supported"),
    [
        ("感知机运行在 90 台服务器上。", "它运行在 90 台服务器、2880 个处理器核上。", True),
        ("感知机先用 59.5 万对图文训练。", "先用 59.5 万对图文训练，再用对话数据训练。", True),
        ("感知机运行在 90 个处理器核上。", "它运行在 90 台服务器、2880 个处理器核上。", False),
    ],
)
def test_what_is_counted_is_a_whole_word_after_its_measure(library, sentence, text, supported) -> None:
    assert verify(sentence, [library.evidence(text, "perceptron")], library.knowledge).supported is supported
