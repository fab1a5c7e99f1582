"""The fast runtime's file: the packaged GGUF with fewer tokens and, where there is one, an adapter merged into it.

Rows of the embedding are copied as they are quantised. A matrix that the adapter changes is read to float32, changed
(W + alpha / r B A, Hu et al. 2021, arXiv 2106.09685, equation 3), and written in 8 bits (Q8_0); all others are copied.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ailineage.errors import WeightsError

_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_KEY = re.compile(r"layers\.(\d+)\.((?:self_attn|mlp)\.\w+)\.lora_A\.weight$")
_EMBEDDING = "token_embd.weight"


def merge(gguf: Path, keep: NDArray[np.int64] | None, adapter: Path | None, out: Path) -> None:
    """Write a GGUF file.

    Args:
        gguf: the base.
        keep: ids of the tokens that stay, ascending; all of them if None.
        adapter: folder of a peft LoRA adapter, if one is to be merged.
        out: the file to write.

    Raises:
        WeightsError: if the adapter is no LoRA adapter of this base.
    """
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
    from gguf.quants import dequantize, quantize
    from tqdm import tqdm

    reader = GGUFReader(gguf)
    changes = _changes(adapter) if adapter is not None else {}
    if unknown := sorted(set(changes) - {tensor.name for tensor in reader.tensors}):
        raise WeightsError(f"{adapter}: changes {unknown[0]}, which {gguf.name} does not have; it is of another base")
    writer = GGUFWriter(out, str(reader.fields["general.architecture"].contents()))
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            value, kind = field.contents(), field.types[0]
            if keep is not None:
                value = _renumbered(name, value, keep)
            writer.add_key_value(name, value, kind, field.types[-1] if kind == GGUFValueType.ARRAY else None)
    for tensor in tqdm(reader.tensors, desc="preparing the decoder (once)", unit="tensor", disable=None):
        data, form = tensor.data, tensor.tensor_type
        if tensor.name == _EMBEDDING and keep is not None:
            data = data[keep]
        if tensor.name in changes:
            whole, change = dequantize(data, form), changes[tensor.name]
            if whole.shape != change.shape:
                raise WeightsError(f"{adapter}: {tensor.name} has the shape {change.shape} and not {whole.shape}")
            form = GGMLQuantizationType.Q8_0
            data = quantize((whole + change).astype(np.float32), form)
        writer.add_tensor(tensor.name, np.ascontiguousarray(data), raw_dtype=form)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _renumbered(name: str, value: Any, keep: NDArray[np.int64]) -> Any:
    if name in ("tokenizer.ggml.tokens", "tokenizer.ggml.scores", "tokenizer.ggml.token_type"):
        return [value[id] for id in keep]
    if name.startswith("tokenizer.ggml.") and name.endswith("_token_id"):
        return int(np.searchsorted(keep, value))
    return value


def _changes(adapter: Path) -> dict[str, NDArray[np.float32]]:
    """What an adapter adds to each matrix (out, in), by its name in a GGUF."""
    import orjson
    from safetensors.numpy import load_file

    try:
        config = orjson.loads((adapter / "adapter_config.json").read_bytes())
        weights = load_file(adapter / "adapter_model.safetensors")
        scale = config["lora_alpha"] / config["r"]
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(f"{adapter}: no LoRA adapter of peft ({error})") from None
    found = {}
    for key, down in weights.items():
        match = _KEY.search(key)
        if match is None:
            if not key.endswith("lora_B.weight"):
                raise WeightsError(f"{adapter}: {key} cannot be merged; only LoRA on the linear layers can")
            continue
        up = weights[key.replace("lora_A", "lora_B")]
        change = scale * up.astype(np.float32) @ down.astype(np.float32)
        found[f"blk.{match[1]}.{_NAMES[match[2]]}.weight"] = change.astype(np.float32)
    return found
