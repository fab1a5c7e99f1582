"""The second group of reference implementations against torch and transformers on shared random weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ailineage.models.reference import clip, llama2, relu, softmax, sparse_attention


def _copy(pairs: list[tuple[Tensor, Tensor]]) -> None:
    with torch.no_grad():
        for ours, theirs in pairs:
            ours.copy_(theirs)


def test_softmax_is_torchs() -> None:
    x = torch.randn(5, 7, generator=torch.Generator().manual_seed(0)) * 50
    torch.testing.assert_close(softmax.softmax(x), x.softmax(-1))


def test_relu_and_its_gradient_are_torchs() -> None:
    x = torch.randn(50, generator=torch.Generator().manual_seed(0), requires_grad=True)
    (ours,) = torch.autograd.grad(relu.ReLU()(x).square().sum(), x)
    (theirs,) = torch.autograd.grad(x.relu().square().sum(), x)
    torch.testing.assert_close(ours, theirs)


def test_sparse_attention_with_a_window_over_everything_is_torchs() -> None:
    q, k, v = torch.randn(3, 20, 8, generator=torch.Generator().manual_seed(0))
    theirs = nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
    torch.testing.assert_close(sparse_attention.attend(q, k, v, sparse_attention.local(20, 20)), theirs)


def test_llama2_logits_are_those_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    config = llama2.Config(symbols=50, width=32, heads=4, groups=2, layers=2, hidden=48)
    theirs = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=50,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            rms_norm_eps=1e-5,
            attn_implementation="eager",
        )
    ).eval()
    ours = llama2.build(config)
    pairs = [
        (ours.tokens.weight, theirs.model.embed_tokens.weight),
        (ours.head.weight, theirs.lm_head.weight),
        (ours.norm.weight, theirs.model.norm.weight),
    ]
    for a, b in zip(ours.blocks, theirs.model.layers, strict=True):
        s, m = b.self_attn, b.mlp
        pairs += [(a.q.weight, s.q_proj.weight), (a.k.weight, s.k_proj.weight), (a.v.weight, s.v_proj.weight)]
        pairs += [(a.o.weight, s.o_proj.weight), (a.gate.weight, m.gate_proj.weight), (a.up.weight, m.up_proj.weight)]
        pairs += [(a.down.weight, m.down_proj.weight), (a.norm1.weight, b.input_layernorm.weight)]
        pairs.append((a.norm2.weight, b.post_attention_layernorm.weight))
    _copy(pairs)
    ids = torch.randint(50, (2, 11))
    torch.testing.assert_close(ours(ids), theirs(ids).logits, atol=1e-4, rtol=1e-4)


def _layers(ours: nn.ModuleList, theirs: nn.ModuleList) -> list[tuple[Tensor, Tensor]]:
    pairs = []
    for a, b in zip(ours, theirs, strict=True):
        s = b.self_attn
        modules = [(a.attention.q, s.q_proj), (a.attention.k, s.k_proj), (a.attention.v, s.v_proj)]
        modules += [(a.attention.o, s.out_proj), (a.forward_net.up, b.mlp.fc1), (a.forward_net.down, b.mlp.fc2)]
        modules += [(a.norms[0], b.layer_norm1), (a.norms[1], b.layer_norm2)]
        for x, y in modules:
            pairs += [(x.weight, y.weight), (x.bias, y.bias)]
    return pairs


def test_clip_logits_are_those_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    config = clip.Config(image=8, patch=2, colours=3, width=32, layers=2, heads=4, text_width=24, shared=16)
    text = {"vocab_size": 32, "hidden_size": 24, "intermediate_size": 96, "num_hidden_layers": 1}
    text |= {"num_attention_heads": 4, "max_position_embeddings": 32, "eos_token_id": 31, "bos_token_id": 30}
    vision = {"hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    vision |= {"image_size": 8, "patch_size": 2}
    theirs = transformers.CLIPModel(
        transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)
    ).eval()
    ours = clip.build(config)
    v, t = theirs.vision_model, theirs.text_model
    pairs = [
        (ours.patches.weight, v.embeddings.patch_embedding.weight),
        (ours.token, v.embeddings.class_embedding),
        (ours.places, v.embeddings.position_embedding.weight),
        (ours.words.weight, t.embeddings.token_embedding.weight),
        (ours.positions, t.embeddings.position_embedding.weight),
        (ours.image_out.weight, theirs.visual_projection.weight),
        (ours.text_out.weight, theirs.text_projection.weight),
        (ours.scale, theirs.logit_scale),
    ]
    norms = [(ours.norm_in, v.pre_layrnorm), (ours.norm_image, v.post_layernorm), (ours.norm_text, t.final_layer_norm)]
    for x, y in norms:
        pairs += [(x.weight, y.weight), (x.bias, y.bias)]
    pairs += _layers(ours.image_layers, v.encoder.layers) + _layers(ours.text_layers, t.encoder.layers)
    _copy(pairs)
    pictures, ids = torch.randn(3, 3, 8, 8), torch.randint(1, 30, (4, 12))
    ids[:, 9] = 31
    expected = theirs(pixel_values=pictures, input_ids=ids).logits_per_image
    torch.testing.assert_close(ours(pictures, ids), expected, atol=1e-4, rtol=1e-4)
