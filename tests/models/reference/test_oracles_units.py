"""Units, layers and small machines of the reference implementations against torch, scikit-learn and known numbers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
from sklearn.svm import SVC
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import (
    conv1x1,
    gpu_cnn,
    noise_injection,
    pooling,
    sgn_step,
    sigmoid,
    svm,
    tanh,
    transposed_conv,
    universal_approx,
    word_embedding,
    xor_limit,
)


def _random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_step_and_sign_away_from_zero_are_torchs() -> None:
    a = _random(50).double()
    np.testing.assert_array_equal(sgn_step.step(a.numpy()), torch.heaviside(a, torch.ones(()).double()))
    np.testing.assert_array_equal(sgn_step.sign(a.numpy()), a.sign())


@pytest.mark.parametrize(("inputs", "largest", "known"), [(2, 1, 14), (3, 2, 104)])
def test_as_many_functions_are_one_step_as_is_known(inputs: int, largest: int, known: int) -> None:
    last = list(sgn_step.run(sgn_step.Config(inputs=inputs, largest=largest, nudges=5)))[-1]
    assert last.metrics["baseline"] * 2 ** (2**inputs) == known
    assert last.metrics["functions computed"] == 1


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_parity_of_n_bits_has_order_n(bits: int) -> None:
    rows = np.array(list(product((0.0, 1.0), repeat=bits)))
    assert [xor_limit.longest_rest(rows, k) == 0 for k in range(1, bits + 1)] == [True] * (bits - 1) + [False]


def test_lines_split_14_of_16_ways_and_never_xor() -> None:
    shares = [xor_limit.best_line(np.array(t), 72)[0] for t in product((0, 1), repeat=4)]
    assert sorted(shares) == [0.75, 0.75] + [1.0] * 14


def test_sigmoid_its_slope_and_a_step_of_its_net_are_torchs() -> None:
    a = (100 * _random(50)).double().requires_grad_(True)
    y = torch.sigmoid(a)
    np.testing.assert_allclose(sigmoid.sigmoid(a.detach().numpy()), y.detach(), atol=1e-12)
    (theirs,) = torch.autograd.grad(y.sum(), a)
    np.testing.assert_allclose(sigmoid.slope(y.detach().numpy()), theirs, atol=1e-12)
    net = sigmoid.build(sigmoid.Config(hidden=5))
    before = [torch.tensor(w, requires_grad=True) for w in (net.w1, net.b1, net.w2, net.b2)]
    x, t = _random(7, 64).double(), torch.eye(10).double()[:7]
    hidden = torch.sigmoid(x @ before[0] + before[1])
    (0.5 * (torch.sigmoid(hidden @ before[2] + before[3]) - t) ** 2).sum().div(7).backward()
    net.learn(x.numpy(), t.numpy(), 1.0)
    for ours, w in zip((net.w1, net.b1, net.w2, net.b2), before, strict=True):
        assert w.grad is not None
        np.testing.assert_allclose(ours, (w - w.grad).detach(), atol=1e-12)


def test_tanh_and_a_step_of_its_net_are_torchs() -> None:
    a = 10 * _random(50).double()
    np.testing.assert_allclose(tanh.tanh(a.numpy()), a.tanh(), atol=1e-12)
    net = tanh.build(tanh.Config(layers=2, width=6))
    weights = [torch.tensor(w, requires_grad=True) for w in (*net.weights, *net.biases)]
    x, y = _random(9, 64).double(), torch.arange(9)
    h = x
    for w, b in zip(weights[:2], weights[3:5], strict=True):
        h = torch.tanh(h @ w + b)
    F.cross_entropy(h @ weights[2] + weights[5], y).backward()
    net.learn(x.numpy(), y.numpy(), 0.1)
    for ours, w in zip((*net.weights, *net.biases), weights, strict=True):
        assert w.grad is not None
        np.testing.assert_allclose(ours, (w - 0.1 * w.grad).detach(), atol=1e-12)


def test_the_largest_error_falls_at_every_width() -> None:
    errors = [s.metrics["largest error"] for s in universal_approx.run(universal_approx.Config())]
    assert errors == sorted(errors, reverse=True)


def test_svm_decides_as_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    y = np.where((x**2).sum(1) + 0.3 * rng.normal(size=120) > 2.4, 1.0, -1.0)
    kernel = svm.gaussian(x, x, 0.5)
    machine = svm.SVM(kernel, y, 10.0)
    while machine.step(1e-6):
        pass
    theirs = SVC(C=10.0, gamma=0.5, tol=1e-6).fit(x, y)
    new = rng.normal(size=(50, 3))
    np.testing.assert_allclose(machine.decide(svm.gaussian(new, x, 0.5)), theirs.decision_function(new), atol=1e-4)
    assert set(np.flatnonzero(machine.alpha > 1e-9)) == set(theirs.support_)


def test_noise_on_the_inputs_costs_what_the_slope_says() -> None:
    torch.manual_seed(0)
    net = noise_injection.build(noise_injection.Config(hidden=8)).double()
    x, eta = torch.rand(4, 1, 8, 8).double(), 1e-2
    with torch.no_grad():
        # E |y(x + xi) - y(x)|^2 = eta^2 sum (dy_k / dx_i)^2 to second order: Bishop's Omega counts half of it
        moved = [(net(noise_injection.noisy(x, eta)) - net(x)).square().sum(1).mean() for _ in range(3000)]
    ratio = torch.stack(moved).mean() / (2 * eta**2 * noise_injection.slope(net, x))
    assert float(ratio.detach()) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(("kind", "theirs"), [("max", F.max_pool2d), ("average", F.avg_pool2d)])
def test_pooling_and_its_gradient_are_torchs(kind: str, theirs: Callable[..., Tensor]) -> None:
    x = _random(2, 3, 9, 9).requires_grad_(True)
    found = [pooling.pool(x, kind, 3, 2), theirs(x, 3, 2)]
    torch.testing.assert_close(*found)
    grads = [torch.autograd.grad(y.square().sum(), x)[0] for y in found]
    torch.testing.assert_close(*grads)


def test_a_pointwise_convolution_is_torchs_of_one_pixel() -> None:
    ours, theirs = conv1x1.PointwiseConv(6, 4), nn.Conv2d(6, 4, 1)
    with torch.no_grad():
        theirs.weight.copy_(ours.weight[:, :, None, None])
        theirs.bias.copy_(ours.bias)  # type: ignore[union-attr]
    x = _random(2, 6, 5, 5)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 0), (4, 2, 1), (6, 2, 2), (5, 3, 1)])
def test_transposed_convolution_and_its_gradient_are_torchs(kernel: int, stride: int, padding: int) -> None:
    x, weight = _random(2, 3, 5, 7), _random(3, 4, kernel, kernel).requires_grad_(True)
    ours = transposed_conv.transposed(x, weight, stride, padding)
    theirs = F.conv_transpose2d(x, weight, stride=stride, padding=padding)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    grads = [torch.autograd.grad(y.square().sum(), weight)[0] for y in (ours, theirs)]
    torch.testing.assert_close(*grads, atol=1e-2, rtol=1e-4)


def test_no_deformation_leaves_a_picture_as_it_is() -> None:
    config = gpu_cnn.Config(alpha=0.0, turn=0.0, scale=0.0)
    x = torch.rand(3, 1, 16, 16)
    torch.testing.assert_close(gpu_cnn.deform(x, config), x, atol=1e-5, rtol=1e-5)
    a = _random(9)
    torch.testing.assert_close(gpu_cnn.ScaledTanh()(a), 1.7159 * (0.6666 * a).tanh())


def test_the_neural_language_model_is_its_formula() -> None:
    model = word_embedding.build(word_embedding.Config(words=11, order=4, width=3, hidden=5, direct=True))
    ids = torch.randint(11, (6, 3), generator=torch.Generator().manual_seed(0))
    one_hot = F.one_hot(ids, 11).float() @ model.table.weight  # (6, 3, 3): the table as a shared first layer
    x = one_hot.reshape(6, 9)
    a = torch.tanh(x @ model.hidden.weight.T + model.hidden.bias)
    assert model.direct is not None
    theirs = model.out.bias + x @ model.direct.weight.T + a @ model.out.weight.T
    torch.testing.assert_close(model(ids), theirs, atol=1e-5, rtol=1e-5)
