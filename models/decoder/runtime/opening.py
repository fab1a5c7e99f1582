"""Choose and open the runtime for a model."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ailineage.models.decoder.runtime.base import Decoder
from ailineage.models.decoder.weights import Runtime, prepare


def open_decoder(
    name: str | None, cache: Path, device: str = "auto", *, runtime: Runtime | None = None, adapter: Path | None = None
) -> Decoder:
    """The decoder for a model.

    Args:
        name: None for the packaged weights, else a GGUF file, a folder or a hub name.
        cache: folder for converted weights.
        device: auto, cpu or cuda; cuda is served by transformers.
        runtime: llama.cpp (the fast one) or transformers (the reference); chosen by what is installed if None.
        adapter: folder of a peft adapter that was trained on these weights.

    Raises:
        WeightsError: if weights are missing or damaged.
    """
    if runtime is None:
        fast = find_spec("xllamacpp") is not None and device != "cuda"
        runtime = "llama.cpp" if fast else "transformers"
    weights = prepare(name, cache, runtime, adapter)
    if weights.runtime == "llama.cpp":
        from ailineage.models.decoder.runtime.llama_cpp import LlamaCppDecoder

        return LlamaCppDecoder(weights)
    from ailineage.models.decoder.runtime.transformers_lm import TransformersDecoder

    return TransformersDecoder(weights, device=device)
