from __future__ import annotations

import pytest

from ailineage.errors import VocabularyError
from ailineage.kg.vocabulary import (
    FAMILY_LABELS,
    KIND_LABELS,
    LINEAGE,
    LITERAL,
    RANGE,
    RELATION_LABELS,
    Family,
    Kind,
    Relation,
)


def test_every_term_has_a_name_in_both_languages() -> None:
    for terms, labels in ((Kind, KIND_LABELS), (Relation, RELATION_LABELS), (Family, FAMILY_LABELS)):
        assert set(labels) == set(terms)
        assert all(label.en and label.zh for label in labels.values())


@pytest.mark.parametrize("vocabulary", [Kind, Relation, Family])
def test_an_unknown_term_raises_and_lists_the_known(vocabulary: type[Kind]) -> None:
    with pytest.raises(VocabularyError, match=next(iter(vocabulary))):
        vocabulary.parse("invented_by_nobody")


def test_literal_relations_have_no_node_range() -> None:
    assert not LITERAL & set(RANGE)
    assert not LITERAL & LINEAGE
