"""What every decoder can do, and the shape of what it may write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

SENTENCES = 4
"""Most sentences an answer may have."""


class Decoder(Protocol):
    """A language model that continues a prompt.

    `base` names its weights, `adapter` what was trained on top of them (None for the untuned base).
    """

    base: str
    adapter: str | None

    def generate(self, prompt: str, markers: Sequence[int], max_tokens: int = 160) -> Iterator[str]:
        """Pieces of text as they are written; closing the iterator stops the model.

        Args:
            prompt: ends where the answer begins.
            markers: the only n that may be written as a citation [n].
            max_tokens: an upper bound.
        """
        ...


DECLINED = {"en": "Not in the evidence.", "zh": "资料没有说明。"}
"""What a tuned decoder opens a refusal with."""


def grammar(markers: Sequence[int], sentences: int = SENTENCES, *, declines: bool = False) -> str:
    """A GBNF grammar: one to `sentences` sentences on one line, each followed by one or two of the markers.

    A full stop ends a sentence unless a letter or digit follows it (`3.5`, `U.S.`). With `declines` the line may
    open with one of `DECLINED`, and may end there.

    Raises:
        ValueError: if there is no marker to cite with.
    """
    if not markers:
        raise ValueError("no marker: there is nothing that could be cited")
    numbers = " | ".join(f'"{n}"' for n in dict.fromkeys(markers))
    root = f'" "? sentence (" "? sentence){{0,{sentences - 1}}} "\\n"'
    if declines:
        said = " | ".join(f'"{line}"' for line in DECLINED.values())
        root += f' | " "? ({said}) (" "? sentence){{0,{sentences - 1}}} "\\n"'
    return "\n".join(
        (
            f"root ::= {root}",
            "sentence ::= start part+ stop mark",
            r"start ::= [^.!?。！？\[\]\n\t ]",
            r'part ::= [^.!?。！？\[\]\n] | "." [0-9A-Za-z]',
            'stop ::= [.!?。！？] " "?',
            "mark ::= one one?",
            f'one ::= "[" ({numbers}) "]"',
        )
    )
