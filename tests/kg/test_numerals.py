from __future__ import annotations

import pytest

from ailineage.kg.numerals import digits, numbers


@pytest.mark.parametrize(
    ("en", "zh"),
    [
        ("1.3 million images", "130 万张图像"),
        ("175 billion parameters", "1750 亿参数"),
        ("30,000 words", "三万个词"),
        ("half a billion", "5 亿"),
        ("a batch of 32,768", "批次为 32768"),
        ("7 trillion tokens", "7 万亿词元"),
        ("fifty thousand", "5 万"),
    ],
)
def test_the_same_number_is_known_in_both_languages(en: str, zh: str) -> None:
    assert digits(en, "en") & digits(zh, "zh")


def test_units_are_multiplied_out() -> None:
    assert set(numbers("1.5 billion, 66M and 340", "en")) == {1.5e9, 66e6, 340}
    assert set(numbers("15 亿、6600 万和340", "zh")) == {15e8, 66e6, 340}


def test_a_version_is_no_number() -> None:
    assert numbers("GPT-3 and Llama2", "en") == {}
