r"""RNN encoder-decoder: one network folds a sentence into a vector, another unfolds it into the other language.

K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation",
arXiv:1406.1078, section 2.2, equations 1 to 4, appendix A.

What it changes against a recurrent language model: the output's length and order are free of the input's. The decoder
sees the summary c and the previous symbol at every step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import BEGIN, seeded, translate_dates
from ailineage.models.reference.gru import GRU

METADATA = {
    "node": "encoder-decoder",
    "title": {"en": "RNN encoder-decoder", "zh": "RNN 编码器-解码器"},
    "year": 2014,
    "paper": {
        "title": "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation",
        "arxiv": "1406.1078",
        "sections": "2.2, equations 1 to 4; appendix A",
    },
    "parents": ["rnn", "gru"],
    "demo": {
        "task": {
            "en": 'Dates in five ways of writing translated into "1998-03-03" through one vector',
            "zh": "经由单个向量，把五种写法的日期翻译成“1998-03-03”",
        },
        "metric": "exact match",
        "target": 0.4,
        "baseline": "the most frequent symbol at each place",
        "margin": 0.3,
    },
    "presets": {},  # the paper gives sizes (1000 units, 15,000 words, embeddings of rank 100) but no count
}


@dataclass(frozen=True)
class Config:
    source: int = 46  # symbols of the source language
    target: int = 14  # symbols of the target language
    embed: int = 32  # width of a symbol
    hidden: int = 128  # units of both networks
    updates: int = 500  # training steps
    rate: float = 6e-3  # highest learning rate


TINY = Config(embed=8, hidden=16, updates=12)
PRESETS: dict[str, Config] = {}


class EncoderDecoder(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        e, h = config.embed, config.hidden
        self.embed_source, self.embed_target = nn.Embedding(config.source, e), nn.Embedding(config.target, e)
        self.encoder, self.decoder = GRU(e, h), GRU(e + h, h)
        self.summary, self.start = nn.Linear(h, h), nn.Linear(h, h)
        self.deep = nn.Linear(2 * h + e, 2 * h)  # two inputs of a maxout unit side by side
        self.out = nn.Linear(h, config.target)

    def encode(self, source: Tensor) -> Tensor:
        # (1)   h_t = f(h_{t-1}, x_t);   c = tanh(V h_N)
        last = self.encoder(self.embed_source(source))[1]
        return torch.tanh(self.summary(last))  # (B, S) -> (B, H)

    def decode(self, previous: Tensor, c: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Symbols (B, T) each after the other from state h (B, H): logits (B, T, V) and the last state."""
        y = self.embed_target(previous)  # (B, T, E)
        c = c[:, None].expand(-1, y.shape[1], -1)  # (B, T, H)
        # (2)   h_t = f(h_{t-1}, y_{t-1}, c)
        states, h = self.decoder(torch.cat([y, c], -1), h)
        # P(y_t | y_{t-1}, ..., c) = g(h_t, y_{t-1}, c), g a maxout layer (appendix A.1.2)
        deep = self.deep(torch.cat([states, y, c], -1))  # (B, T, 2H)
        return self.out(deep.unflatten(-1, (-1, 2)).amax(-1)), h  # (B, T, H) -> (B, T, V)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        c = self.encode(source)
        return self.decode(target, c, torch.tanh(self.start(c)))[0]

    def greedy(self, source: Tensor, length: int) -> Tensor:
        c = self.encode(source)
        h, symbol, ids = torch.tanh(self.start(c)), torch.full((len(source), 1), BEGIN), []
        for _ in range(length):
            logits, h = self.decode(symbol, c, h)
            symbol = logits.argmax(-1)  # (B, 1)
            ids.append(symbol)
        return torch.cat(ids, 1)  # (B, length)


def build(config: Config) -> EncoderDecoder:
    return EncoderDecoder(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    model = build(config)
    for update, metrics, sample in translate_dates(model, model.greedy, config.updates, 64, config.rate, seed):
        yield Step(update, config.updates, metrics, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
