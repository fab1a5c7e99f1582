r"""nano-GPT: a GPT small enough to be drawn number by number; it sorts letters.

A. Karpathy, minGPT (github.com/karpathy/minGPT), 2020, its model type gpt-nano and its sorting demonstration; B.
Bycroft, "LLM Visualization" (bbycroft.net/llm), 2023, draws this very net.

What it changes against GPT-2: the size, by a factor of 1,500. Not to be confused with the repository
karpathy/nanoGPT.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded
from ailineage.models.reference.transformer import Layer, causal

METADATA = {
    "node": "nanogpt",
    "title": {"en": "nano-GPT", "zh": "nano-GPT"},
    "year": 2020,
    "paper": {
        "title": "minGPT, model type gpt-nano; LLM Visualization",
        "url": "https://bbycroft.net/llm",
        "sections": "the model of the visualisation: 3 layers, 3 heads, width 48, 11 positions",
    },
    "parents": ["gpt2"],
    "demo": {
        "task": {
            "en": "Six letters out of A, B, C are sorted, all 729 inputs checked",
            "zh": "把六个取自 A、B、C 的字母排序，核对全部 729 种输入",
        },
        "metric": "sorted",
        "target": 0.95,
        "baseline": "the most frequent sorted answer for every input",
        "margin": 0.5,
    },
    # bbycroft.net/llm states 85,584 and leaves out the output matrix, 3 * 48 = 144 numbers
    "presets": {"bbycroft": 85_584, "bbycroft with output matrix": 85_728},
}


@dataclass(frozen=True)
class Config:
    symbols: int = 3  # A, B, C
    context: int = 11  # six letters and the first five of the answer
    width: int = 48  # C
    heads: int = 3  # of each layer
    layers: int = 3  # N
    head: bool = True  # count the output matrix
    updates: int = 250  # training steps
    batch: int = 64  # inputs a step
    rate: float = 3e-3  # highest learning rate


TINY = Config(width=24, layers=1, updates=20)
PRESETS = {"bbycroft": Config(head=False), "bbycroft with output matrix": Config()}


class NanoGPT(nn.Module):
    """Ids (B, T) -> logits of the next one (B, T, V); without its output matrix the states (B, T, C)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.tokens, self.positions = nn.Embedding(c.symbols, c.width), nn.Embedding(c.context, c.width)
        self.layers = nn.ModuleList(
            Layer(c.width, c.heads, 4 * c.width, pre_norm=True, activation=F.gelu) for _ in range(c.layers)
        )
        self.norm = nn.LayerNorm(c.width)
        self.head = nn.Linear(c.width, c.symbols, bias=False) if c.head else nn.Identity()

    def forward(self, ids: Tensor) -> Tensor:
        _, T = ids.shape
        x = self.tokens(ids) + self.positions(torch.arange(T, device=ids.device))  # (B, T, C)
        for layer in self.layers:
            # x = x + Attention(LayerNorm(x)),   x = x + FFN(LayerNorm(x))
            x = layer(x, causal(T).to(ids.device))
        return self.head(self.norm(x))

    @torch.no_grad()
    def sort(self, letters: Tensor) -> Tensor:
        """The six letters (B, 6) after these, each the likeliest."""
        ids = letters
        for _ in range(letters.shape[1]):
            ids = torch.cat([ids, self(ids)[:, -1:].argmax(-1)], 1)
        return ids[:, letters.shape[1] :]


def build(config: Config) -> NanoGPT:
    return NanoGPT(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    every = torch.cartesian_prod(*[torch.arange(3)] * 6)  # (729, 6)
    answers = every.sort(1).values
    _, counts = answers.unique(dim=0, return_counts=True)
    baseline = float(counts.max()) / len(every)
    model = build(config)
    optimizer = torch.optim.AdamW(model.parameters(), config.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates)
    for update in range(1, config.updates + 1):
        letters = torch.randint(3, (config.batch, 6))
        ids = torch.cat([letters, letters.sort(1).values], 1)  # (B, 12)
        # the loss counts only where the answer is written, from the sixth position on
        loss = F.cross_entropy(model(ids[:, :-1])[:, 5:].flatten(0, 1), ids[:, 6:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if update % (config.updates // 10) == 0:
            guess = model.sort(every)
            metrics = {"sorted": float((guess == answers).all(1).float().mean()), "baseline": baseline}
            letters_of = ["".join("ABC"[int(i)] for i in row) for row in (every[400], guess[400])]
            sample = " -> ".join(letters_of)
            yield Step(update, config.updates, metrics | {"loss": float(loss.detach())}, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
