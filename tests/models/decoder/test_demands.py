"""What a sentence must hold to be an answer."""

import pytest

from ailineage.models.decoder.demands import demand
from ailineage.models.decoder.selection import Piece


def met(library, question, text, node="alexnet"):
    demanded = demand(question, library.knowledge)
    assert demanded is not None
    return demanded.by(Piece(library.evidence(text, node), 0.0, False, frozenset()))


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("how much did the cards for AlexNet cost?", "The two cards cost about 500 dollars each."),
        ("训练 AlexNet 花了多少钱", "训练 AlexNet 花了约 3 万美元。"),
        ("how old was Hinton when AlexNet came out", "Hinton was born in 1947."),
        ("辛顿当时多大年纪", "辛顿生于 1947 年。"),
        ("how many GPUs did AlexNet use", "AlexNet was trained on two graphics cards."),
        ("AlexNet 用了几块显卡", "AlexNet 用两块 GPU 训练。"),
        ("how many layers does AlexNet have", "It has five convolutional layers and three dense ones."),
        ("how many GPUs did AlexNet use", "The number of GPUs was not published."),
        ("what percentage of AlexNet's weights is dense?", "Most weights of AlexNet are in the dense layers."),
        ("AlexNet 的全连接层参数占多少", "AlexNet 的参数有 96% 在全连接层。"),
    ],
)
def test_a_sentence_with_what_is_asked_for_meets_the_demand(library, question, text) -> None:
    assert met(library, question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("how much did the cards for AlexNet cost?", "AlexNet was trained on two GTX 580 cards."),
        ("训练 AlexNet 花了多少钱", "AlexNet 在两块显卡上训练了五到六天。"),
        ("how old was Hinton when AlexNet came out", "Hinton and two students published AlexNet in 2012."),
        ("what fraction of AlexNet's data was blurred?", "AlexNet was trained on ImageNet."),
        ("how many GPUs did AlexNet use", "AlexNet has 60 million parameters."),
        ("AlexNet 在 GitHub 上有多少颗星", "AlexNet 有 6000 万个参数。"),
        ("how many stars has AlexNet", "AlexNet stands among the stars in a list (arXiv 1234.56789)."),
    ],
)
def test_a_sentence_without_it_does_not(library, question, text) -> None:
    assert not met(library, question, text)


@pytest.mark.parametrize(
    "question", ["how does AlexNet work", "AlexNet 是什么", "how many times was it tried", "这几代网络"]
)
def test_most_questions_demand_nothing_of_the_sort(library, question) -> None:
    assert demand(question, library.knowledge) is None
