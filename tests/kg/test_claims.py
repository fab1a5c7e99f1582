from __future__ import annotations

import pytest

from ailineage.kg.claims import judge
from ailineage.kg.model import AUTHORED, Claim
from ailineage.kg.vocabulary import Relation


def claim(value: str, document: str, *, authored: bool = False, confidence: float = 0.8, **more: object) -> Claim:
    return Claim.make(
        **{
            "subject": "vae",
            "relation": Relation.PUBLISHED_ON,
            "value": value,
            "document": document,
            "start": 0,
            "end": 1,
            "text": "x",
            "extractor": AUTHORED if authored else "patterns",
            "confidence": 1.0 if authored else confidence,
            **more,
        }
    )


def test_the_library_is_preferred_and_the_disagreement_is_kept() -> None:
    ours, theirs = claim("2013-12-20", "vae.en", authored=True), claim("2012-12-20", "notes.txt", confidence=0.99)
    judged = {c.id: c for c in judge([theirs, ours])}
    assert judged[ours.id].preferred
    assert not judged[theirs.id].preferred
    assert judged[ours.id].conflicts_with == (theirs.id,)
    assert judged[theirs.id].conflicts_with == (ours.id,)


@pytest.mark.parametrize(("one", "other", "conflict"), [("2013", "2013-12-20", False), ("2013-11", "2013-12", True)])
def test_dates_agree_at_the_precision_known(one: str, other: str, conflict: bool) -> None:
    judged = judge([claim(one, "a"), claim(other, "b")])
    assert any(c.conflicts_with for c in judged) is conflict


def test_between_documents_confidence_then_agreement_decides() -> None:
    low, high = claim("2012", "a", confidence=0.5), claim("2013", "b", confidence=0.9)
    assert [c.value for c in judge([low, high]) if c.preferred] == ["2013"]
    claims = [claim("2012", "a"), claim("2013", "b"), claim("2013-05", "c"), claim("2013-05", "d")]
    assert "2013-05" in {c.value for c in judge(claims) if c.preferred}


def test_rounded_sizes_agree_and_wrong_ones_do_not() -> None:
    size = {"relation": Relation.HAS_PARAMETERS}
    ours = claim("25557032", "resnet.en", authored=True, qualifier="ResNet-50", **size)
    rounded, wrong = claim("25600000", "a", **size), claim("6000000", "b", **size)
    judged = {c.id: c for c in judge([ours, rounded, wrong])}
    assert not judged[rounded.id].conflicts_with
    assert judged[wrong.id].conflicts_with == (ours.id,)
    assert not judged[wrong.id].preferred


def test_several_authored_sizes_are_no_conflict_and_one_match_is_enough() -> None:
    size = {"relation": Relation.HAS_PARAMETERS}
    base = claim("110000000", "bert.en", authored=True, qualifier="base", **size)
    large = claim("340000000", "bert.en", authored=True, qualifier="large", **size)
    theirs = claim("340000000", "notes", **size)
    assert not any(c.conflicts_with for c in judge([base, large, theirs]))


def test_the_verdict_does_not_depend_on_the_order() -> None:
    claims = [claim("2012", "a"), claim("2013", "b"), claim("2014", "c")]
    assert judge(claims) == judge(reversed(claims))
    assert sum(c.preferred for c in judge(claims)) == 1


def test_what_agrees_with_the_library_goes_before_what_does_not() -> None:
    ours = claim("2021-01-05", "clip.en", authored=True)
    agrees, differs = claim("2021-01", "a", confidence=0.7), claim("2021-02-26", "b", confidence=0.9)
    judged = {c.id: c for c in judge([ours, agrees, differs])}
    assert judged[agrees.id].preferred
    assert not judged[differs.id].preferred
