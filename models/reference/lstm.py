r"""LSTM: a cell that keeps its content unless a gate says otherwise.

S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997, section 4 (cells and gates)
and 5.4 (the adding problem); the forget gate: F. Gers, J. Schmidhuber and F. Cummins, Neural Computation 12, 2000.

What it changes against a recurrent net: the state is added to instead of overwritten, so the error flows back through
it unchanged (the constant error carousel), and multiplicative gates decide what enters, stays and leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "lstm",
    "title": {"en": "Long short-term memory", "zh": "长短期记忆网络"},
    "year": 1997,
    "paper": {
        "title": "Long Short-Term Memory",
        "doi": "10.1162/neco.1997.9.8.1735",
        "sections": "4, 5.4; forget gate from Gers et al. 2000",
    },
    "parents": ["rnn"],
    "demo": {
        "task": {
            "en": "Adding problem: the sum of the two marked numbers among thirty",
            "zh": "加法问题：三十个数中求两个被标记数之和",
        },
        "metric": "squared error",
        "target": 0.05,
        "baseline": "always the mean of the training sums",
        "margin": 0.1,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    hidden: int = 32  # cells
    forget: bool = True  # the forget gate of 2000; the paper of 1997 has none (f = 1)
    length: int = 30  # numbers in a sequence
    batch: int = 64  # sequences an update
    updates: int = 500  # training steps
    rate: float = 1e-2  # of Adam


TINY = Config(hidden=8, length=6, updates=10)
PRESETS: dict[str, Config] = {}


class LSTM(nn.Module):
    """(B, T, D) -> all outputs (B, T, H) and the last cells (B, H)."""

    def __init__(self, inputs: int, hidden: int, forget: bool = True) -> None:
        super().__init__()
        self.hidden, self.forget = hidden, forget
        self.w = nn.Linear(inputs, 4 * hidden)  # input, forget, cell and output parts side by side
        self.u = nn.Linear(hidden, 4 * hidden, bias=False)
        nn.init.ones_(self.w.bias[hidden : 2 * hidden])  # remember at first

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        B, T, _ = x.shape
        h, c = state if state else (x.new_zeros(B, self.hidden), x.new_zeros(B, self.hidden))
        wx, outputs = self.w(x), []  # (B, T, 4H)
        for t in range(T):
            i, f, g, o = (wx[:, t] + self.u(h)).chunk(4, dim=1)  # each (B, H)
            # i = sigma(W_i x + U_i h + b_i), f and o alike,   g = tanh(W_g x + U_g h + b_g)
            # c_t = f c_{t-1} + i g
            keep = torch.sigmoid(f) if self.forget else 1.0
            c = keep * c + torch.sigmoid(i) * torch.tanh(g)
            # h_t = o tanh(c_t)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs, 1), c


class Adder(nn.Module):
    """Reads (B, T, 2) numbers and marks, answers (B,)."""

    def __init__(self, recurrent: nn.Module, hidden: int) -> None:
        super().__init__()
        self.recurrent, self.out = recurrent, nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.recurrent(x)[0][:, -1])[:, 0]  # (B, T, 2) -> (B, H) -> (B,)


def adding(count: int, length: int) -> tuple[Tensor, Tensor]:
    """Section 5.4: numbers in [0, 1), one marked in each half; x (count, length, 2) and the sum (count,)."""
    numbers, marks, half = torch.rand(count, length), torch.zeros(count, length), length // 2
    rows = torch.arange(count)
    marks[rows, torch.randint(half, (count,))] = 1
    marks[rows, half + torch.randint(length - half, (count,))] = 1
    return torch.stack([numbers, marks], -1), (numbers * marks).sum(1)


def learn_to_add(model: nn.Module, length: int, batch: int, updates: int, rate: float) -> Iterator[Step]:
    """Train a reader of (B, T, 2) on fresh sequences; the error is measured on 1000 others."""
    x_test, y_test = adding(1000, length)
    mean = float(adding(1000, length)[1].mean())
    baseline = float(((y_test - mean) ** 2).mean())
    optimizer = torch.optim.Adam(model.parameters(), rate)
    for update in range(1, updates + 1):
        x, y = adding(batch, length)
        loss = ((model(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if update % max(1, updates // 20) == 0:
            with torch.no_grad():
                error = float(((model(x_test) - y_test) ** 2).mean())
            yield Step(update, updates, {"squared error": error, "baseline": baseline})


def build(config: Config) -> Adder:
    return Adder(LSTM(2, config.hidden, config.forget), config.hidden)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    yield from learn_to_add(build(config), config.length, config.batch, config.updates, config.rate)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
