r"""GRU: the LSTM's idea with two gates and no separate cell.

K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation",
arXiv:1406.1078, section 2.3, equations 5 to 8.

What it changes against the LSTM: one update gate both keeps the old state and admits the new; a reset gate lets the
candidate forget the past. A third fewer weights. (In torch and cuDNN the reset gate acts after the matrix product.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded
from ailineage.models.reference.lstm import Adder, learn_to_add

METADATA = {
    "node": "gru",
    "title": {"en": "Gated recurrent unit", "zh": "门控循环单元"},
    "year": 2014,
    "paper": {
        "title": "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation",
        "arxiv": "1406.1078",
        "sections": "2.3, equations 5 to 8",
    },
    "parents": ["lstm"],
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
    hidden: int = 32  # units
    reset_after: bool = False  # True: U (r * h) becomes r * (U h), as in torch
    length: int = 30  # numbers in a sequence
    batch: int = 64  # sequences an update
    updates: int = 500  # training steps
    rate: float = 1e-2  # of Adam


TINY = Config(hidden=8, length=6, updates=10)
PRESETS: dict[str, Config] = {}


class GRU(nn.Module):
    """(B, T, D) -> all states (B, T, H) and the last one (B, H)."""

    def __init__(self, inputs: int, hidden: int, reset_after: bool = False) -> None:
        super().__init__()
        self.hidden, self.reset_after = hidden, reset_after
        self.w = nn.Linear(inputs, 3 * hidden)  # reset, update and candidate parts side by side
        self.u_gates = nn.Linear(hidden, 2 * hidden, bias=False)
        self.u = nn.Linear(hidden, hidden, bias=reset_after)

    def step(self, wx: Tensor, h: Tensor) -> Tensor:
        """One step from W x (B, 3H) and h (B, H)."""
        wr, wz, wn = wx.chunk(3, dim=1)
        ur, uz = self.u_gates(h).chunk(2, dim=1)
        # (5)   r_j = sigma([W_r x]_j + [U_r h]_j)
        r = torch.sigmoid(wr + ur)
        # (6)   z_j = sigma([W_z x]_j + [U_z h]_j)
        z = torch.sigmoid(wz + uz)
        # (8)   h~_j = tanh([W x]_j + [U (r * h)]_j)
        candidate = torch.tanh(wn + (r * self.u(h) if self.reset_after else self.u(r * h)))
        # (7)   h_j = z_j h_j + (1 - z_j) h~_j
        return z * h + (1 - z) * candidate

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        B, T, _ = x.shape
        h = x.new_zeros(B, self.hidden) if h is None else h
        wx, states = self.w(x), []  # (B, T, 3H)
        for t in range(T):
            h = self.step(wx[:, t], h)
            states.append(h)
        return torch.stack(states, 1), h


def build(config: Config) -> Adder:
    return Adder(GRU(2, config.hidden, config.reset_after), config.hidden)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    yield from learn_to_add(build(config), config.length, config.batch, config.updates, config.rate)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
