"""The second group of reference implementations against torch and transformers on shared random weights."""

from __future__ import annotations

import torch
from torch import nn

from ailineage.models.reference import relu, softmax, sparse_attention


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
