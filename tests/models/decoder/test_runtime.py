import pytest

from ailineage.models.decoder.runtime.base import grammar
from ailineage.models.decoder.runtime.scripted import ScriptedDecoder
from ailineage.models.decoder.runtime.transformers_lm import MarkerProcessor

PIECES = ["a", " [", "[", "1", "2", "3", "]", "[2", "[3", "12", "][", "2]", " b.", "][1", "[x", "\n"]


def _allowed(markers: list[int], tail: list[int]) -> set[str]:
    torch = pytest.importorskip("torch")
    process = MarkerProcessor(PIECES, markers, start=0)
    scores = process(torch.tensor([tail]), torch.zeros(1, len(PIECES)))
    return {piece for piece, score in zip(PIECES, scores[0].tolist(), strict=True) if score > float("-inf")}


def test_only_markers_of_the_evidence_can_be_written() -> None:
    assert _allowed([1, 2], [0]) >= {"a", " [", "[", "[2"}
    assert not _allowed([1, 2], [0]) & {"[3", "[x"}
    assert _allowed([1, 2], [0, 2]) == {"1", "2", "2]"}
    assert _allowed([1, 2], [0, 2, 3]) == {"]", "][", "][1"}
    assert _allowed([1, 12], [0, 2, 3]) == {"]", "][", "][1", "2", "2]"}


def test_grammar_lists_the_markers_and_refuses_none() -> None:
    assert 'one ::= "[" ("1" | "3") "]"' in grammar([1, 3, 3])
    with pytest.raises(ValueError, match="no marker"):
        grammar([])


def test_a_tuned_decoder_may_open_with_a_refusal() -> None:
    assert "Not in the evidence." in grammar([1], declines=True)
    assert "Not in the evidence." not in grammar([1])


def test_scripted_decoder_leaves_out_foreign_markers_and_remembers() -> None:
    decoder = ScriptedDecoder(["Yes. [1] No. [9]"])
    assert "".join(decoder.generate("prompt", [1])) == "Yes. [1] No."
    assert "".join(decoder.generate("again", [1])) == ""
    assert decoder.prompts == ["prompt", "again"]


def test_scripted_decoder_by_function() -> None:
    decoder = ScriptedDecoder(lambda prompt, markers: f"{prompt} [{max(markers)}]")
    assert "".join(decoder.generate("Echo.", [1, 2])) == "Echo. [2]"
