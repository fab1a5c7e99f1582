"""The reference runtime: torch and transformers, any causal language model, with or without a peft adapter.

Citations are constrained as in the fast runtime: after `[` only the digits of a marker that is in the evidence, then
`]`, can be written.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ailineage.errors import WeightsError
from ailineage.models.decoder.runtime.base import SENTENCES
from ailineage.models.decoder.weights import Weights

if TYPE_CHECKING:
    import torch

_OPEN = re.compile(r"\[\d*$")
_ENDS = re.compile(r"[.!?。！？]\s*(?:\[\d+\])+")


class MarkerProcessor:
    """A logits processor that forbids every token that would make a citation of something not in the evidence.

    Args:
        pieces: the text of every token, by id; V in all.
        markers: the allowed n.
        start: length of the prompt in tokens.
    """

    def __init__(self, pieces: Sequence[str], markers: Sequence[int], start: int) -> None:
        self._pieces = pieces
        self._allowed = {f"[{n}]" for n in markers}
        self._prefixes = {marker[:length] for marker in self._allowed for length in range(len(marker) + 1)}
        self._touching = [id for id, piece in enumerate(pieces) if "[" in piece]
        self._inside = [id for id, piece in enumerate(pieces) if piece and re.match(r"\d*\]?", piece)[0]]  # type: ignore[index]
        self._start = start

    def permitted(self, tail: str, piece: str) -> bool:
        """Whether a piece may follow a text: every bracket it opens or goes on with leads to an allowed marker."""
        begun = _OPEN.search(tail)
        text = (begun[0] if begun else "") + piece
        closed = re.sub(r"\[\d+\]", lambda match: "" if match[0] in self._allowed else match[0], text)
        at = closed.find("[")
        return at < 0 or closed[at:] in self._prefixes

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores (1, V) for the token after ids (1, T), with what is not permitted at minus infinity."""
        import torch

        tail = "".join(self._pieces[int(id)] for id in ids[0, self._start :][-8:])
        if _OPEN.search(tail):
            mask = torch.ones_like(scores, dtype=torch.bool)
            mask[0, [id for id in self._inside if self.permitted(tail, self._pieces[id])]] = False
        else:
            mask = torch.zeros_like(scores, dtype=torch.bool)
            mask[0, [id for id in self._touching if not self.permitted(tail, self._pieces[id])]] = True
        return scores.masked_fill(mask, float("-inf"))


class TransformersDecoder:
    """A causal language model in torch, greedy.

    Args:
        weights: `path` is a model folder or hub name; an adapter is merged when loaded.
        device: auto, cpu or cuda.

    Raises:
        WeightsError: if the model or the adapter cannot be loaded.
    """

    def __init__(self, weights: Weights, device: str = "auto") -> None:
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError:
            raise WeightsError(
                "torch and transformers are not installed; run `pip install torch transformers`"
            ) from None
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = torch.bfloat16 if device == "cuda" else torch.float32
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(weights.path)
            model: Any = AutoModelForCausalLM.from_pretrained(weights.path, dtype=dtype)
        except (OSError, ValueError) as error:
            raise WeightsError(f"{weights.name}: cannot be loaded: {str(error).splitlines()[0]}") from None
        if weights.adapter is not None:
            model = _with_adapter(model, weights.adapter)
        self._model: Any = model.to(device).eval()
        self._pieces: list[str] | None = None
        self._lock = threading.Lock()
        self.base = weights.name
        self.adapter = weights.adapter and Path(weights.adapter).name

    def _vocabulary(self) -> list[str]:
        """The text of every token of the model's output, by id; special tokens are empty."""
        if self._pieces is None:
            special = set(self._tokenizer.all_special_ids)
            size = self._model.get_output_embeddings().weight.shape[0]
            tokens = self._tokenizer.convert_ids_to_tokens(list(range(min(size, len(self._tokenizer)))))
            self._pieces = [
                "" if id in special or token is None else token.replace("\u2581", " ").replace("\u0120", " ")
                for id, token in enumerate(tokens)
            ]
            self._pieces += [""] * (size - len(self._pieces))
        return self._pieces

    def generate(self, prompt: str, markers: Sequence[int], max_tokens: int = 160) -> Iterator[str]:
        """Pieces of text as they are written; closing the iterator stops the model."""
        import torch

        with self._lock, torch.inference_mode():
            encoded = self._tokenizer(prompt, return_tensors="pt")
            ids = encoded["input_ids"].to(self._model.device)
            process = MarkerProcessor(self._vocabulary(), markers, ids.shape[1])
            ends = set(self._ends())
            cache, step, written, shown = None, ids, [], ""
            for _ in range(max_tokens):
                out = self._model(input_ids=step, past_key_values=cache, use_cache=True, logits_to_keep=1)
                cache = out.past_key_values
                step = process(ids, out.logits[:, -1].float()).argmax(-1, keepdim=True)
                if int(step) in ends:
                    return
                ids = torch.cat((ids, step), dim=1)
                written.append(int(step))
                text = self._tokenizer.decode(written, skip_special_tokens=True)
                if text.endswith("\ufffd"):  # half a character
                    continue
                piece, shown = text[len(shown) :], text
                line, newline, _ = piece.partition("\n")
                if line:
                    yield line
                if (newline and shown.strip()) or len(_ENDS.findall(shown)) >= SENTENCES:
                    return

    def _ends(self) -> list[int]:
        end = self._model.generation_config.eos_token_id
        ends = end if isinstance(end, list) else [end]
        return [id for id in (*ends, self._tokenizer.eos_token_id) if id is not None]


def _with_adapter(model: Any, adapter: str) -> Any:
    try:
        from peft import PeftModel
    except ImportError:
        raise WeightsError(f"{adapter}: an adapter needs peft; run `pip install peft`") from None
    try:
        return PeftModel.from_pretrained(model, adapter).merge_and_unload()
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{adapter}: cannot be loaded as an adapter: {str(error).splitlines()[0]}") from None
