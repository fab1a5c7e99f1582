r"""Activation checkpointing: forget activations on the way up, compute them again on the way down.

T. Chen, B. Xu, C. Zhang, C. Guestrin, "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174, section 4.1.

What it changes against back-propagation: of n layers only every sqrt(n)-th activation is kept; the memory is
O(sqrt(n)) for one more forward pass. The baseline, a share of one, is what it is measured against.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "activation-checkpointing",
    "title": {"en": "Activation checkpointing", "zh": "激活检查点"},
    "year": 2016,
    "paper": {
        "title": "Training Deep Nets with Sublinear Memory Cost",
        "arxiv": "1604.06174",
        "sections": "4.1, algorithm 1",
    },
    "parents": ["backprop"],
    "demo": {
        "task": {
            "en": "Bytes kept for the way back through 36 layers, with equal gradients",
            "zh": "36 层网络为反向传播保留的字节数（梯度相同）",
        },
        "metric": "share of the bytes",
        "target": 0.4,
        "baseline": "all activations kept (share 1)",
        "margin": 0.5,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    layers: int = 36  # n
    segment: int = 6  # sqrt(n) layers between two checkpoints
    width: int = 64  # units a layer
    batch: int = 256  # examples


TINY = Config(layers=16, segment=4, batch=32)
PRESETS: dict[str, Config] = {}


class Segment(torch.autograd.Function):
    """Run layers without remembering what is inside them; backward runs them a second time."""

    @staticmethod
    def forward(ctx: Any, layers: nn.Sequential, x: Tensor, *weights: Tensor) -> Tensor:
        ctx.layers = layers
        ctx.save_for_backward(x)  # the checkpoint: the input alone
        with torch.no_grad():
            return layers(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (x,) = ctx.saved_tensors
        inputs = (x.detach().requires_grad_(), *ctx.layers.parameters())
        with torch.enable_grad():
            y = ctx.layers(inputs[0])  # forward again, remembering this time: one segment only
        return None, *torch.autograd.grad(y, inputs, grad)


class Tower(nn.Module):
    """(B, C) -> (B, C) by many layers in segments."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config

        def layer() -> nn.Sequential:
            return nn.Sequential(nn.Linear(c.width, c.width), nn.Tanh())

        self.segments = nn.ModuleList(
            nn.Sequential(*(layer() for _ in range(c.segment))) for _ in range(c.layers // c.segment)
        )
        self.checkpoint = True

    def forward(self, x: Tensor) -> Tensor:
        for segment in self.segments:
            x = Segment.apply(segment, x, *segment.parameters()) if self.checkpoint else segment(x)
        return x


def measure(model: Tower, x: Tensor) -> tuple[int, list[Tensor]]:
    """Most bytes of saved activations alive at once (weights not counted), and the gradients."""
    own = {p.data_ptr() for p in model.parameters()}
    alive, peak = 0, 0

    class Kept:
        """A saved tensor that counts its bytes until autograd lets go of it."""

        def __init__(self, tensor: Tensor) -> None:
            nonlocal alive, peak
            self.tensor = tensor
            self.bytes = 0 if tensor.data_ptr() in own else tensor.numel() * tensor.element_size()
            alive += self.bytes
            peak = max(peak, alive)

        def __del__(self) -> None:
            nonlocal alive
            alive -= self.bytes

    model.zero_grad()
    with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
        model(x).square().mean().backward()
    return peak, [p.grad.clone() for p in model.parameters() if p.grad is not None]


def build(config: Config) -> Tower:
    return Tower(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    model = build(config)
    x = torch.randn(config.batch, config.width)
    found = []
    for done, model.checkpoint in enumerate((False, True), 1):
        found.append(measure(model, x))
        if done == 1:
            yield Step(1, 2, {"bytes": found[0][0]})
    (full, a), (few, b) = found
    worst = max(float((p - q).abs().max()) for p, q in zip(a, b, strict=True))
    metrics = {"share of the bytes": few / full, "bytes": few, "gradient difference": worst, "baseline": 1.0}
    yield Step(2, 2, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
