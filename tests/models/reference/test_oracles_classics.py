"""The classics against torch.nn and transformers on shared random weights: outputs, and gradients where cheap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from ailineage.models.reference import (
    alexnet,
    batchnorm,
    gpt1,
    gru,
    lenet5,
    lstm,
    positional_encoding,
    resnet,
    self_attention,
    transformer,
    vit,
)

CLOSE = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    state = torch.get_rng_state()
    torch.manual_seed(0)
    yield
    torch.set_rng_state(state)


def _same_gradients(ours: Tensor, theirs: Tensor, x: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, **CLOSE)
    direction = torch.randn_like(ours)
    mine = torch.autograd.grad((ours * direction).sum(), x, retain_graph=True)[0]
    torch.testing.assert_close(mine, torch.autograd.grad((theirs * direction).sum(), x)[0], **CLOSE)


def test_lstm_is_torch_lstm() -> None:
    ours, theirs = lstm.LSTM(3, 5), nn.LSTM(3, 5, batch_first=True)
    theirs.load_state_dict(
        {
            "weight_ih_l0": ours.w.weight,
            "bias_ih_l0": ours.w.bias,
            "weight_hh_l0": ours.u.weight,
            "bias_hh_l0": torch.zeros(20),
        }
    )
    x = torch.randn(2, 7, 3, requires_grad=True)
    _same_gradients(ours(x)[0], theirs(x)[0], x)


def test_gru_with_the_reset_gate_after_the_product_is_torch_gru() -> None:
    ours, theirs = gru.GRU(3, 5, reset_after=True), nn.GRU(3, 5, batch_first=True)
    theirs.load_state_dict(
        {
            "weight_ih_l0": ours.w.weight,
            "bias_ih_l0": ours.w.bias,
            "weight_hh_l0": torch.cat([ours.u_gates.weight, ours.u.weight]),
            "bias_hh_l0": torch.cat([torch.zeros(10), ours.u.bias]),
        }
    )
    x = torch.randn(2, 7, 3, requires_grad=True)
    _same_gradients(ours(x)[0], theirs(x)[0], x)


@pytest.mark.parametrize("shape", [(16, 6), (4, 6, 3, 3)])
def test_batchnorm_is_torch_batchnorm_in_training_and_after(shape: tuple[int, ...]) -> None:
    ours = batchnorm.BatchNorm(6)
    theirs: nn.Module = nn.BatchNorm1d(6) if len(shape) == 2 else nn.BatchNorm2d(6)
    x = torch.randn(shape, requires_grad=True)
    _same_gradients(ours(x), theirs(x), x)
    ours.eval()
    theirs.eval()
    _same_gradients(ours(x), theirs(x), x)


def test_response_normalisation_is_torch_local_response_norm() -> None:
    x = torch.randn(2, 12, 4, 4) * 20
    # torch divides alpha by the size of the window
    theirs = nn.functional.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2.0)
    torch.testing.assert_close(alexnet.local_response(x), theirs, **CLOSE)


def test_residual_block_without_shortcut_is_its_convolutions() -> None:
    block = resnet.Block(4, [(3, 4, 1), (3, 4, 1)], residual=True).eval()
    x = torch.randn(2, 4, 5, 5)
    f = nn.functional.relu(block.norms[0](block.convs[0](x)))
    f = block.norms[1](block.convs[1](f))
    torch.testing.assert_close(block(x), nn.functional.relu(x + f), **CLOSE)


def test_table_1_of_lenet_has_sixty_connections() -> None:
    assert sum(map(len, lenet5.TABLE_1)) == 60
    assert len(lenet5.TABLE_1) == 16


def test_self_attention_is_scaled_dot_product_attention() -> None:
    layer, x = self_attention.SelfAttention(8), torch.randn(2, 5, 8, requires_grad=True)
    theirs = nn.functional.scaled_dot_product_attention(layer.q(x), layer.k(x), layer.v(x))
    _same_gradients(layer(x), theirs, x)


def test_multi_head_is_torch_multihead_attention() -> None:
    ours, theirs = transformer.MultiHead(12, 3), nn.MultiheadAttention(12, 3, batch_first=True)
    parts = (ours.q, ours.k, ours.v)
    theirs.load_state_dict(
        {
            "in_proj_weight": torch.cat([p.weight for p in parts]),
            "in_proj_bias": torch.cat([p.bias for p in parts]),
            "out_proj.weight": ours.o.weight,
            "out_proj.bias": ours.o.bias,
        }
    )
    x = torch.randn(2, 5, 12, requires_grad=True)
    mask = transformer.causal(5)
    _same_gradients(ours(x, mask=mask), theirs(x, x, x, attn_mask=~mask)[0], x)


@pytest.mark.parametrize("pre_norm", [False, True])
def test_layer_is_torch_encoder_layer(pre_norm: bool) -> None:
    ours = transformer.Layer(12, 3, 20, pre_norm=pre_norm)
    theirs = nn.TransformerEncoderLayer(12, 3, 20, 0.0, batch_first=True, norm_first=pre_norm)
    parts = (ours.attention.q, ours.attention.k, ours.attention.v)
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([p.weight for p in parts]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([p.bias for p in parts]))
    theirs.self_attn.out_proj.load_state_dict(ours.attention.o.state_dict())
    theirs.linear1.load_state_dict(ours.forward_net.up.state_dict())
    theirs.linear2.load_state_dict(ours.forward_net.down.state_dict())
    x = torch.randn(2, 5, 12, requires_grad=True)
    _same_gradients(ours(x), theirs(x), x)


def test_both_ways_of_writing_the_sinusoids_agree() -> None:
    torch.testing.assert_close(transformer.sinusoid(40, 16), positional_encoding.sinusoids(40, 16), **CLOSE)


def _gpt_state(ours: nn.Module) -> dict[str, Tensor]:
    """Our GPT's weights under the names of transformers, whose Conv1D stores them transposed."""
    state = {"wte.weight": ours.tokens.weight, "wpe.weight": ours.positions.weight}
    for i, layer in enumerate(ours.layers):
        a, h = layer.attention, f"h.{i}."
        state[h + "attn.c_attn.weight"] = torch.cat([a.q.weight, a.k.weight, a.v.weight]).T
        state[h + "attn.c_attn.bias"] = torch.cat([a.q.bias, a.k.bias, a.v.bias])
        for name, linear in (
            ("attn.c_proj", a.o),
            ("mlp.c_fc", layer.forward_net.up),
            ("mlp.c_proj", layer.forward_net.down),
        ):
            state[h + name + ".weight"], state[h + name + ".bias"] = linear.weight.T, linear.bias
        for name, norm in zip(("ln_1", "ln_2"), layer.norms, strict=True):
            state[h + name + ".weight"], state[h + name + ".bias"] = norm.weight, norm.bias
    return state


def test_gpt1_has_the_logits_of_transformers() -> None:
    from transformers import OpenAIGPTConfig, OpenAIGPTLMHeadModel

    ours = gpt1.build(gpt1.Config(symbols=50, context=20, width=24, heads=3, layers=2)).eval()
    config = OpenAIGPTConfig(vocab_size=50, n_positions=20, n_embd=24, n_head=3, n_layer=2)
    theirs = OpenAIGPTLMHeadModel(config).eval()
    names = {"wte.": "tokens_embed.", "wpe.": "positions_embed."}
    state = {names.get(key[:4], key[:4]) + key[4:]: value for key, value in _gpt_state(ours).items()}
    missing, unexpected = theirs.transformer.load_state_dict(state, strict=False)
    assert not unexpected
    assert not [name for name in missing if not name.endswith(("attn.bias", "position_ids"))]
    ids = torch.randint(50, (2, 11))
    torch.testing.assert_close(ours(ids), theirs(ids).logits, **CLOSE)


def test_vit_is_torch_encoder_on_patches() -> None:
    ours = vit.build(vit.Config(image=8, patch=4, width=24, heads=3, layers=1, hidden=40)).eval()
    layer = ours.layers[0]
    theirs = nn.TransformerEncoderLayer(24, 3, 40, 0.0, "gelu", 1e-6, batch_first=True, norm_first=True).eval()
    parts = (layer.attention.q, layer.attention.k, layer.attention.v)
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([p.weight for p in parts]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([p.bias for p in parts]))
    theirs.self_attn.out_proj.load_state_dict(layer.attention.o.state_dict())
    theirs.linear1.load_state_dict(layer.forward_net.up.state_dict())
    theirs.linear2.load_state_dict(layer.forward_net.down.state_dict())
    images = torch.randn(2, 1, 8, 8)
    patches = images.unfold(2, 4, 4).unfold(3, 4, 4).reshape(2, 4, 16)
    x = patches @ ours.patches.conv.weight.flatten(1).T + ours.patches.conv.bias
    x = torch.cat([ours.token.expand(2, -1, -1), x], 1) + ours.positions
    torch.testing.assert_close(ours(images), ours.head(ours.norm(theirs(x))[:, 0]), **CLOSE)
