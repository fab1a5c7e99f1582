r"""BigBird: attention to near neighbours, to a few random places and through a few places that see everything.

M. Zaheer et al., "Big Bird: Transformers for Longer Sequences", arXiv:2007.14062, section 2 (equation ATTN, figure 1)
and appendix D (blocks). The graph of who looks at whom is sparse, yet any two places are joined by a short path.

What it changes against BERT: the attention of each layer is limited to a pattern whose size grows linearly with the
length; the global places carry what the window cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.bert import Bert
from ailineage.models.reference.bert import Config as BertConfig
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "bigbird",
    "title": {"en": "BigBird", "zh": "BigBird 稀疏注意力"},
    "year": 2020,
    "paper": {
        "title": "Big Bird: Transformers for Longer Sequences",
        "arxiv": "2007.14062",
        "sections": "2, figure 1, appendix D",
    },
    "parents": ["bert", "sparse_attention"],
    "demo": {
        "task": {
            "en": "A symbol far away is named at the start of 128 others, with less than a fifth of the attention",
            "zh": "在长 128 的序列开头说出远处的一个符号，只用不到五分之一的注意力",
        },
        "metric": "accuracy",
        "target": 0.95,
        "baseline": "the same network with the window alone",
        "margin": 0.5,
    },
    # google/bigbird-roberta-base in transformers: BigBirdModel, with its pooler
    "presets": {"base": 127_468_800},
}


@dataclass(frozen=True)
class Config:
    symbols: int = 12  # 0 is padding, 1 the marker, 2 the filler, the rest are answers
    length: int = 128  # T
    block: int = 4  # b, places a block; 64 in the paper
    window: int = 3  # w, blocks, one's own in the middle
    global_blocks: int = 1  # g, at the start; 2 in the paper
    random_blocks: int = 1  # r; 3 in the paper
    width: int = 32  # of the network
    heads: int = 2  # of each layer
    layers: int = 2  # the window alone reaches (w - 1) / 2 blocks a layer
    updates: int = 240  # training steps
    rate: float = 3e-3  # of Adam


TINY = Config(length=32, width=16, updates=10)
PRESETS = {"base": Config(50_358, 4096, 64, 3, 2, 3, 768, 12, 12)}


def pattern(config: Config, seed: int = 0, whole: bool = True) -> Tensor:
    """Who looks at whom, True (T, T); without random and global blocks unless `whole`."""
    blocks = config.length // config.block
    i, j = torch.arange(blocks)[:, None], torch.arange(blocks)
    # window: i looks at i - (w - 1) / 2, ..., i + (w - 1) / 2
    seen = (i - j).abs() <= (config.window - 1) // 2
    if whole:
        # global: the first g look at all, and all at them
        seen |= (i < config.global_blocks) | (j < config.global_blocks)
        # random: each looks at r others
        random = torch.Generator().manual_seed(seed)
        for row in range(blocks):
            seen[row, torch.randperm(blocks, generator=random)[: config.random_blocks]] = True
    return seen.repeat_interleave(config.block, 0).repeat_interleave(config.block, 1)


class BigBird(Bert):
    """A BERT whose layers attend by a pattern (T, T)."""

    def __init__(self, config: Config, whole: bool = True) -> None:
        super().__init__(
            BertConfig(config.symbols, config.length, config.width, config.heads, config.layers, pretraining=False)
        )
        self.config, self.whole = config, whole

    def encode(self, ids: Tensor, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Ids and segments (B, T) -> states (B, T, H) and the state of the whole (B, H)."""
        x = self.dropout(self.norm(self.tokens(ids) + self.segments(segments) + self.positions.weight))
        seen = pattern(self.config, whole=self.whole)
        for layer in self.layers:
            # ATTN(X)_i = x_i + sum_h sigma(Q_h(x_i) K_h(X_{N(i)})^T) V_h(X_{N(i)}),   N(i) the places i looks at
            x = layer(x, seen)
        return x, torch.tanh(self.pooler(x[:, 0]))


def build(config: Config) -> BigBird:
    return BigBird(config)


def task(config: Config, count: int) -> tuple[Tensor, Tensor]:
    """Fillers (B, T) with a marker somewhere in the far half, and the symbol that follows it (B,)."""
    ids = torch.full((count, config.length), 2)
    answer = torch.randint(3, config.symbols, (count,))
    at = torch.randint(config.length // 2, config.length - 1, (count,))
    ids[torch.arange(count), at], ids[torch.arange(count), at + 1] = 1, answer
    return ids, answer


@torch.no_grad()
def judged(net: BigBird, head: nn.Module, ids: Tensor, wanted: Tensor) -> float:
    """Share of the sequences whose far symbol is named."""
    return float((head(net.encode(ids, torch.zeros_like(ids))[1]).argmax(1) == wanted).float().mean())


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    nets = {whole: BigBird(config, whole) for whole in (True, False)}
    heads = {whole: nn.Linear(config.width, config.symbols) for whole in nets}
    optimizers = {
        whole: torch.optim.Adam([*nets[whole].parameters(), *heads[whole].parameters()], config.rate) for whole in nets
    }
    test, wanted = task(config, 400)
    share = float(pattern(config).float().mean())
    for update in range(1, config.updates + 1):
        ids, answer = task(config, 32)
        for whole, net in nets.items():
            loss = F.cross_entropy(heads[whole](net.encode(ids, torch.zeros_like(ids))[1]), answer)
            optimizers[whole].zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizers[whole].step()
        if update % max(1, config.updates // 10) == 0:
            right = {whole: judged(net, heads[whole], test, wanted) for whole, net in nets.items()}
            metrics = {"accuracy": right[True], "share of pairs": share, "baseline": right[False]}
            picture = pattern(config).byte().mul(255).numpy().repeat(2, 0).repeat(2, 1)
            yield Step(update, config.updates, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
