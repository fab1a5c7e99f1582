"""Released weights in our implementations: from the state dict of a checkpoint, by the names it was published under.

    weights.gpt2(state)     openai-community/gpt2, -medium, -large, -xl
    weights.bert(state)     google-bert/bert-base-uncased and the other sizes; with or without the pre-training heads
    weights.vit(state)      google/vit-base-patch16-224 and the other sizes, with or without a classifier
    weights.clip(state)     openai/clip-vit-base-patch32, -base-patch16, -large-patch14
    weights.llama(state, heads=...)     LLaMA, LLaMA 2, SmolLM2 and others of that design
    weights.gemma(state)    Gemma and Gemma 3, text only

A state dict maps names to tensors, as `torch.load` or safetensors' `load_file` give it, or a transformers model's
`state_dict()`. Sizes are read from the shapes. Of what a shape does not tell, the defaults are those of the released
models: heads 64 wide in the first four, 256 in Gemma; a rotary base; a window.

A tensor that is missing or of another shape raises ValueError with its name; tensors that are not needed (buffers,
pooling layers, a second copy of a tied matrix) are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import TypeVar

import torch
from torch import Tensor, nn

from ailineage.models.reference import bert as bert_file
from ailineage.models.reference import clip as clip_file
from ailineage.models.reference import gemma as gemma_file
from ailineage.models.reference import gpt2 as gpt2_file
from ailineage.models.reference import llama2 as llama_file
from ailineage.models.reference import vit as vit_file
from ailineage.models.reference.transformer import Layer

State = Mapping[str, Tensor]
Model = TypeVar("Model", bound=nn.Module)
_HEAD = 64


def gpt2(state: State, heads: int | None = None) -> gpt2_file.GPT2:
    """GPT-2; its matrices are stored transposed, and those of queries, keys and values as one."""
    s = _Source(state, "transformer.")
    symbols, width = s.shape("wte.weight")
    context, _ = s.shape("wpe.weight")
    config = gpt2_file.Config(symbols, context, width, heads or width // _HEAD, s.number("h.{}.ln_1.weight"))
    model = gpt2_file.build(config)
    s.copy(model.tokens.weight, "wte.weight")
    s.copy(model.positions.weight, "wpe.weight")
    for i, layer in enumerate(_layers(model.layers)):
        at, a = f"h.{i}.", layer.attention
        for place, linear in enumerate((a.q, a.k, a.v)):
            part = slice(place * width, (place + 1) * width)
            s.copy(linear.weight, f"{at}attn.c_attn.weight", lambda w, part=part: w[:, part].T)
            s.copy(linear.bias, f"{at}attn.c_attn.bias", lambda b, part=part: b[part])
        for name, linear in (
            ("attn.c_proj", a.o),
            ("mlp.c_fc", layer.forward_net.up),
            ("mlp.c_proj", layer.forward_net.down),
        ):
            s.copy(linear.weight, f"{at}{name}.weight", lambda w: w.T)
            s.copy(linear.bias, f"{at}{name}.bias")
        s.both(layer.norms[0], f"{at}ln_1")
        s.both(layer.norms[1], f"{at}ln_2")
    s.both(model.norm, "ln_f")
    return model.eval()


def bert(state: State, heads: int | None = None) -> bert_file.Bert:
    """BERT; where the checkpoint has the heads of both pre-training tasks, so has the model."""
    pretraining = "cls.seq_relationship.weight" in state
    s = _Source(_renamed(state, _OLD_NORMS), "bert.")
    symbols, width = s.shape("embeddings.word_embeddings.weight")
    positions, _ = s.shape("embeddings.position_embeddings.weight")
    layers = s.number("encoder.layer.{}.output.dense.weight")
    model = bert_file.build(
        bert_file.Config(symbols, positions, width, heads or width // _HEAD, layers, pretraining=pretraining)
    )
    s.copy(model.tokens.weight, "embeddings.word_embeddings.weight")
    s.copy(model.positions.weight, "embeddings.position_embeddings.weight")
    s.copy(model.segments.weight, "embeddings.token_type_embeddings.weight")
    s.both(model.norm, "embeddings.LayerNorm")
    for i, layer in enumerate(_layers(model.layers)):
        s.layer(
            layer,
            f"encoder.layer.{i}.",
            "attention.self.query attention.self.key attention.self.value attention.output.dense"
            " intermediate.dense output.dense attention.output.LayerNorm output.LayerNorm",
        )
    s.both(model.pooler, "pooler.dense")
    if model.heads is not None:
        s.both(model.heads.transform, "cls.predictions.transform.dense")
        s.both(model.heads.norm, "cls.predictions.transform.LayerNorm")
        s.copy(model.heads.bias, "cls.predictions.bias")
        s.both(model.heads.next_sentence, "cls.seq_relationship")
    return model.eval()


def vit(state: State, heads: int | None = None) -> vit_file.ViT:
    """A Vision Transformer for square images."""
    s = _Source(_renamed(state, _NEW_VIT), "vit.")
    width, colours, patch, _ = s.shape("embeddings.patch_embeddings.projection.weight")
    places = s.shape("embeddings.position_embeddings")[1] - 1
    layers, (hidden, _) = s.number("layers.{}.layernorm_before.weight"), s.shape("layers.0.mlp.fc1.weight")
    classes = s.shape("classifier.weight")[0] if "classifier.weight" in state else 0
    image = round(places**0.5) * patch
    model = vit_file.build(
        vit_file.Config(image, patch, colours, width, heads or width // _HEAD, layers, hidden, classes)
    )
    s.both(model.patches.conv, "embeddings.patch_embeddings.projection")
    s.copy(model.token, "embeddings.cls_token")
    s.copy(model.positions, "embeddings.position_embeddings", lambda w: w[0])
    for i, layer in enumerate(_layers(model.layers)):
        s.layer(
            layer,
            f"layers.{i}.",
            "attention.q_proj attention.k_proj attention.v_proj attention.o_proj"
            " mlp.fc1 mlp.fc2 layernorm_before layernorm_after",
        )
    s.both(model.norm, "layernorm")
    if classes:
        s.both(model.head, "classifier")
    return model.eval()


def clip(state: State, heads: int | None = None, text_heads: int | None = None) -> clip_file.CLIP:
    """CLIP with a Vision Transformer; the highest id must be that of the end of a text, as in the released ones."""
    s = _Source(state)
    at, said = "vision_model.", "text_model."
    width, colours, patch, _ = s.shape(f"{at}embeddings.patch_embedding.weight")
    image = round((s.shape(f"{at}embeddings.position_embedding.weight")[0] - 1) ** 0.5) * patch
    symbols, text_width = s.shape(f"{said}embeddings.token_embedding.weight")
    config = clip_file.Config(
        image,
        patch,
        colours,
        width,
        s.number(f"{at}encoder.layers.{{}}.layer_norm1.weight"),
        heads or width // _HEAD,
        symbols,
        s.shape(f"{said}embeddings.position_embedding.weight")[0],
        text_width,
        s.number(f"{said}encoder.layers.{{}}.layer_norm1.weight"),
        text_heads or heads or text_width // _HEAD,
        s.shape("visual_projection.weight")[0],
    )
    model = clip_file.build(config)
    s.copy(model.patches.weight, f"{at}embeddings.patch_embedding.weight")
    s.copy(model.token, f"{at}embeddings.class_embedding")
    s.copy(model.places, f"{at}embeddings.position_embedding.weight")
    s.copy(model.words.weight, f"{said}embeddings.token_embedding.weight")
    s.copy(model.positions, f"{said}embeddings.position_embedding.weight")
    s.copy(model.image_out.weight, "visual_projection.weight")
    s.copy(model.text_out.weight, "text_projection.weight")
    s.copy(model.scale, "logit_scale")
    s.both(model.norm_in, f"{at}pre_layrnorm")  # misspelt so in the checkpoints
    s.both(model.norm_image, f"{at}post_layernorm")
    s.both(model.norm_text, f"{said}final_layer_norm")
    for prefix, layers in ((at, model.image_layers), (said, model.text_layers)):
        for i, layer in enumerate(_layers(layers)):
            s.layer(
                layer,
                f"{prefix}encoder.layers.{i}.",
                "self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.out_proj"
                " mlp.fc1 mlp.fc2 layer_norm1 layer_norm2",
            )
    return model.eval()


def llama(state: State, heads: int, base: float = 10_000.0, eps: float = 1e-5) -> llama_file.Llama:
    """LLaMA, LLaMA 2, SmolLM2; without an output matrix of its own the embedding serves.

    Args:
        state: the checkpoint.
        heads: query heads; 32, 40 and 64 in LLaMA 2's 7B, 13B and 70B, 9 in SmolLM2-135M.
        base: of the rotary angles; 100,000 in SmolLM2.
        eps: in the norms.
    """
    s = _Source(state, "model.")
    symbols, width = s.shape("embed_tokens.weight")
    groups = s.shape("layers.0.self_attn.k_proj.weight")[0] * heads // width
    layers, hidden = s.number("layers.{}.input_layernorm.weight"), s.shape("layers.0.mlp.gate_proj.weight")[0]
    tied = "lm_head.weight" not in state or torch.equal(state["lm_head.weight"], s["embed_tokens.weight"])
    config = llama_file.Config(symbols, width, heads, groups, layers, hidden, eps, base, tied)
    model = llama_file.build(config)
    s.copy(model.tokens.weight, "embed_tokens.weight")
    s.copy(model.norm.weight, "norm.weight")
    if not tied:
        s.copy(model.head.weight, "lm_head.weight")
    for i, block in enumerate(model.blocks):
        s.block(block, f"layers.{i}.", {"norm1": "input_layernorm", "norm2": "post_attention_layernorm"})
    return model.eval()


def gemma(state: State, head: int = 256, window: int = 512, every: int = 6, eps: float = 1e-6) -> gemma_file.Gemma:
    """Gemma, or Gemma 3 where the checkpoint has norms of queries.

    Args:
        state: the checkpoint.
        head: width of a head.
        window: places that a local layer of Gemma 3 sees; 512 in 270M and 1B, 1,024 in the larger ones.
        every: each such layer of Gemma 3 sees everything.
        eps: in the norms.
    """
    s = _Source(state, "model.")
    symbols, width = s.shape("embed_tokens.weight")
    third = "model.layers.0.self_attn.q_norm.weight" in state
    config = gemma_file.Config(
        symbols,
        width,
        s.shape("layers.0.self_attn.q_proj.weight")[0] // head,
        s.shape("layers.0.self_attn.k_proj.weight")[0] // head,
        head,
        s.number("layers.{}.input_layernorm.weight"),
        s.shape("layers.0.mlp.gate_proj.weight")[0],
        third,
        window,
        every,
        eps,
    )
    model = gemma_file.build(config)
    s.copy(model.tokens.weight, "embed_tokens.weight")
    s.copy(model.norm.weight, "norm.weight")
    norms = {"norm1": "input_layernorm", "norm2": "post_attention_layernorm"}
    if third:
        norms |= {"after1": "post_attention_layernorm", "norm2": "pre_feedforward_layernorm"}
        norms |= {"after2": "post_feedforward_layernorm", "norm_q": "self_attn.q_norm", "norm_k": "self_attn.k_norm"}
    for i, block in enumerate(model.blocks):
        s.block(block, f"layers.{i}.", norms)
    return model.eval()


class _Source:
    """A state dict that may have a prefix before some of its names."""

    def __init__(self, state: State, prefix: str = "") -> None:
        self.state, self.prefix = state, prefix

    def __getitem__(self, name: str) -> Tensor:
        for key in (self.prefix + name, name):
            if key in self.state:
                return self.state[key]
        raise ValueError(f"the checkpoint has no tensor {name!r}")

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self[name].shape)

    def number(self, pattern: str) -> int:
        """How many layers there are: the first number that a name with {} in it is not found for."""
        there = (i for i in count() if not any(p + pattern.format(i) in self.state for p in (self.prefix, "")))
        return next(there)

    def copy(self, to: Tensor, name: str, change: Callable[[Tensor], Tensor] = lambda w: w) -> None:
        found = change(self[name])
        if found.shape != to.shape:
            raise ValueError(f"the checkpoint's tensor {name!r} gives {tuple(found.shape)}, not {tuple(to.shape)}")
        with torch.no_grad():
            to.copy_(found)

    def both(self, module: nn.Module, name: str) -> None:
        """A weight and its bias."""
        self.copy(module.weight, f"{name}.weight")
        self.copy(module.bias, f"{name}.bias")

    def layer(self, layer: Layer, prefix: str, names: str) -> None:
        """A layer of our Transformer, its eight parts in the order q, k, v, o, up, down and the two norms."""
        a, f = layer.attention, layer.forward_net
        parts = (a.q, a.k, a.v, a.o, f.up, f.down, *layer.norms)
        for module, name in zip(parts, names.split(), strict=True):
            self.both(module, prefix + name)

    def block(self, block: nn.Module, prefix: str, norms: Mapping[str, str]) -> None:
        """A block of LLaMA or Gemma."""
        names = {f"{part}": f"self_attn.{part}_proj" for part in "qkvo"}
        names |= {part: f"mlp.{part}_proj" for part in ("gate", "up", "down")}
        for ours, theirs in (names | dict(norms)).items():
            self.copy(getattr(block, ours).weight, f"{prefix}{theirs}.weight")


_OLD_NORMS = {r"LayerNorm\.gamma$": "LayerNorm.weight", r"LayerNorm\.beta$": "LayerNorm.bias"}
"""BERT's first checkpoints name the norms' weights so."""
_NEW_VIT = {
    r"encoder\.layer\.(\d+)\.": r"layers.\1.",
    r"attention\.attention\.(q|k|v)(?:uery|ey|alue)\.": r"attention.\1_proj.",
    r"attention\.output\.dense\.": "attention.o_proj.",
    r"intermediate\.dense\.": "mlp.fc1.",
    r"(?<=\d\.)output\.dense\.": "mlp.fc2.",
}
"""From the names of the released Vision Transformers to those that transformers gives them since its version 5."""


def _renamed(state: State, names: Mapping[str, str]) -> dict[str, Tensor]:
    found = {}
    for key, tensor in state.items():
        for pattern, name in names.items():
            key = re.sub(pattern, name, key)
        found[key] = tensor
    return found


def _layers(layers: nn.ModuleList) -> Iterator[Layer]:
    for layer in layers:
        assert isinstance(layer, Layer)
        yield layer
