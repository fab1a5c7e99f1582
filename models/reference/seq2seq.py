r"""Seq2seq: deep LSTMs translate whole sentences, reading the source backwards.

I. Sutskever, O. Vinyals and Q. V. Le, "Sequence to Sequence Learning with Neural Networks", arXiv:1409.3215, section 2
(equation 1), 3.3 (reversing) and 3.4 (sizes).

What it changes against the encoder-decoder: LSTMs, four layers deep; the encoder's last states simply become the
decoder's first; and the source is reversed, which brings the first words of both languages close together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import BEGIN, seeded, translate_dates

METADATA = {
    "node": "seq2seq",
    "title": {"en": "Seq2seq", "zh": "序列到序列 Seq2Seq"},
    "year": 2014,
    "paper": {
        "title": "Sequence to Sequence Learning with Neural Networks",
        "arxiv": "1409.3215",
        "sections": "2, 3.3, 3.4; equation 1",
    },
    "parents": ["encoder_decoder", "lstm"],
    "demo": {
        "task": {
            "en": 'Dates in five ways of writing translated into "1998-03-03" by stacked LSTMs',
            "zh": "用多层 LSTM 把五种写法的日期翻译成“1998-03-03”",
        },
        "metric": "exact match",
        "target": 0.4,
        "baseline": "the most frequent symbol at each place",
        "margin": 0.3,
    },
    # section 3.4: "384M parameters of which 64M are pure recurrent connections": without biases exactly
    # 160,000 * 1000 + 80,000 * 1000 + 8 layers * 4 * (1000 + 1000) * 1000 + 80,000 * 1000
    "presets": {"paper": 384_000_000},
}


@dataclass(frozen=True)
class Config:
    source: int = 46  # words of the source language
    target: int = 14  # words of the target language
    embed: int = 32  # width of a word
    hidden: int = 128  # cells a layer
    layers: int = 2  # LSTMs on top of each other, in the encoder and in the decoder
    reverse: bool = True  # read the source backwards
    bias: bool = True  # the paper's count leaves none
    updates: int = 500  # training steps
    rate: float = 6e-3  # highest learning rate of Adam; the paper used SGD without momentum


TINY = Config(embed=8, hidden=16, updates=12)
PRESETS = {"paper": Config(160_000, 80_000, 1000, 1000, 4, bias=False)}


class Seq2Seq(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.reverse = c.reverse
        self.embed_source, self.embed_target = nn.Embedding(c.source, c.embed), nn.Embedding(c.target, c.embed)
        # torch's LSTM computes what lstm.py writes out, in stacked layers and faster
        self.encoder = nn.LSTM(c.embed, c.hidden, c.layers, bias=c.bias, batch_first=True)
        self.decoder = nn.LSTM(c.embed, c.hidden, c.layers, bias=c.bias, batch_first=True)
        self.out = nn.Linear(c.hidden, c.target, bias=c.bias)

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        # section 3.3: c, b, a instead of a, b, c
        source = source.flip(1) if self.reverse else source
        return self.encoder(self.embed_source(source))[1]  # h and c, each (L, B, H): the sentence's representation

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        # (1)   p(y_1, ..., y_T' | x_1, ..., x_T) = prod_t p(y_t | v, y_1, ..., y_{t-1})
        states, _ = self.decoder(self.embed_target(target), self.encode(source))
        return self.out(states)  # (B, T, H) -> (B, T, V)

    def greedy(self, source: Tensor, length: int) -> Tensor:
        state, symbol, ids = self.encode(source), torch.full((len(source), 1), BEGIN), []
        for _ in range(length):
            out, state = self.decoder(self.embed_target(symbol), state)
            symbol = self.out(out).argmax(-1)  # (B, 1)
            ids.append(symbol)
        return torch.cat(ids, 1)  # (B, length)


def build(config: Config) -> Seq2Seq:
    return Seq2Seq(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    model = build(config)
    for update, metrics, sample in translate_dates(model, model.greedy, config.updates, 64, config.rate, seed):
        yield Step(update, config.updates, metrics, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
