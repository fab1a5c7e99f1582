"""Techniques of training and their models against torch and transformers on shared random weights."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from ailineage.models.reference import bigbird, data_parallel, elmo, fine_tuning, model_parallel, recursive_nn
from ailineage.models.reference.transformer import Layer, causal


@pytest.fixture(autouse=True)
def _own_stream() -> Iterator[None]:
    before = torch.get_rng_state()
    torch.manual_seed(0)
    yield
    torch.set_rng_state(before)


def test_elmos_projected_lstm_is_torchs() -> None:
    ours, theirs = elmo.ProjectedLSTM(6, 10), nn.LSTM(6, 10, proj_size=6, batch_first=True)
    with torch.no_grad():  # ours has gates i, g, f, o and one added to f; torch has i, f, g, o and two biases
        i, g, f, o = ours.gates.weight.chunk(4)
        weight = torch.cat([i, f, g, o])
        theirs.weight_ih_l0.copy_(weight[:, :6])
        theirs.weight_hh_l0.copy_(weight[:, 6:])
        i, g, f, o = ours.gates.bias.chunk(4)
        theirs.bias_ih_l0.copy_(torch.cat([i, f + 1, g, o]))
        theirs.bias_hh_l0.zero_()
        theirs.weight_hr_l0.copy_(ours.project.weight)
    x = torch.randn(3, 7, 6)
    torch.testing.assert_close(ours(x), theirs(x)[0], atol=1e-5, rtol=1e-5)


def test_bigbird_attends_as_torch_does_under_its_pattern() -> None:
    config = bigbird.Config(length=16, width=8)
    layer, x = bigbird.build(config).layers[0].attention, torch.randn(2, 16, 8)
    seen = bigbird.pattern(config)
    q, k, v = (m(x).reshape(2, 16, 2, 4).transpose(1, 2) for m in (layer.q, layer.k, layer.v))
    theirs = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen).transpose(1, 2).reshape(2, 16, 8)
    torch.testing.assert_close(layer(x, mask=seen), layer.o(theirs), atol=1e-5, rtol=1e-5)


def test_a_divided_layer_and_its_input_gradient_are_the_whole_ones() -> None:
    whole = Layer(8, 4, 12, pre_norm=True).double()
    group = model_parallel.Group(2)
    parts = [model_parallel.Part(whole, rank, group) for rank in range(2)]
    x, mask = torch.randn(2, 5, 8, dtype=torch.float64, requires_grad=True), causal(5)
    (wanted,) = torch.autograd.grad(whole(x, mask).square().sum(), x)

    def work(part: model_parallel.Part) -> tuple[torch.Tensor, torch.Tensor]:
        own = x.detach().clone().requires_grad_()
        out = part(own, mask)
        return out.detach(), torch.autograd.grad(out.square().sum(), own)[0]

    with ThreadPoolExecutor(2) as pool:
        for out, gradient in pool.map(work, parts):
            torch.testing.assert_close(out, whole(x, mask).detach())
            torch.testing.assert_close(gradient, wanted)


def test_data_parallel_gradient_is_autograds() -> None:
    model, random = data_parallel.build(data_parallel.Config(hidden=5)), np.random.default_rng(0)
    x, y = random.random((6, 64)), random.integers(0, 10, 6)
    w, b, u, c = (torch.tensor(part, requires_grad=True) for part in model.parts(model.theta))
    loss = nn.functional.cross_entropy(torch.tanh(torch.tensor(x) @ w + b) @ u + c, torch.tensor(y))
    wanted = torch.cat([g.flatten() for g in torch.autograd.grad(loss, (w, b, u, c))])
    torch.testing.assert_close(torch.tensor(model.gradient(x, y)), wanted)


def test_recursive_net_in_levels_is_plain_recursion() -> None:
    net = recursive_nn.RecursiveNet(4)
    trees: list[recursive_nn.Tree] = [1, (2, 0), ((3, (2, 1)), ((4, 0), 1))]

    def state(tree: recursive_nn.Tree) -> torch.Tensor:
        if isinstance(tree, int):
            return torch.tanh(net.embed.weight[tree])
        return torch.tanh(net.compose(torch.cat([state(tree[0]), state(tree[1])])))

    forest = recursive_nn.plant(trees)
    wanted = torch.stack([net.judge(state(tree)) for tree in trees])
    torch.testing.assert_close(net(forest)[forest.roots], wanted)
    assert forest.meanings[forest.roots].tolist() == [1, 1, 0]


def test_slanted_rate_rises_to_one_and_falls_to_a_share() -> None:
    config = fine_tuning.Config(updates=100, cut=0.1, ratio=32)
    rates = [fine_tuning.slanted(t, config) for t in range(101)]
    assert max(rates) == rates[10] == 1
    assert rates[0] == rates[100] == pytest.approx(1 / 32)
