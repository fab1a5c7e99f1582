import pytest

from ailineage.models.decoder.quantities import counted, dated, dates, numbers


@pytest.mark.parametrize(
    "text",
    [
        "June 12, 2017",
        "12 June 2017",
        "2017-06-12",
        "2017.06.12",
        "2017/6/12",
        "2017年6月12日",
        "2017 年 6 月 12 日",
        "Jun. 12th, 2017",
    ],
)
def test_one_date_in_every_notation(text: str) -> None:
    assert dates(f"发表于 {text}，") == {"2017-06-12"}


@pytest.mark.parametrize("text", ["110M", "110 million", "1.1 亿", "1.1亿", "11000 万", "110,000,000"])
def test_one_number_in_every_notation(text: str) -> None:
    assert numbers(f"it has {text} parameters") == {110_000_000.0}


def test_parts_of_names_are_no_numbers() -> None:
    assert numbers("GPT-2, VGG-16, ResNet50 and word2vec in 2019") == set()


def test_a_date_may_be_said_less_precisely_but_not_more() -> None:
    assert dated("2017", {"2017-06-12"})
    assert not dated("2017-06-12", {"2017"})


def test_large_numbers_may_be_rounded() -> None:
    assert counted(1.558e9, {1_557_611_200.0})
    assert not counted(12, {13.0})


def test_number_words_equal_digits() -> None:
    assert numbers("eleven tasks") == numbers("十一项任务") == {11.0}
