from __future__ import annotations

import pytest

from ailineage.models.reference import implementations
from ailineage.ui.equations import equations, tex


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ("y = softmax(Q K^T / sqrt(d_k)) V", r"y = \mathrm{softmax}(Q K^{T} / \sqrt{d_{k}}) V"),
        ("h_t = tanh(W x_t + U h_{t-1})", r"h_{t} = \tanh (W x_{t} + U h_{t-1})"),
        ("alpha_bar_t = prod_{s <= t} alpha_s", r"\bar{\alpha}_{t} = \prod _{s \le t} \alpha _{s}"),
        ("w <- w - eta dE/dw", r"w \leftarrow w - \eta dE/dw"),
        ("p(y_t | y_<t)", r"p(y_{t} | y_{<t})"),
        ("x^ = (x - mu) / sigma", r"\hat{x} = (x - \mu ) / \sigma"),
        ("y = 1 if a >= 0 else 0", r"y = 1 \text{ if } a \ge 0 \text{ else } 0"),
    ],
)
def test_plain_notation_becomes_tex(plain: str, expected: str) -> None:
    assert tex(plain) == expected


def test_a_sentence_is_no_equation_and_a_label_is_kept() -> None:
    source = "# the state at the end of the text, which has the highest id = last\nx = 1\n    # (3)   y = a x + b\n"
    (found,) = equations(source)
    assert (found.line, found.label, found.tex) == (3, "(3)", "y = a x + b")


def test_every_file_with_numbered_equations_shows_some_and_brackets_match() -> None:
    shown = 0
    for item in implementations().values():
        for equation in equations(item.source):
            shown += 1
            assert equation.tex.count("{") - equation.tex.count(r"\{") == equation.tex.count("}") - equation.tex.count(
                r"\}"
            ), (item.id, equation)
    assert shown > 80
