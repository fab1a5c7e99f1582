r"""Masked language modelling: hide some words and let the net fill in the blanks from both sides.

J. Devlin, M.-W. Chang, K. Lee and K. Toutanova, "BERT", arXiv:1810.04805, section 3.1, task 1, and appendix A.1; the
cloze test: W. L. Taylor, Journalism Quarterly 30, 1953.

What it changes against continuing a text: the net may look to the right as well, because what it has to guess is taken
out of its input. The baseline is the same net made to look left only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import Characters, date_text, dates, seeded
from ailineage.models.reference.transformer import Layer, causal

METADATA = {
    "node": "mlm",
    "title": {"en": "Masked language modelling", "zh": "掩码语言建模"},
    "year": 2018,
    "paper": {
        "title": "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
        "arxiv": "1810.04805",
        "sections": "3.1 task 1, appendix A.1",
    },
    "parents": ["transformer"],
    "demo": {
        "task": {
            "en": "Fills the blanks of written dates that are followed by the same date in digits",
            "zh": "补全日期文字中的空格，文字之后附有同一日期的数字写法",
        },
        "metric": "blanks right",
        "target": 0.45,
        "baseline": "the same net looking only to the left",
        "margin": 0.05,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    chance: float = 0.15  # share of the symbols to be guessed
    width: int = 64  # C
    heads: int = 4  # of each layer
    layers: int = 2  # of the encoder
    updates: int = 250  # training steps for each of the two
    rate: float = 4e-3  # highest learning rate


TINY = Config(width=16, layers=1, updates=10)
PRESETS: dict[str, Config] = {}

EMPTY, CLS, SEP, MASK = 0, 1, 2, 3
LETTERS = Characters("abcdefghijklmnopqrstuvwxyz0123456789 /.,年月日-")
SIZE, LENGTH, FIRST = len(LETTERS) + 4, 32, 4


def corrupt(ids: Tensor, size: int, chance: float = 0.15) -> tuple[Tensor, Tensor]:
    """Ids (B, T) -> what the net sees, and the targets: the symbol where it is asked, -100 elsewhere."""
    asked = (torch.rand(ids.shape) < chance) & (ids >= FIRST)
    how = torch.rand(ids.shape)
    # appendix A.1: of the chosen 15 %, 80 % become [MASK], 10 % a random symbol, 10 % stay
    seen = ids.masked_fill(asked & (how < 0.8), MASK)
    other = torch.randint(FIRST, size, ids.shape)
    seen = torch.where(asked & (how >= 0.8) & (how < 0.9), other, seen)
    return seen, ids.masked_fill(~asked, -100)


def sentence_pairs(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """[CLS] date [SEP] digits [SEP] (count, 32), segments, and whether both are the same date (count,)."""
    table = dates(count, seed)
    same = torch.rand(count, generator=torch.Generator().manual_seed(seed)) < 0.5
    ids, segments = torch.zeros(count, LENGTH, dtype=torch.long), torch.zeros(count, LENGTH, dtype=torch.long)
    for i, raw in enumerate(table.raw):
        digits = date_text(table.target[i if same[i] else i - 1])
        a, b = LETTERS.encode(raw) + FIRST, LETTERS.encode(digits) + FIRST
        line = torch.cat([torch.tensor([CLS]), a, torch.tensor([SEP]), b, torch.tensor([SEP])])
        ids[i, : len(line)] = line
        segments[i, len(a) + 2 : len(line)] = 1
    return ids, segments, same.long()


class FillIn(nn.Module):
    """Ids (B, T) -> logits (B, T, V)."""

    def __init__(self, config: Config, left_only: bool = False) -> None:
        super().__init__()
        c = config
        self.tokens, self.positions = nn.Embedding(SIZE, c.width), nn.Embedding(LENGTH, c.width)
        self.layers = nn.ModuleList(
            Layer(c.width, c.heads, 2 * c.width, pre_norm=True, activation=F.gelu) for _ in range(c.layers)
        )
        self.norm, self.out, self.left_only = nn.LayerNorm(c.width), nn.Linear(c.width, SIZE), left_only

    def forward(self, ids: Tensor) -> Tensor:
        _, T = ids.shape
        mask = (ids != EMPTY)[:, None, None]  # (B, 1, 1, T)
        if self.left_only:
            mask = mask & causal(T)
        x = self.tokens(ids) + self.positions.weight[:T]  # (B, T, C)
        for layer in self.layers:
            x = layer(x, mask)
        return self.out(self.norm(x))


def build(config: Config) -> FillIn:
    return FillIn(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    ids, _, same = sentence_pairs(8000, seed)
    ids = ids[same == 1]
    train, test = ids[:-500], ids[-500:]
    seen_test, asked_test = corrupt(test, SIZE, config.chance)
    metrics: dict[str, float] = {}
    for done, (name, model) in enumerate((("baseline", FillIn(config, True)), ("blanks right", build(config)))):
        optimizer = torch.optim.Adam(model.parameters(), config.rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates)
        for update in range(1, config.updates + 1):
            seen, asked = corrupt(train[torch.randint(len(train), (64,))], SIZE, config.chance)
            # L = -sum over asked places of log p(symbol | seen)
            loss = F.cross_entropy(model(seen).flatten(0, 1), asked.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if update % (config.updates // 10) == 0:
                with torch.no_grad():
                    guess = model(seen_test).argmax(-1)
                metrics[name] = float((guess == asked_test)[asked_test >= 0].float().mean())
                filled = torch.where(asked_test >= 0, guess, test)[0]
                sample = f"{show(seen_test[0])} -> {show(filled)}"
                yield Step(done * config.updates + update, 2 * config.updates, dict(metrics), sample=sample)


def show(ids: Tensor) -> str:
    """A line of ids as text, _ for [MASK] and | for the other marks."""
    marks = {EMPTY: "", CLS: "", SEP: "|", MASK: "_"}
    return "".join(marks[int(i)] if i < FIRST else LETTERS.symbols[int(i) - FIRST] for i in ids)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
