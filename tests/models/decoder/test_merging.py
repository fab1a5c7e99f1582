import json

import numpy as np
import pytest

from ailineage.errors import WeightsError
from ailineage.models.decoder.merging import merge

gguf = pytest.importorskip("gguf")
ROWS, WIDTH, RANK = 64, 32, 4


@pytest.fixture
def base(tmp_path):
    """A GGUF with an embedding of 10 tokens, a matrix an adapter may change, and one it does not."""
    path = tmp_path / "base.gguf"
    random = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_token_list([f"t{n}" for n in range(10)])
    writer.add_token_scores([float(-n) for n in range(10)])
    writer.add_eos_token_id(7)
    for name, shape in (("token_embd", (10, WIDTH)), ("blk.0.attn_q", (ROWS, WIDTH)), ("blk.0.attn_k", (ROWS, WIDTH))):
        writer.add_tensor(f"{name}.weight", random.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _adapter(folder, key="base_model.model.model.layers.0.self_attn.q_proj", rows=ROWS):
    from safetensors.numpy import save_file

    folder.mkdir()
    random = np.random.default_rng(1)
    up, down = random.normal(size=(rows, RANK)), random.normal(size=(RANK, WIDTH))
    weights = {f"{key}.lora_A.weight": down.astype(np.float32), f"{key}.lora_B.weight": up.astype(np.float32)}
    save_file(weights, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"r": RANK, "lora_alpha": 8}))
    return folder, (8 / RANK * up @ down).astype(np.float32)


def _read(path):
    reader = gguf.GGUFReader(path)
    from gguf.quants import dequantize

    return reader, {tensor.name: dequantize(tensor.data, tensor.tensor_type) for tensor in reader.tensors}


def test_tokens_are_left_out_and_ids_follow(base, tmp_path) -> None:
    merge(base, np.array([0, 3, 7, 9]), None, tmp_path / "out.gguf")
    reader, tensors = _read(tmp_path / "out.gguf")
    _, before = _read(base)
    assert reader.fields["tokenizer.ggml.tokens"].contents() == ["t0", "t3", "t7", "t9"]
    assert reader.fields["tokenizer.ggml.eos_token_id"].contents() == 2
    np.testing.assert_array_equal(tensors["token_embd.weight"], before["token_embd.weight"][[0, 3, 7, 9]])
    np.testing.assert_array_equal(tensors["blk.0.attn_q.weight"], before["blk.0.attn_q.weight"])


def test_an_adapter_is_added_to_its_matrix_alone(base, tmp_path) -> None:
    adapter, change = _adapter(tmp_path / "adapter")
    merge(base, None, adapter, tmp_path / "out.gguf")
    _, before = _read(base)
    _, tensors = _read(tmp_path / "out.gguf")
    wanted = before["blk.0.attn_q.weight"] + change
    np.testing.assert_allclose(tensors["blk.0.attn_q.weight"], wanted, atol=np.abs(wanted).max() / 127)
    np.testing.assert_array_equal(tensors["blk.0.attn_k.weight"], before["blk.0.attn_k.weight"])


@pytest.mark.parametrize(
    ("key", "rows", "complaint"),
    [
        ("base_model.model.model.layers.9.self_attn.q_proj", ROWS, "of another base"),
        ("base_model.model.model.layers.0.self_attn.q_proj", 2 * ROWS, "has the shape"),
        ("base_model.model.lm_head", ROWS, "cannot be merged"),
    ],
)
def test_an_adapter_of_another_base_is_refused(base, tmp_path, key, rows, complaint) -> None:
    adapter, _ = _adapter(tmp_path / "adapter", key, rows)
    with pytest.raises(WeightsError, match=complaint):
        merge(base, None, adapter, tmp_path / "out.gguf")


def test_a_folder_without_an_adapter_is_refused(base, tmp_path) -> None:
    with pytest.raises(WeightsError, match="no LoRA adapter"):
        merge(base, None, tmp_path, tmp_path / "out.gguf")
