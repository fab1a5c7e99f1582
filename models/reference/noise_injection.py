r"""Noise injection: examples are blurred by fresh noise in every pass, and the function learned becomes smoother.

C. M. Bishop, "Training with Noise is Equivalent to Tikhonov Regularization", Neural Computation 7(1), 1995, equations 6
to 12; the practice is older (J. Sietsma and R. Dow, "Creating Artificial Neural Networks That Generalize", 1991).

What it changes against back-propagation: only the inputs. For small noise the expected error is the plain error plus
the noise's variance times the squared slope of the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import accuracy, digits, minibatches, seeded

METADATA = {
    "node": "noise-injection",
    "title": {"en": "Noise injection", "zh": "噪声注入"},
    "year": 1991,
    "paper": {
        "title": "Training with Noise is Equivalent to Tikhonov Regularization",
        "doi": "10.1162/neco.1995.7.1.108",
        "sections": "Bishop 1995, equations 6 to 12",
    },
    "parents": ["backprop", "regularization"],
    "demo": {
        "task": {
            "en": "Digits learned with noise on every pixel, tested under noise of the same strength",
            "zh": "在每个像素加噪声的条件下学习手写数字，再在同样强度的噪声下测试",
        },
        "metric": "accuracy under noise",
        "target": 0.8,
        "baseline": "the same net trained on clean digits",
        "margin": 0.08,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    hidden: int = 128  # units
    noise: float = 0.4  # eta, standard deviation on pixels in [0, 1]
    epochs: int = 25  # passes over the digits
    rate: float = 2e-3  # of Adam


TINY = Config(hidden=16, epochs=1)
PRESETS: dict[str, Config] = {}


def build(config: Config) -> nn.Sequential:
    """(B, 1, 8, 8) -> (B, 10)."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, config.hidden), nn.Tanh(), nn.Linear(config.hidden, 10))


def noisy(x: Tensor, strength: float) -> Tensor:
    # (5)   x' = x + xi,   E xi = 0,   E xi_i xi_j = eta^2 delta_ij
    return x + strength * torch.randn_like(x)


def slope(model: nn.Module, x: Tensor) -> Tensor:
    """1/2 sum_k sum_i (dy_k / dx_i)^2 averaged over x (B, ...): Bishop's Omega for a squared error, equation 11."""
    x = x.clone().requires_grad_(True)
    total = torch.zeros(())
    for column in model(x).T:
        (gradient,) = torch.autograd.grad(column.sum(), x, retain_graph=True)
        total = total + gradient.pow(2).sum() / 2
    return total / len(x)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits()
    nets = {strength: build(config) for strength in (0.0, config.noise)}
    optimizers = {strength: torch.optim.Adam(net.parameters(), config.rate) for strength, net in nets.items()}
    test = noisy(split.x_test.repeat(3, 1, 1, 1), config.noise)
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(split.x), 32):
            for strength, net in nets.items():
                # (8)   E' = E + eta^2 Omega, to second order, where Omega punishes steep slopes
                loss = F.cross_entropy(net(noisy(split.x[index], strength)), split.y[index])
                optimizers[strength].zero_grad()
                loss.backward()
                optimizers[strength].step()
        if epoch % max(1, config.epochs // 8) and epoch < config.epochs:
            continue
        right = [accuracy(net, test, split.y_test.repeat(3)) for net in nets.values()]
        steep = [float(slope(net, split.x_test[:100]).detach()) for net in nets.values()]
        clean = accuracy(nets[config.noise], split.x_test, split.y_test)
        metrics = {"accuracy under noise": right[1], "on clean digits": clean, "baseline": right[0]}
        yield Step(epoch, config.epochs, metrics | {"slope": steep[1], "slope without noise": steep[0]})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
