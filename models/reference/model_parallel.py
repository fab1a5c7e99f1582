r"""Model parallelism: every worker holds a part of each layer and the whole batch; partial results are added up.

M. Shoeybi et al., "Megatron-LM: Training Multi-Billion Parameter Language Models Using Model Parallelism",
arXiv:1909.08053, section 3 (equations 1 to 3, figures 3 and 4); AlexNet had split its maps over two cards (2012).

What it changes against data parallelism: a model that fits no single card is divided, not the batch. The first matrix
of each pair is cut by columns, the second by rows, attention by heads, so that two sums a layer and direction suffice
(operators f and g). The result is that of the undivided Transformer layer, up to rounding. A worker here is a thread
that keeps only its own part of the weights and meets the others at the sums alone.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main, parameter_count
from ailineage.models.reference.data import alphabet, seeded, text, windows
from ailineage.models.reference.transformer import Layer, causal

METADATA = {
    "node": "model-parallel",
    "title": {"en": "Model parallelism", "zh": "模型并行"},
    "year": 2019,
    "paper": {
        "title": "Megatron-LM: Training Multi-Billion Parameter Language Models Using Model Parallelism",
        "arxiv": "1909.08053",
        "sections": "3, equations 1 to 3, figures 3 and 4",
    },
    "parents": ["transformer", "data_parallel"],
    "demo": {
        "task": {
            "en": "Two workers train half of each Transformer layer; the loss against that of the undivided model",
            "zh": "两个工作线程各训练每个 Transformer 层的一半，与未切分模型的损失比较",
        },
        "metric": "largest difference of the loss",
        "target": 1e-9,
        "baseline": "the difference if the workers do not add up their gradients (no f)",
        "margin": 1e-5,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    workers: int = 2  # parts of each layer
    width: int = 32  # C
    heads: int = 4  # a multiple of the workers
    hidden: int = 64  # of the feed-forward net, a multiple too
    layers: int = 2  # divided ones
    length: int = 24  # characters a piece
    batch: int = 16  # pieces a step
    updates: int = 40  # training steps
    rate: float = 0.2  # of gradient descent


TINY = Config(width=8, heads=2, hidden=8, layers=1, length=8, batch=4, updates=3)
PRESETS: dict[str, Config] = {}


class Group:
    """The workers' meeting place: `add` gives each of them the sum of what all have brought."""

    def __init__(self, workers: int) -> None:
        self.brought: list[Tensor | None] = [None] * workers
        self.barrier = threading.Barrier(workers, timeout=60)

    def add(self, rank: int, part: Tensor) -> Tensor:
        self.brought[rank] = part
        self.barrier.wait()  # all have brought theirs
        total = torch.stack([p for p in self.brought if p is not None]).sum(0)
        self.barrier.wait()  # all have taken theirs
        return total


class Copy(torch.autograd.Function):
    """f: the identity forward; backward the workers' gradients are added up."""

    @staticmethod
    def forward(context: Any, x: Tensor, group: Group, rank: int) -> Tensor:
        context.group, context.rank = group, rank
        return x.view_as(x)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return context.group.add(context.rank, gradients[0]), None, None


class Reduce(torch.autograd.Function):
    """g: forward the workers' outputs are added up; the identity backward."""

    @staticmethod
    def forward(context: Any, x: Tensor, group: Group, rank: int) -> Tensor:
        return group.add(rank, x)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0], None, None


class Part(nn.Module):
    """Worker `rank`'s part of a Transformer layer, cut out of the whole one."""

    def __init__(self, whole: Layer, rank: int, group: Group, add_gradients: bool = True) -> None:
        super().__init__()
        workers = len(group.brought)
        a, n = whole.attention, whole.forward_net
        self.rank, self.group, self.heads, self.add_gradients = rank, group, a.heads // workers, add_gradients

        def cut(weight: Tensor, dim: int = 0) -> nn.Parameter:
            return nn.Parameter(weight.detach().chunk(workers, dim)[rank].clone())

        # linear layers keep W^T: the paper's columns are rows here
        self.q, self.k, self.v = (nn.ParameterList([cut(m.weight), cut(m.bias)]) for m in (a.q, a.k, a.v))
        self.up = nn.ParameterList([cut(n.up.weight), cut(n.up.bias)])
        self.o, self.down = cut(a.o.weight, 1), cut(n.down.weight, 1)
        # held by every worker alike
        self.o_bias, self.down_bias = (nn.Parameter(m.bias.detach().clone()) for m in (a.o, n.down))
        self.norms = nn.ModuleList(nn.LayerNorm(norm.weight.shape, dtype=norm.weight.dtype) for norm in whole.norms)

    def f(self, x: Tensor) -> Tensor:
        return Copy.apply(x, self.group, self.rank) if self.add_gradients else x

    def g(self, x: Tensor) -> Tensor:
        return Reduce.apply(x, self.group, self.rank)

    def attend(self, x: Tensor, mask: Tensor) -> Tensor:
        B, T, _ = x.shape
        q, k, v = (F.linear(x, *m).reshape(B, T, self.heads, -1).transpose(1, 2) for m in (self.q, self.k, self.v))
        scores = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).masked_fill(~mask, float("-inf"))  # (B, h, T, T)
        own = (scores.softmax(-1) @ v).transpose(1, 2).reshape(B, T, -1)  # (B, T, C / workers)
        return F.linear(own, self.o)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        # figure 3b: each worker its own heads, then g adds the parts of the output
        x = x + self.g(self.attend(self.f(self.norms[0](x)), mask)) + self.o_bias
        # (3)   [Y_1, Y_2] = [ReLU(X A_1), ReLU(X A_2)];   Z = Y_1 B_1 + Y_2 B_2, figure 3a
        y = torch.relu(F.linear(self.f(self.norms[1](x)), *self.up))  # (B, T, F / workers)
        return x + self.g(F.linear(y, self.down)) + self.down_bias


class Whole(nn.Module):
    """A language model of undivided layers: ids (B, T) -> logits (B, T, V)."""

    def __init__(self, config: Config, symbols: int = 64) -> None:
        super().__init__()
        c = config
        self.tokens, self.positions = nn.Embedding(symbols, c.width), nn.Embedding(c.length, c.width)
        self.layers = nn.ModuleList(Layer(c.width, c.heads, c.hidden, pre_norm=True) for _ in range(c.layers))
        self.out = nn.Linear(c.width, symbols)
        self.double()

    def forward(self, ids: Tensor) -> Tensor:
        _, T = ids.shape
        x = self.tokens(ids) + self.positions.weight[:T]
        for layer in self.layers:
            x = layer(x, causal(T))
        return self.out(x)


def divide(whole: Whole, config: Config, rank: int, group: Group, add_gradients: bool = True) -> Whole:
    """Worker `rank`'s model: its part of each layer, and copies of what lies outside them."""
    own = Whole(config, whole.tokens.num_embeddings)
    own.load_state_dict(whole.state_dict())
    own.layers = nn.ModuleList(Part(layer, rank, group, add_gradients) for layer in whole.layers)  # type: ignore[arg-type]
    return own


def build(config: Config) -> Whole:
    return Whole(config)


def learn(model: Whole, x: Tensor, y: Tensor, rate: float) -> float:
    """One step of gradient descent; the loss before it."""
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    with torch.no_grad():
        for weight, gradient in zip(model.parameters(), gradients, strict=True):
            weight -= rate * gradient
    return float(loss.detach())


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    source = text("en", 20_000)
    ids = alphabet(source).encode(source)
    whole = Whole(config, len(alphabet(source)))
    groups = {name: Group(config.workers) for name in (METADATA["demo"]["metric"], "baseline")}  # type: ignore[index]
    parts = {
        name: [divide(whole, config, rank, group, name != "baseline") for rank in range(config.workers)]
        for name, group in groups.items()
    }
    share = parameter_count(parts["baseline"][0].layers) / parameter_count(whole.layers)
    worst = dict.fromkeys(parts, 0.0)
    with ThreadPoolExecutor(config.workers) as pool:
        for update in range(1, config.updates + 1):
            x, y = windows(ids, config.batch, config.length)
            loss = learn(whole, x, y, config.rate)
            for name, models in parts.items():
                losses = list(
                    pool.map(learn, models, [x] * len(models), [y] * len(models), [config.rate] * len(models))
                )
                worst[name] = max(worst[name], *(abs(other - loss) for other in losses))
            if update % max(1, config.updates // 10) == 0 or update == config.updates:
                yield Step(update, config.updates, {"loss": loss, "share of a layer a worker holds": share, **worst})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
