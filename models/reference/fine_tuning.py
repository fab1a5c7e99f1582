r"""Fine-tuning: a net that was trained without labels goes on learning, gently, from a few of them.

G. E. Hinton and R. R. Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 313, 2006,
first trained a net on the data alone, then fine-tuned all of it by backpropagation; how to do it without forgetting: J.
Howard and S. Ruder, "Universal Language Model Fine-tuning for Text Classification" (ULMFiT), arXiv:1801.06146, section
3.2 (discriminative rates, slanted triangular rates, equation 3) and 3.3 (gradual unfreezing).

What it changes against transfer learning with kept features: the old weights are only the start. Layers are freed one
after another from the top, and the lower a layer, the smaller its steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import Split, accuracy, digits, minibatches, seeded

METADATA = {
    "node": "fine-tuning",
    "title": {"en": "Fine-tuning", "zh": "微调"},
    "year": 2018,
    "paper": {
        "title": "Universal Language Model Fine-tuning for Text Classification",
        "arxiv": "1801.06146",
        "sections": "3.2, equation 3; 3.3; the idea: Hinton and Salakhutdinov 2006",
    },
    "parents": ["transfer_learning", "autoencoder"],
    "demo": {
        "task": {
            "en": "A net that learned to mend digits without labels is fine-tuned on three labels a class",
            "zh": "先不用标签学会修补手写数字的网络，再用每类三个标签微调",
        },
        "metric": "test accuracy",
        "target": 0.75,
        "baseline": "the same net trained on the same labels from nothing",
        "margin": 0.02,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    sizes: tuple[int, ...] = (64, 128, 128)  # units a layer, pixels first
    hidden_share: float = 0.5  # of the pixels, blanked while the net learns without labels
    epochs: int = 12  # passes without labels
    labels: int = 3  # examples a class
    draws: int = 4  # sets of examples, averaged over
    updates: int = 80  # T, steps of fine-tuning
    cut: float = 0.1  # cut_frac, the share of the steps in which the rate rises
    ratio: float = 32.0  # by how much the lowest rate is smaller than the highest
    decay: float = 2.6  # eta^(l-1) = eta^l / 2.6
    rate: float = 4e-3  # eta_max of the last layer


TINY = Config(sizes=(64, 32, 16), epochs=2, draws=1, updates=20)
PRESETS: dict[str, Config] = {}


class Net(nn.Module):
    """Images (B, 1, 8, 8) -> logits (B, classes); `layers` are what is learned first."""

    def __init__(self, sizes: tuple[int, ...], classes: int = 10) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(sizes))
        self.head = nn.Linear(sizes[-1], classes)

    def features(self, x: Tensor) -> Tensor:
        x = x.flatten(1)  # (B, 1, 8, 8) -> (B, 64)
        for layer in self.layers:
            x = layer(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def build(config: Config) -> Net:
    return Net(config.sizes)


def slanted(t: int, config: Config) -> float:
    """The share of eta_max at step t of T."""
    cut = max(1, int(config.updates * config.cut))
    # (3)   p = t / cut if t < cut, else 1 - (t - cut) / (cut (1 / cut_frac - 1))
    p = t / cut if t < cut else 1 - (t - cut) / (cut * (1 / config.cut - 1))
    # (3)   eta_t = eta_max (1 + p (ratio - 1)) / ratio
    return (1 + max(0.0, p) * (config.ratio - 1)) / config.ratio


def fine_tune(net: Net, x: Tensor, y: Tensor, config: Config, gently: bool = True) -> None:
    """All layers from the top down; with one rate and everything free from the first step unless `gently`."""
    parts = [net.head, *reversed(net.layers)]
    # section 3.2   theta^l_t = theta^l_{t-1} - eta^l grad^l,   eta^(l-1) = eta^l / 2.6
    rates = [config.rate / config.decay**depth if gently else config.rate for depth in range(len(parts))]
    optimizer = torch.optim.Adam([{"params": p.parameters(), "lr": r} for p, r in zip(parts, rates, strict=True)])
    for t in range(config.updates):
        # section 3.3: the last layer first, then one more each time; all are free in the second half
        free = 1 + t * 2 * (len(parts) - 1) // config.updates if gently else len(parts)
        for depth, (group, rate) in enumerate(zip(optimizer.param_groups, rates, strict=True)):
            group["lr"] = rate * slanted(t, config) if depth < free else 0.0
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def learn_without_labels(net: Net, split: Split, config: Config) -> Iterator[float]:
    """Mend pictures of which pixels are blanked; after each pass the squared error."""
    mend = nn.Linear(config.sizes[-1], config.sizes[0])
    optimizer = torch.optim.Adam([*net.layers.parameters(), *mend.parameters()], 1e-3)
    for _ in range(config.epochs):
        for index in minibatches(len(split.x), 32):
            whole = split.x[index].flatten(1)  # (B, 64)
            holes = torch.rand_like(whole) < config.hidden_share
            loss = (mend(net.features(whole.masked_fill(holes, 0))) - whole).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield float(loss.detach())


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, total = digits(), config.epochs + config.draws
    old = build(config)
    for epoch, error in enumerate(learn_without_labels(old, split, config), 1):
        yield Step(epoch, total, {"squared error of mending": error})
    right = {"test accuracy": 0.0, "baseline": 0.0, "one rate, nothing frozen": 0.0}
    for draw in range(1, config.draws + 1):
        order = torch.randperm(len(split.y))
        index = torch.cat([order[split.y[order] == c][: config.labels] for c in range(10)])
        for name in right:
            net = build(config)
            if name != "baseline":
                net.layers.load_state_dict(old.layers.state_dict())
            fine_tune(net, split.x[index], split.y[index], config, gently=name == "test accuracy")
            right[name] += accuracy(net, split.x_test, split.y_test)
        yield Step(config.epochs + draw, total, {name: value / draw for name, value in right.items()})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
