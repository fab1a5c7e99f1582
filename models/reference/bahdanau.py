r"""RNNsearch: the decoder looks back at the source and learns where to look.

D. Bahdanau, K. Cho and Y. Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate",
arXiv:1409.0473, section 3 (equations 4 to 6), appendix A.1.2 (the alignment model).

What it changes against the encoder-decoder: a bidirectional encoder leaves an annotation for each word, and each
output step has its own context, their average weighted by a small net. No fixed vector must hold the whole sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import BEGIN, PAD, dates, seeded, translate_dates

METADATA = {
    "node": "bahdanau",
    "title": {"en": "Additive attention (RNNsearch)", "zh": "加性注意力（RNNsearch）"},
    "year": 2014,
    "paper": {
        "title": "Neural Machine Translation by Jointly Learning to Align and Translate",
        "arxiv": "1409.0473",
        "sections": "3, equations 4 to 7; appendix A",
    },
    "parents": ["encoder_decoder", "gru"],
    "demo": {
        "task": {
            "en": 'Dates in five ways of writing translated into "1998-03-03"; the picture shows where it looks',
            "zh": "把五种写法的日期翻译成“1998-03-03”；图中显示模型对齐的位置",
        },
        "metric": "exact match",
        "target": 0.9,
        "baseline": "the most frequent symbol at each place",
        "margin": 0.5,
    },
    "presets": {},  # the paper gives sizes (1000 units, 30,000 words, 620, 500 maxout) but no count
}


@dataclass(frozen=True)
class Config:
    source: int = 46  # symbols of the source language
    target: int = 14  # symbols of the target language
    embed: int = 32  # width of a symbol
    hidden: int = 64  # units of each direction of the encoder, and of the decoder
    align: int = 64  # hidden units of the alignment model
    updates: int = 400  # training steps
    rate: float = 8e-3  # highest learning rate


TINY = Config(embed=8, hidden=16, align=16, updates=12)
PRESETS: dict[str, Config] = {}


class RNNsearch(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        e, h, a = config.embed, config.hidden, config.align
        self.embed_source, self.embed_target = nn.Embedding(config.source, e), nn.Embedding(config.target, e)
        self.encoder = nn.GRU(e, h, batch_first=True, bidirectional=True)
        self.start = nn.Linear(h, h)
        self.w_align, self.u_align = nn.Linear(h, a, bias=False), nn.Linear(2 * h, a)
        self.v_align = nn.Linear(a, 1, bias=False)
        self.decoder = nn.GRUCell(e + 2 * h, h)
        self.out = nn.Sequential(nn.Linear(3 * h + e, h), nn.Tanh(), nn.Linear(h, config.target))
        self.alignment: Tensor | None = None  # (B, T, S) of the last call

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, S) -> annotations (B, S, 2H), their part of the alignment (B, S, A), and the decoder's start (B, H)."""
        # h_j = [forward state; backward state]
        h, last = self.encoder(self.embed_source(source))
        # s_0 = tanh(W_s h<-_1): the backward state at the first word
        return h, self.u_align(h), torch.tanh(self.start(last[1]))

    def step(self, y: Tensor, s: Tensor, h: Tensor, uh: Tensor, empty: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # a(s_{i-1}, h_j) = v^T tanh(W s_{i-1} + U h_j)
        e = self.v_align(torch.tanh(self.w_align(s)[:, None] + uh))[..., 0]  # (B, S)
        # (6)   alpha_ij = exp(e_ij) / sum_k exp(e_ik)
        alpha = e.masked_fill(empty, float("-inf")).softmax(1)
        # (5)   c_i = sum_j alpha_ij h_j
        c = (alpha[:, None] @ h)[:, 0]  # (B, 1, S) @ (B, S, 2H) -> (B, 2H)
        # s_i = f(s_{i-1}, y_{i-1}, c_i)
        s = self.decoder(torch.cat([y, c], 1), s)
        # (4)   p(y_i | y_1, ..., y_{i-1}, x) = g(y_{i-1}, s_i, c_i)
        return self.out(torch.cat([y, s, c], 1)), s, alpha

    def _unroll(self, source: Tensor, length: int, target: Tensor | None) -> Tensor:
        h, uh, s = self.encode(source)
        empty, symbol = source == PAD, torch.full((len(source),), BEGIN)
        logits, alphas = [], []
        for i in range(length):
            symbol = symbol if target is None else target[:, i]
            out, s, alpha = self.step(self.embed_target(symbol), s, h, uh, empty)
            symbol = out.argmax(-1)
            logits.append(out)
            alphas.append(alpha)
        self.alignment = torch.stack(alphas, 1).detach()
        return torch.stack(logits, 1)  # (B, T, V)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        return self._unroll(source, target.shape[1], target)

    def greedy(self, source: Tensor, length: int) -> Tensor:
        return self._unroll(source, length, None).argmax(-1)


def build(config: Config) -> RNNsearch:
    return RNNsearch(config)


def look(model: RNNsearch, seed: int) -> np.ndarray:
    """The alignment of one date as a picture: a row a symbol written, a column a symbol read."""
    with torch.no_grad():
        model.greedy(dates(1, 20_000 + seed).source, 10)
    assert model.alignment is not None
    return (model.alignment[0] * 255).byte().numpy().repeat(12, 0).repeat(12, 1)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    model = build(config)
    for update, metrics, sample in translate_dates(model, model.greedy, config.updates, 64, config.rate, seed):
        yield Step(update, config.updates, metrics, sample=sample, picture=look(model, seed))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
