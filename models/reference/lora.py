r"""LoRA: adapt a large model by adding a product of two thin matrices to its weights.

E. Hu, Y. Shen et al., "LoRA: Low-Rank Adaptation of Large Language Models", arXiv:2106.09685, section 4.1 (equation 3),
4.2 (which matrices), table 4 (GPT-3).

What it changes against GPT-2 and 3: nothing in the model. Its weights are frozen; what a new task needs is learned in
A and B alone, thousands of times fewer numbers, and can be added to the weights: the model is as fast as before.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, gpt2, main, parameter_count
from ailineage.models.reference.data import alphabet, seeded, text, windows

METADATA = {
    "node": "lora",
    "title": {"en": "LoRA", "zh": "LoRA（低秩适配）"},
    "year": 2021,
    "paper": {
        "title": "LoRA: Low-Rank Adaptation of Large Language Models",
        "arxiv": "2106.09685",
        "sections": "4.1 and 4.2, equation 3, table 4",
    },
    "parents": ["gpt2", "gpt3"],
    "demo": {
        "task": {
            "en": "A net that has read our articles learns to read them backwards with its weights frozen",
            "zh": "读过本库文章的网络在权重冻结的情况下学会倒着读",
        },
        "metric": "nats a character",
        "target": 3.1,
        "baseline": "the frozen net without the adapters",
        "margin": 0.3,
        "lower": True,
    },
    # trainable parameters, what table 4 counts: 4.7M and 37.7M, that is 96 layers x 2 matrices x r (12,288 + 12,288);
    # the 175 billion frozen numbers are buffers here and not counted
    "presets": {"GPT-3 175B, r=1": 4_718_592, "GPT-3 175B, r=8": 37_748_736},
}


@dataclass(frozen=True)
class Config:
    base: gpt2.Config = field(default=gpt2.Config())  # the model to adapt
    rank: int = 4  # r
    alpha: float = 8.0  # the change is scaled by alpha / r
    adapted: tuple[str, ...] = ("attention.q", "attention.v")  # W_q and W_v, section 4.2
    pretraining: int = 250  # training steps of the base
    updates: int = 150  # training steps of the adapters
    batch: int = 24  # pieces of text a step
    rate: float = 5e-3  # highest learning rate of the base; the adapters' is twice that


TINY = Config(gpt2.Config(context=16, width=16, layers=1), rank=2, pretraining=10, updates=10)
_GPT3 = gpt2.Config(50_257, 2048, 12_288, 96, 96)
PRESETS = {"GPT-3 175B, r=1": Config(_GPT3, 1), "GPT-3 175B, r=8": Config(_GPT3, 8)}


class LoRA(nn.Module):
    """A linear layer that cannot change and a change of low rank beside it."""

    def __init__(self, linear: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.linear, self.scale = linear, alpha / rank
        outputs, inputs = linear.weight.shape
        self.a = nn.Parameter(torch.empty(rank, inputs))  # A, random
        self.b = nn.Parameter(torch.zeros(outputs, rank))  # B, zero: the first output is that of the frozen layer
        nn.init.normal_(self.a, std=inputs**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        # (3)   h = W_0 x + Delta W x = W_0 x + (alpha / r) B A x
        return self.linear(x) + self.scale * (x @ self.a.T) @ self.b.T

    def merged(self) -> nn.Linear:
        """One layer that computes the same: W = W_0 + (alpha / r) B A."""
        linear = copy.deepcopy(self.linear)
        linear.weight.data += self.scale * self.b.detach() @ self.a.detach()
        return linear


def freeze(model: nn.Module) -> None:
    """Make all parameters buffers: no gradients, no optimiser state, nothing to count."""
    for module in model.modules():
        for name, value in list(module._parameters.items()):
            del module._parameters[name]
            module.register_buffer(name, value if value is None else value.detach())


def adapt(model: nn.Module, config: Config) -> nn.Module:
    """Freeze a model in place and put adapters at all layers whose names end as `adapted` says."""
    freeze(model)
    for name, module in list(model.named_modules()):
        if name.endswith(config.adapted):
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, LoRA(module, config.rank, config.alpha))
    return model


def merge(model: nn.Module) -> nn.Module:
    """A copy of an adapted model without adapters."""
    model = copy.deepcopy(model)
    for name, module in list(model.named_modules()):
        if isinstance(module, LoRA):
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, module.merged())
    return model


def build(config: Config) -> nn.Module:
    return adapt(gpt2.build(config.base), config)


def train(model: nn.Module, ids: Tensor, updates: int, config: Config, rate: float) -> Iterator[int]:
    """Predict the next character; the number of updates now and then."""
    optimizer = torch.optim.AdamW(model.parameters(), rate, betas=(0.9, 0.98), weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=updates)
    for update in range(1, updates + 1):
        x, y = windows(ids, config.batch, config.base.context)
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if update % max(1, updates // 8) == 0:
            yield update


@torch.no_grad()
def nats(model: nn.Module, pieces: tuple[Tensor, Tensor]) -> float:
    return float(F.cross_entropy(model(pieces[0]).flatten(0, 1), pieces[1].flatten()))


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    source = text("en", 120_000)
    characters = alphabet(source)
    config = replace(config, base=replace(config.base, symbols=len(characters)))
    c, ids = config, characters.encode(source)
    cut = len(ids) * 9 // 10
    onwards = windows(ids[cut:], 60, c.base.context)
    backwards = windows(ids[cut:].flip(0), 60, c.base.context)
    model, total = gpt2.build(c.base), c.pretraining + c.updates
    for update in train(model, ids[:cut], c.pretraining, c, c.rate):
        yield Step(update, total, {"forward nats": nats(model, onwards)})
    size = parameter_count(model)
    baseline, adapted = nats(model, backwards), adapt(model, c)
    share = parameter_count(adapted) / size
    for update in train(adapted, ids[:cut].flip(0), c.updates, c, 2 * c.rate):
        metrics = {"nats a character": nats(adapted, backwards), "baseline": baseline, "trained share": share}
        yield Step(c.pretraining + update, total, metrics)
    metrics["nats a character"] = nats(merge(adapted), backwards)
    sample = f"{parameter_count(adapted):,} of {size:,} parameters trained; measured with the adapters merged"
    yield Step(total, total, metrics, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
