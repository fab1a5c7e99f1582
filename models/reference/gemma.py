r"""Gemma: a small open GPT with a large vocabulary; the third generation looks far only in every sixth layer.

Gemma Team, "Gemma: Open Models Based on Gemini Research and Technology", arXiv:2403.08295, section 2 and table 1;
"Gemma 3 Technical Report", arXiv:2503.19786, section 2.

What it changes against LLaMA 2: heads of a width of their own, one key and value head for all queries (2B), a gate of
GELU instead of SiLU, embeddings scaled by sqrt(d) that are also the output matrix, and norms that multiply by 1 + g.
Gemma 3 adds a norm after each sublayer, norms of queries and keys, and five layers of a sliding window to each that
sees everything and whose rotary angles grow more slowly. The code follows the first report, and the second where
`third` is set, as it is in the demonstration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import alphabet, learn_text, seeded, text
from ailineage.models.reference.llama2 import rotate

METADATA = {
    "node": "gemma",
    "title": {"en": "Gemma", "zh": "Gemma"},
    "year": 2024,
    "paper": {
        "title": "Gemma: Open Models Based on Gemini Research and Technology",
        "arxiv": "2403.08295",
        "sections": "2, tables 1 and 2",
    },
    "parents": ["llama2"],
    "demo": {
        "task": {
            "en": "Continues our Chinese articles character by character, judged on articles it has not read",
            "zh": "逐字续写本库中文文章，在未读过的文章上评测",
        },
        "metric": "nats a character",
        "target": 4.7,
        "baseline": "the characters' frequencies alone",
        "margin": 0.3,
        "lower": True,
    },
    # table 2 of the first report: 2B has 524,550,144 parameters in the embedding and 1,981,884,416 beside it, 7B
    # 786,825,216 and 7,751,248,896, for 256,128 entries; released checkpoints have 256,000, and these counts. Gemma 3
    # as released (google/gemma-3-270m and -1b-pt)
    "presets": {
        "2B": 2_506_172_416,
        "7B": 8_537_680_896,
        "Gemma 3 270M": 268_098_176,
        "Gemma 3 1B": 999_885_952,
    },
}


@dataclass(frozen=True)
class Config:
    symbols: int = 1000  # vocabulary
    width: int = 64  # d
    heads: int = 4  # H query heads
    groups: int = 1  # G key and value heads
    head: int = 16  # width of a head
    layers: int = 2  # N
    hidden: int = 128  # units of the gated net
    third: bool = True  # with what Gemma 3 adds
    window: int = 16  # places back that a local layer of Gemma 3 sees, itself included
    every: int = 2  # each such layer of Gemma 3 sees everything
    eps: float = 1e-6  # in the norms
    context: int = 32  # characters read in the demonstration
    updates: int = 300  # training steps
    batch: int = 24  # pieces of text an update
    rate: float = 5e-3  # highest learning rate


TINY = Config(width=16, head=8, layers=2, hidden=32, context=16, updates=20)
PRESETS = {
    "2B": Config(256_000, 2048, 8, 1, 256, 18, 16_384, third=False),
    "7B": Config(256_000, 3072, 16, 16, 256, 28, 24_576, third=False),
    "Gemma 3 270M": Config(262_144, 640, 4, 1, 256, 18, 2048, window=512, every=6),
    "Gemma 3 1B": Config(262_144, 1152, 4, 1, 256, 26, 6912, window=512, every=6),
}


class Norm(nn.Module):
    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.zeros(width)), eps

    def forward(self, x: Tensor) -> Tensor:
        # y_i = (1 + g_i) x_i / sqrt(mean_j x_j^2 + eps)
        return (1 + self.weight) * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps)


class Block(nn.Module):
    def __init__(self, config: Config, number: int) -> None:
        super().__init__()
        c = config
        self.config = c
        # Gemma 3: the layer sees everything, with angles of base 1,000,000, or a window, with those of base 10,000
        self.far = not c.third or (number + 1) % c.every == 0
        self.base = 1e6 if c.third and self.far else 1e4
        self.q, self.o = (
            nn.Linear(c.width, c.heads * c.head, bias=False),
            nn.Linear(c.heads * c.head, c.width, bias=False),
        )
        self.k, self.v = (nn.Linear(c.width, c.groups * c.head, bias=False) for _ in range(2))
        self.gate, self.up = (nn.Linear(c.width, c.hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(c.hidden, c.width, bias=False)
        self.norm1, self.norm2 = Norm(c.width, c.eps), Norm(c.width, c.eps)
        if c.third:
            self.after1, self.after2 = Norm(c.width, c.eps), Norm(c.width, c.eps)
            self.norm_q, self.norm_k = Norm(c.head, c.eps), Norm(c.head, c.eps)

    def attend(self, x: Tensor) -> Tensor:
        B, T, _ = x.shape
        H, G, d = self.config.heads, self.config.groups, self.config.head
        q = self.q(x).reshape(B, T, H, d).transpose(1, 2)  # (B, H, T, d)
        k, v = (part(x).reshape(B, T, G, d).transpose(1, 2) for part in (self.k, self.v))  # (B, G, T, d)
        if self.config.third:
            q, k = self.norm_q(q), self.norm_k(k)
        q, k = rotate(q, self.base), rotate(k, self.base)
        k, v = k.repeat_interleave(H // G, 1), v.repeat_interleave(H // G, 1)  # (B, H, T, d)
        # d is also the query_pre_attn_scalar of Gemma 3's 270M and 1B
        scores = q @ k.transpose(-2, -1) / d**0.5  # (B, H, T, T)
        seen = torch.ones(T, T, device=x.device).tril().bool()
        if not self.far:
            seen &= torch.ones_like(seen).triu(1 - self.config.window)
        heads = scores.masked_fill(~seen, float("-inf")).softmax(-1) @ v
        return self.o(heads.transpose(1, 2).reshape(B, T, H * d))

    def forward(self, x: Tensor) -> Tensor:
        y = self.attend(self.norm1(x))
        x = x + (self.after1(y) if self.config.third else y)
        y = self.norm2(x)
        # GeGLU(y) = W_down (GELU(W_gate y) * W_up y)
        y = self.down(F.gelu(self.gate(y), approximate="tanh") * self.up(y))
        return x + (self.after2(y) if self.config.third else y)  # (B, T, d)


class Gemma(nn.Module):
    """Ids (B, T) -> logits of the next one (B, T, V)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.tokens = nn.Embedding(c.symbols, c.width)
        self.blocks = nn.ModuleList(Block(c, number) for number in range(c.layers))
        self.norm = Norm(c.width, c.eps)
        for weight in self.parameters():
            if weight.dim() == 2 and not weight.is_meta:
                nn.init.normal_(weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids) * self.tokens.embedding_dim**0.5  # (B, T, d)
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.tokens.weight.T


def build(config: Config) -> Gemma:
    return Gemma(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    source = text("zh", 120_000)
    config = replace(config, symbols=len(alphabet(source)))
    model = build(config)
    for update, metrics, sample in learn_text(model, source, config.updates, config.batch, config.context, config.rate):
        yield Step(update, config.updates, metrics, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
