"""Released weights in our implementations: from the state dict of a checkpoint, by the names it was published under.

    weights.gpt2(state)     openai-community/gpt2, -medium, -large, -xl
    weights.bert(state)     google-bert/bert-base-uncased and the other sizes; with or without the pre-training heads
    weights.vit(state)      google/vit-base-patch16-224 and the other sizes, with or without a classifier
    weights.clip(state)     openai/clip-vit-base-patch32, -base-patch16, -large-patch14
    weights.llama(state, heads=...)     LLaMA and LLaMA 2 (meta-llama/Llama-2-7b-hf), HuggingFaceTB/SmolLM2-135M
    weights.gemma(state)    google/gemma-2b, -7b; google/gemma-3-270m, google/gemma-3-1b-pt

A state dict maps names to tensors, as `torch.load` or safetensors' `load_file` give it, or a transformers model's
`state_dict()`; the name of the inner model before a name ("transformer.", "bert.", "vit.", "model.") may be absent.
What comes back is in float32 and evaluation mode. Sizes are read from the shapes; what no shape tells is an argument,
and its default is that of the released models.

Every tensor is used, or is named under a loader as one that it drops, or is refused. ValueError with its name is
raised where one is missing, has another shape, or belongs to no part of the model (another design with like names).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

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


def gpt2(state: State, heads: int | None = None) -> gpt2_file.GPT2:
    """GPT-2.

    Its linear layers are stored transposed, and the matrices of queries, keys and values as one, `c_attn`. Dropped:
    the masks `attn.bias` and `attn.masked_bias`; `lm_head.weight`, which must be the embedding.

    Args:
        state: the checkpoint.
        heads: of each layer; None: 64 wide, as in all four sizes.
    """
    s = _Checkpoint(state, "transformer.")
    symbols, width = s.shape("wte.weight", 2)
    context, _ = s.shape("wpe.weight", 2)
    model = gpt2_file.build(gpt2_file.Config(symbols, context, width, _heads(heads, width), s.layers("h.")))
    s.copy(model.tokens.weight, "wte.weight")
    s.copy(model.positions.weight, "wpe.weight")
    for i, layer in enumerate(_layers(model.layers)):
        at, a, f = f"h.{i}.", layer.attention, layer.forward_net
        for place, linear in enumerate((a.q, a.k, a.v)):
            part = slice(place * width, (place + 1) * width)
            s.copy(linear.weight, f"{at}attn.c_attn.weight", lambda w, part=part: w[:, part].T)
            s.copy(linear.bias, f"{at}attn.c_attn.bias", lambda b, part=part: b[part])
        for name, linear in (("attn.c_proj", a.o), ("mlp.c_fc", f.up), ("mlp.c_proj", f.down)):
            s.copy(linear.weight, f"{at}{name}.weight", lambda w: w.T)
            s.copy(linear.bias, f"{at}{name}.bias")
        s.both(layer.norms[0], f"{at}ln_1")
        s.both(layer.norms[1], f"{at}ln_2")
    s.both(model.norm, "ln_f")
    s.tied("lm_head.weight", "wte.weight")
    s.finish(r"\.attn\.(masked_)?bias$")
    return model.eval()


def bert(state: State, heads: int | None = None) -> bert_file.Bert:
    """BERT; where the checkpoint has the heads of both pre-training tasks, so has the model.

    The first checkpoints call a norm's weight `gamma` and its bias `beta`. Dropped: `position_ids`;
    `cls.predictions.decoder`, which must be the embedding and `cls.predictions.bias`.

    Args:
        state: the checkpoint.
        heads: of each layer; None: 64 wide, as in all released sizes.
    """
    s = _Checkpoint(_renamed(state, _OLD_NORMS), "bert.")
    symbols, width = s.shape("embeddings.word_embeddings.weight", 2)
    positions, _ = s.shape("embeddings.position_embeddings.weight", 2)
    pretraining = "cls.seq_relationship.weight" in s
    config = bert_file.Config(
        symbols, positions, width, _heads(heads, width), s.layers("encoder.layer."), pretraining=pretraining
    )
    model = bert_file.build(config)
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
        s.tied("cls.predictions.decoder.weight", "embeddings.word_embeddings.weight")
        s.tied("cls.predictions.decoder.bias", "cls.predictions.bias")
    s.finish(r"position_ids$")
    return model.eval()


def vit(state: State, heads: int | None = None) -> vit_file.ViT:
    """A Vision Transformer for square images; without a classifier its output is the [class] token's state.

    Layers may have their released names or those of transformers 5, which errors give. Dropped: `pooler`, which
    transformers adds.

    Args:
        state: the checkpoint.
        heads: of each layer; None: 64 wide, as in all released sizes but Huge (width 1280), where they are 80 wide.
    """
    s = _Checkpoint(_renamed(state, _NEW_VIT), "vit.")
    width, colours, patch, _ = s.shape("embeddings.patch_embeddings.projection.weight", 4)
    places = s.shape("embeddings.position_embeddings", 3)[1] - 1
    hidden, _ = s.shape("layers.0.mlp.fc1.weight", 2)
    classes = s.shape("classifier.weight", 2)[0] if "classifier.weight" in s else 0
    heads = _heads(heads, width, 80 if width == 1280 else 64)
    image = round(places**0.5) * patch
    model = vit_file.build(vit_file.Config(image, patch, colours, width, heads, s.layers("layers."), hidden, classes))
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
    s.finish(r"^(vit\.)?pooler\.")
    return model.eval()


def clip(state: State, heads: int | None = None, text_heads: int | None = None) -> clip_file.CLIP:
    """CLIP with a Vision Transformer; the highest id must be that of the end of a text, as in the released ones.

    Dropped: `position_ids`.

    Args:
        state: the checkpoint.
        heads: of each layer of the picture's encoder; None: 64 wide, as in all three.
        text_heads: of each layer of the text's encoder; None: 64 wide, as in all three.
    """
    s = _Checkpoint(state)
    seen, said = "vision_model.", "text_model."
    width, colours, patch, _ = s.shape(f"{seen}embeddings.patch_embedding.weight", 4)
    places = s.shape(f"{seen}embeddings.position_embedding.weight", 2)[0] - 1
    symbols, text_width = s.shape(f"{said}embeddings.token_embedding.weight", 2)
    config = clip_file.Config(
        image=round(places**0.5) * patch,
        patch=patch,
        colours=colours,
        width=width,
        layers=s.layers(f"{seen}encoder.layers."),
        heads=_heads(heads, width),
        symbols=symbols,
        context=s.shape(f"{said}embeddings.position_embedding.weight", 2)[0],
        text_width=text_width,
        text_layers=s.layers(f"{said}encoder.layers."),
        text_heads=_heads(text_heads, text_width),
        shared=s.shape("visual_projection.weight", 2)[0],
    )
    model = clip_file.build(config)
    s.copy(model.patches.weight, f"{seen}embeddings.patch_embedding.weight")
    s.copy(model.token, f"{seen}embeddings.class_embedding")
    s.copy(model.places, f"{seen}embeddings.position_embedding.weight")
    s.copy(model.words.weight, f"{said}embeddings.token_embedding.weight")
    s.copy(model.positions, f"{said}embeddings.position_embedding.weight")
    s.copy(model.image_out.weight, "visual_projection.weight")
    s.copy(model.text_out.weight, "text_projection.weight")
    s.copy(model.scale, "logit_scale")
    s.both(model.norm_in, f"{seen}pre_layrnorm")  # misspelt so in the checkpoints
    s.both(model.norm_image, f"{seen}post_layernorm")
    s.both(model.norm_text, f"{said}final_layer_norm")
    for prefix, layers in ((seen, model.image_layers), (said, model.text_layers)):
        for i, layer in enumerate(_layers(layers)):
            s.layer(
                layer,
                f"{prefix}encoder.layers.{i}.",
                "self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.out_proj"
                " mlp.fc1 mlp.fc2 layer_norm1 layer_norm2",
            )
    s.finish(r"position_ids$")
    return model.eval()


def llama(state: State, heads: int, base: float = 10_000.0, eps: float = 1e-5) -> llama_file.Llama:
    """LLaMA, LLaMA 2, SmolLM2; without an output matrix of its own (or with one equal to it) the embedding serves.

    LLaMA 3.1 and later stretch the rotary angles, which no tensor tells: they are not for this loader. Dropped:
    `rotary_emb.inv_freq`.

    Args:
        state: the checkpoint.
        heads: query heads; 32, 40 and 64 in LLaMA 2's 7B, 13B and 70B, 9 in SmolLM2-135M.
        base: of the rotary angles; 100,000 in SmolLM2-135M.
        eps: in the norms; 1e-6 in the first LLaMA.
    """
    s = _Checkpoint(state, "model.")
    symbols, width = s.shape("embed_tokens.weight", 2)
    groups = s.shape("layers.0.self_attn.k_proj.weight", 2)[0] * _heads(heads, width) // width
    hidden, _ = s.shape("layers.0.mlp.gate_proj.weight", 2)
    tied = "lm_head.weight" not in s or torch.equal(s["lm_head.weight"], s["embed_tokens.weight"])
    config = llama_file.Config(symbols, width, heads, groups, s.layers("layers."), hidden, eps, base, tied)
    model = llama_file.build(config)
    s.copy(model.tokens.weight, "embed_tokens.weight")
    s.copy(model.norm.weight, "norm.weight")
    if not tied:
        s.copy(model.head.weight, "lm_head.weight")
    for i, block in enumerate(model.blocks):
        s.block(block, f"layers.{i}.", {"norm1": "input_layernorm", "norm2": "post_attention_layernorm"})
    s.finish(r"rotary_emb\.inv_freq$")
    return model.eval()


def gemma(state: State, head: int = 256, window: int = 512, every: int = 6, eps: float = 1e-6) -> gemma_file.Gemma:
    """Gemma, or Gemma 3 where the checkpoint has norms of queries.

    Not for Gemma 2, which caps its logits, nor for Gemma 3's 4B, 12B and 27B: their rotary angles are stretched
    eightfold in the layers that see everything, which no tensor tells. Dropped: `rotary_emb` buffers;
    `lm_head.weight`, which must be the embedding.

    Args:
        state: the checkpoint.
        head: width of a head, also what queries are scaled by.
        window: places that a local layer of Gemma 3 sees.
        every: each such layer of Gemma 3 sees everything.
        eps: in the norms.
    """
    s = _Checkpoint(state, "model.")
    symbols, width = s.shape("embed_tokens.weight", 2)
    third = "layers.0.self_attn.q_norm.weight" in s
    config = gemma_file.Config(
        symbols=symbols,
        width=width,
        heads=s.shape("layers.0.self_attn.q_proj.weight", 2)[0] // head,
        groups=s.shape("layers.0.self_attn.k_proj.weight", 2)[0] // head,
        head=head,
        layers=s.layers("layers."),
        hidden=s.shape("layers.0.mlp.gate_proj.weight", 2)[0],
        third=third,
        window=window,
        every=every,
        eps=eps,
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
    s.tied("lm_head.weight", "embed_tokens.weight")
    s.finish(r"rotary_emb\.\w*inv_freq$")
    return model.eval()


class _Checkpoint:
    """A state dict that may have a prefix before some of its names, and which of its tensors were asked for."""

    def __init__(self, state: State, prefix: str = "") -> None:
        self.state, self.prefix = state, prefix
        self.used: set[str] = set()

    def _key(self, name: str) -> str | None:
        return next((key for key in (self.prefix + name, name) if key in self.state), None)

    def __contains__(self, name: str) -> bool:
        return self._key(name) is not None

    def __getitem__(self, name: str) -> Tensor:
        key = self._key(name)
        if key is None:
            raise ValueError(f"the checkpoint has no tensor {name!r}")
        self.used.add(key)
        return self.state[key]

    def shape(self, name: str, dimensions: int) -> tuple[int, ...]:
        shape = tuple(self[name].shape)
        if len(shape) != dimensions:
            raise ValueError(f"the checkpoint's tensor {name!r} has shape {shape}, not {dimensions} dimensions")
        return shape

    def layers(self, prefix: str) -> int:
        """How many there are of those whose names begin with a prefix and a number."""
        pattern = re.compile(f"(?:{re.escape(self.prefix)})?{re.escape(prefix)}(\\d+)\\.")
        numbers = [int(found[1]) for key in self.state if (found := pattern.match(key))]
        if not numbers:
            raise ValueError(f"the checkpoint has no tensor whose name begins with '{prefix}0.'")
        return 1 + max(numbers)

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
        names = {part: f"self_attn.{part}_proj" for part in "qkvo"}
        names |= {part: f"mlp.{part}_proj" for part in ("gate", "up", "down")}
        for ours, theirs in (names | dict(norms)).items():
            self.copy(getattr(block, ours).weight, f"{prefix}{theirs}.weight")

    def tied(self, name: str, to: str) -> None:
        """Drop a second copy of a tensor, if it is one."""
        if name in self and not torch.equal(self[name], self[to]):
            raise ValueError(f"the checkpoint's tensor {name!r} is not {to!r}, which serves for both here")

    def finish(self, dropped: str) -> None:
        """Refuse what has not been asked for and is not to be dropped."""
        for key in self.state:
            if key not in self.used and not re.search(dropped, key):
                raise ValueError(f"the checkpoint's tensor {key!r} belongs to no part of this model")


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


def _heads(heads: int | None, width: int, wide: int = 64) -> int:
    """How many heads a layer has: as many as are said, or as fit if each has the usual width."""
    heads = width // wide if heads is None else heads
    if heads < 1 or width % heads:
        raise ValueError(f"{heads} heads do not divide a width of {width}; name their number")
    return heads


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
