r"""Elman network: a copy of the hidden layer, one step old, is fed back as context.

J. L. Elman, "Finding Structure in Time", Cognitive Science 14, 1990, figure 2 (the network) and the section on
"Exclusive-Or": the temporal XOR.

What it changes against an unrolled recurrent net: the context is a plain input, copied with fixed weights of one, and
no error travels back through it; learning looks a single step back, yet structure in time is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "elman",
    "title": {"en": "Elman network", "zh": "Elman 网络"},
    "year": 1990,
    "paper": {
        "title": "Finding Structure in Time",
        "doi": "10.1207/s15516709cog1402_1",
        "sections": "figure 2; Exclusive-Or",
    },
    "parents": ["rnn"],
    "demo": {
        "task": {
            "en": "Temporal XOR: each third bit is the XOR of the two before it; the error falls there and only there",
            "zh": "时间异或：每第三位是前两位的异或；误差只在这一位上下降",
        },
        "metric": "squared error at predictable bits",
        "target": 0.15,
        "baseline": "its own squared error at the random bits",
        "margin": 0.08,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    hidden: int = 20  # hidden and as many context units; the paper has 2, which often gets stuck
    streams: int = 64  # bit streams read side by side; the paper reads one of 3,000 bits 600 times
    steps: int = 4000  # bits read
    rate: float = 1e-2  # of Adam


TINY = Config(steps=300)
PRESETS: dict[str, Config] = {}


class Elman(nn.Module):
    """One bit in, the next one out: (B, 1) and context (B, H) -> prediction (B, 1) and the new context (B, H)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.inputs, self.context = nn.Linear(1, hidden), nn.Linear(hidden, hidden, bias=False)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        # h_t = sigma(W x_t + U c_t + b),   y_t = sigma(V h_t + b'),   c_{t+1} = h_t
        h = torch.sigmoid(self.inputs(x) + self.context(c))
        return torch.sigmoid(self.out(h)), h.detach()  # the copy carries no error back


def temporal_xor(streams: int, length: int) -> Tensor:
    """Bits (length, streams): two random ones, their XOR, two random ones, their XOR, ..."""
    bits = torch.randint(2, (length // 3 + 1, 3, streams))
    bits[:, 2] = bits[:, 0] ^ bits[:, 1]
    return bits.reshape(-1, streams)[:length].float()


def build(config: Config) -> Elman:
    return Elman(config.hidden)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    bits = temporal_xor(config.streams, config.steps + 1)[..., None]  # (T, B, 1)
    model, c = build(config), torch.zeros(config.streams, config.hidden)
    with torch.no_grad():
        for p in model.parameters():
            p.normal_()
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    errors: list[list[float]] = [[], [], []]
    for t in range(config.steps):
        y, c = model(bits[t], c)
        loss = ((y - bits[t + 1]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        errors[(t + 1) % 3].append(float(loss.detach()))
        if (t + 1) % (config.steps // 10) == 0:
            first, second, third = (sum(e[-30:]) / len(e[-30:]) for e in errors)
            metrics = {"squared error at predictable bits": third, "baseline": (first + second) / 2}
            yield Step(t + 1, config.steps // 10 * 10, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
