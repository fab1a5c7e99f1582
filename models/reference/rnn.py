r"""Recurrent network: a hidden state carries the past from one step to the next.

D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning internal representations by error propagation", PDP chapter
8, 1986, section "Recurrent nets": a net unrolled in time is a deep net with shared weights. M. Jordan, 1986.

What it changes against the multilayer perceptron: the layer's output returns as its input at the next step. Here it
reads our articles character by character and guesses the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import Characters, seeded, text, unigram, windows

METADATA = {
    "node": "rnn",
    "title": {"en": "Recurrent neural network", "zh": "循环神经网络"},
    "year": 1986,
    "paper": {
        "title": "Learning internal representations by error propagation",
        "url": "https://apps.dtic.mil/sti/citations/ADA164453",
        "sections": "Recurrent nets (unrolling in time)",
    },
    "parents": ["mlp", "backprop"],
    "demo": {
        "task": {
            "en": "Next character of our English articles, judged on articles it has not read",
            "zh": "逐字符预测本库英文文章的下一个字符，在未读过的文章上评测",
        },
        "metric": "nats a character",
        "target": 2.5,
        "baseline": "the characters' frequencies alone",
        "margin": 0.3,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    hidden: int = 128  # units of the state
    length: int = 32  # steps unrolled
    batch: int = 32  # pieces of text an update
    updates: int = 500  # training steps
    rate: float = 3e-3  # of Adam


TINY = Config(hidden=16, length=8, updates=10)
PRESETS: dict[str, Config] = {}


class RNN(nn.Module):
    """Symbols (B, T) -> logits (B, T, V), through a state (B, H)."""

    def __init__(self, symbols: int, hidden: int) -> None:
        super().__init__()
        self.inputs = nn.Embedding(symbols, hidden)  # W x for a one-hot x is a row of W
        self.recurrent = nn.Linear(hidden, hidden)  # U and b
        self.out = nn.Linear(hidden, symbols)

    def step(self, symbol: Tensor, h: Tensor) -> Tensor:
        # h_t = tanh(W x_t + U h_{t-1} + b)
        return torch.tanh(self.inputs(symbol) + self.recurrent(h))  # (B,), (B, H) -> (B, H)

    def forward(self, ids: Tensor) -> Tensor:
        B, T = ids.shape
        h = torch.zeros(B, self.recurrent.out_features)
        states = []
        for t in range(T):
            h = self.step(ids[:, t], h)
            states.append(h)
        return self.out(torch.stack(states, 1))  # (B, T, H) -> (B, T, V)

    @torch.no_grad()
    def write(self, start: Tensor, length: int) -> list[int]:
        """Continue ids (T,) by sampling."""
        h = torch.zeros(1, self.recurrent.out_features)
        for symbol in start:
            h = self.step(symbol[None], h)
        ids: list[int] = []
        for _ in range(length):
            symbol = torch.multinomial(self.out(h).softmax(-1), 1)[:, 0]  # (1,)
            ids.append(int(symbol))
            h = self.step(symbol, h)
        return ids


def build(config: Config) -> RNN:
    return RNN(96, config.hidden)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    source = text("en")
    characters = Characters(source, least=20)
    ids = characters.encode(source)
    train, held_out = ids[: len(ids) * 9 // 10], ids[len(ids) * 9 // 10 :]
    baseline = unigram(train, held_out, len(characters))
    model = RNN(len(characters), config.hidden)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    x_test, y_test = windows(held_out, 100, 64)
    for update in range(1, config.updates + 1):
        x, y = windows(train, config.batch, config.length)
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if update % max(1, config.updates // 10) == 0:
            with torch.no_grad():
                nats = float(F.cross_entropy(model(x_test).flatten(0, 1), y_test.flatten()))
            sample = characters.decode(model.write(characters.encode("The "), 80)).replace("\n", " ")
            yield Step(update, config.updates, {"nats a character": nats, "baseline": baseline}, sample=f"The {sample}")


if __name__ == "__main__":
    raise SystemExit(main(__file__))
