from __future__ import annotations

from pathlib import Path

import numpy as np

from ailineage.retrieval.language_axis import LanguageAxis


def test_a_question_finds_the_passage_of_its_subject_in_the_other_language(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    subjects = random.normal(size=(60, 16)).astype(np.float32)
    written = np.zeros(16, np.float32)
    written[0] = 12.0  # the language outweighs the subject

    def unit(vectors: np.ndarray) -> np.ndarray:
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

    vectors = unit(np.concatenate([subjects + written, subjects - written])).astype(np.float32)
    axis = LanguageAxis.build(vectors, ["en"] * 60 + ["zh"] * 60)
    query = unit(subjects[7] + 0.1 - written).astype(np.float32)
    cosines = vectors @ query
    assert set(np.argsort(-cosines)[:5]) <= set(range(60, 120))
    assert set(np.argsort(-axis.without(query, cosines))[:2]) == {7, 67}
    axis.save(tmp_path)
    again = LanguageAxis.load(tmp_path)
    np.testing.assert_array_equal(again.without(query, cosines), axis.without(query, cosines))


def test_one_language_is_left_as_it_is() -> None:
    vectors = np.eye(60, dtype=np.float32)
    axis = LanguageAxis.build(vectors, ["en"] * 60)
    np.testing.assert_allclose(axis.without(vectors[0], vectors @ vectors[0]), vectors[0], atol=1e-6)
