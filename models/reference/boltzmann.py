r"""Boltzmann machine: a Hopfield net with noise and hidden units that learns to dream its data.

D. H. Ackley, G. E. Hinton and T. J. Sejnowski, "A Learning Algorithm for Boltzmann Machines", Cognitive Science 9,
1985, equations 1 (energy), 3 (stochastic units) and the learning rule. The restricted form, learning by contrastive
divergence: P. Smolensky, 1986; G. E. Hinton, Neural Computation 14, 2002.

What it changes against Hopfield: units fire with a probability, so a state can leave a valley; hidden units; weights
learned from the difference of correlations awake (data clamped) and asleep (free running).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, grid, minibatches, seeded

METADATA = {
    "node": "boltzmann",
    "title": {"en": "Boltzmann machine", "zh": "玻尔兹曼机"},
    "year": 1985,
    "paper": {
        "title": "A Learning Algorithm for Boltzmann Machines",
        "doi": "10.1207/s15516709cog0901_7",
        "sections": "equations 1, 3, 6, 7; the 4-2-4 encoder",
    },
    "parents": ["hopfield", "hebbian"],
    "demo": {
        "task": {
            "en": "The paper's 4-2-4 encoder by exact enumeration; a restricted machine reconstructs unseen digits",
            "zh": "用精确枚举学会论文中的 4-2-4 编码器；受限玻尔兹曼机重建未见过的数字",
        },
        "metric": "bits reconstructed wrongly",
        "target": 0.07,
        "baseline": "rounding the mean training image",
        "margin": 0.1,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    hidden: int = 128  # hidden units of the restricted machine; the digits' 64 pixels are visible
    epochs: int = 40  # passes of contrastive divergence
    rate: float = 0.1  # epsilon
    encoder_steps: int = 600  # exact learning steps of the 4-2-4 encoder
    encoder_starts: int = 2  # random starts of it: one may get stuck


TINY = Config(epochs=3, encoder_steps=40, encoder_starts=1)
PRESETS: dict[str, Config] = {}


class Encoder424:
    """A general machine of 8 visible and 2 hidden units, small enough to sum over its 1024 states."""

    def __init__(self, random: np.random.Generator) -> None:
        self.states = np.array(list(product((0.0, 1.0), repeat=10)))  # (1024, 10): 4 + 4 visible, 2 hidden
        mask = np.triu(np.ones((10, 10)), 1)
        mask[:4, 4:8] = 0  # the two groups see each other only through the hidden units
        self.mask = mask
        self.weights = random.normal(scale=0.5, size=(10, 10)) * mask
        self.bias = np.zeros(10)
        wanted = np.eye(4)
        visible = self.states[:, :8]
        self.clamped = np.array([(visible == np.concatenate([v, v])).all(axis=1) for v in wanted])  # (4, 1024)

    def learn(self, rate: float) -> float:
        """One exact step; returns the mean of -log p of the four patterns, at best ln 4."""
        # (1)   E = -sum_{i<j} w_ij s_i s_j - sum_i b_i s_i,   p(state) ~ e^-E
        energy = -np.einsum("si,ij,sj->s", self.states, self.weights, self.states) - self.states @ self.bias
        free = np.exp(-(energy - energy.min()))
        z = free.sum()
        awake = np.mean([free * c / (free * c).sum() for c in self.clamped], axis=0)
        loss = -float(np.mean([np.log((free * c).sum() / z) for c in self.clamped]))
        # (7)   dw_ij = epsilon (p_ij - p'_ij): both units on together, awake minus asleep
        difference = awake - free / z
        self.weights += rate * ((self.states * difference[:, None]).T @ self.states) * self.mask
        self.bias += rate * difference @ self.states
        return loss


class RestrictedBoltzmann:
    """Visible (V) and hidden (H) units, connected only across: weights (V, H)."""

    def __init__(self, visible: int, hidden: int) -> None:
        self.weights = 0.05 * torch.randn(visible, hidden)
        self.b_visible, self.b_hidden = torch.zeros(visible), torch.zeros(hidden)

    def hidden(self, v: Tensor) -> Tensor:
        # (3)   p(s_k = 1) = 1 / (1 + e^(-dE_k / T)),   T = 1
        return torch.sigmoid(v @ self.weights + self.b_hidden)  # (B, V) -> (B, H)

    def visible(self, h: Tensor) -> Tensor:
        return torch.sigmoid(h @ self.weights.T + self.b_visible)  # (B, H) -> (B, V)

    def learn(self, v: Tensor, rate: float) -> None:
        """Contrastive divergence: asleep is one step away from the data."""
        h = self.hidden(v)
        v_asleep = torch.bernoulli(self.visible(torch.bernoulli(h)))
        h_asleep = self.hidden(v_asleep)
        # dW = epsilon (<v h>_data - <v h>_reconstruction)
        self.weights += rate * (v.T @ h - v_asleep.T @ h_asleep) / len(v)
        self.b_visible += rate * (v - v_asleep).mean(0)
        self.b_hidden += rate * (h - h_asleep).mean(0)


def build(config: Config) -> RestrictedBoltzmann:
    return RestrictedBoltzmann(64, config.hidden)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    total, nats = config.encoder_starts + config.epochs, float("inf")
    for start in range(1, config.encoder_starts + 1):
        encoder = Encoder424(random)
        for _ in range(config.encoder_steps):
            loss = encoder.learn(1.0)
        nats = min(nats, loss)
        yield Step(start, total, {"4-2-4 nats (best possible 1.386)": nats})
    split = digits()
    train, test = ((x.flatten(1) > 0.5).float() for x in (split.x, split.x_test))  # (N, 64)
    baseline = float((train.mean(0).round() != test).float().mean())
    machine = build(config)
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(train), 20):
            machine.learn(train[index], config.rate)
        dream = machine.visible(machine.hidden(test))
        wrong = float((dream.round() != test).float().mean())
        metrics = {"bits reconstructed wrongly": wrong, "4-2-4 nats (best possible 1.386)": nats}
        picture = grid(torch.cat([test[:10], dream[:10]]).reshape(-1, 8, 8))
        yield Step(config.encoder_starts + epoch, total, metrics | {"baseline": baseline}, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
