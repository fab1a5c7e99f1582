r"""LLaMA 2: an open GPT of the parts that proved best.

H. Touvron et al., "Llama 2: Open Foundation and Fine-Tuned Chat Models", arXiv:2307.09288, section 2.2; the parts:
RMSNorm arXiv:1910.07467, SwiGLU arXiv:2002.05202, rotary positions arXiv:2104.09864, grouped queries
arXiv:2305.13245.

What it changes against GPT-3: no biases, RMSNorm for LayerNorm, a gated net, positions turned into queries and keys,
key and value heads shared by groups of query heads (70B), an output matrix of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import alphabet, learn_text, seeded, text

METADATA = {
    "node": "llama2",
    "title": {"en": "LLaMA 2", "zh": "LLaMA 2"},
    "year": 2023,
    "paper": {
        "title": "Llama 2: Open Foundation and Fine-Tuned Chat Models",
        "arxiv": "2307.09288",
        "sections": "2.2, table 1; appendix A.2.1 (grouped queries)",
    },
    "parents": ["gpt3"],
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
    # the released checkpoints' counts (model cards of meta-llama/Llama-2-7b-hf, -13b-hf and -70b-hf); SmolLM2-135M
    # (arXiv:2502.02737, HuggingFaceTB/SmolLM2-135M) is the same design with tied embeddings
    "presets": {"7B": 6_738_415_616, "13B": 13_015_864_320, "70B": 68_976_648_192, "SmolLM2-135M": 134_515_008},
}


@dataclass(frozen=True)
class Config:
    symbols: int = 1000  # vocabulary
    width: int = 64  # C
    heads: int = 4  # H query heads
    groups: int = 2  # G key and value heads
    layers: int = 2  # N
    hidden: int = 176  # units of the gated net
    eps: float = 1e-5  # in the norms
    base: float = 10_000.0  # of the rotary angles
    tied: bool = False  # the embedding is also the output matrix, in small models
    context: int = 32  # characters read in the demonstration
    updates: int = 350  # training steps
    batch: int = 24  # pieces of text an update
    rate: float = 5e-3  # highest learning rate


TINY = Config(width=16, layers=1, hidden=32, context=16, updates=20)
PRESETS = {
    "7B": Config(32_000, 4096, 32, 32, 32, 11_008),
    "13B": Config(32_000, 5120, 40, 40, 40, 13_824),
    "70B": Config(32_000, 8192, 64, 8, 80, 28_672),
    "SmolLM2-135M": Config(49_152, 576, 9, 3, 30, 1536, base=100_000.0, tied=True),
}


class RMSNorm(nn.Module):
    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x: Tensor) -> Tensor:
        # y_i = g_i x_i / sqrt(mean_j x_j^2 + eps)
        return self.weight * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps)


def rotate(x: Tensor, base: float = 10_000.0) -> Tensor:
    """Rotary positions for x (B, H, T, d): the pair (i, i + d/2) is turned by an angle that grows with t."""
    _, _, T, d = x.shape
    # theta_i = 10000^(-2i / d),   (a, b) at t -> (a cos t theta - b sin t theta, b cos t theta + a sin t theta)
    theta = base ** (-torch.arange(0, d, 2, device=x.device) / d)  # (d / 2,)
    angle = torch.arange(T, device=x.device)[:, None] * theta  # (T, d / 2)
    a, b = x.chunk(2, -1)
    return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)


class Block(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.config, d = c, c.width // c.heads
        self.q, self.o = nn.Linear(c.width, c.width, bias=False), nn.Linear(c.width, c.width, bias=False)
        self.k, self.v = (nn.Linear(c.width, c.groups * d, bias=False) for _ in range(2))
        self.gate, self.up = (nn.Linear(c.width, c.hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(c.hidden, c.width, bias=False)
        self.norm1, self.norm2 = RMSNorm(c.width, c.eps), RMSNorm(c.width, c.eps)

    def attend(self, x: Tensor) -> Tensor:
        B, T, C = x.shape
        H, G = self.config.heads, self.config.groups
        base = self.config.base
        q = rotate(self.q(x).reshape(B, T, H, C // H).transpose(1, 2), base)  # (B, H, T, d)
        k = rotate(self.k(x).reshape(B, T, G, C // H).transpose(1, 2), base)  # (B, G, T, d)
        v = self.v(x).reshape(B, T, G, C // H).transpose(1, 2)  # (B, G, T, d)
        # grouped queries: H / G query heads share one key and value head
        k, v = k.repeat_interleave(H // G, 1), v.repeat_interleave(H // G, 1)  # (B, H, T, d)
        scores = q @ k.transpose(-2, -1) / (C // H) ** 0.5  # (B, H, T, T)
        seen = torch.ones(T, T, device=x.device).tril().bool()
        heads = scores.masked_fill(~seen, float("-inf")).softmax(-1) @ v
        return self.o(heads.transpose(1, 2).reshape(B, T, C))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attend(self.norm1(x))
        y = self.norm2(x)
        # SwiGLU(y) = W_down (SiLU(W_gate y) * W_up y)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))  # (B, T, C)


class Llama(nn.Module):
    """Ids (B, T) -> logits of the next one (B, T, V)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.tokens, self.head = nn.Embedding(c.symbols, c.width), nn.Linear(c.width, c.symbols, bias=False)
        self.blocks, self.norm = nn.ModuleList(Block(c) for _ in range(c.layers)), RMSNorm(c.width, c.eps)
        if c.tied:
            self.head.weight = self.tokens.weight
        for weight in self.parameters():
            if weight.dim() == 2 and not weight.is_meta:
                nn.init.normal_(weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids)  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def build(config: Config) -> Llama:
    return Llama(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    source = text("zh", 120_000)
    config = replace(config, symbols=len(alphabet(source)))
    model = build(config)
    for update, metrics, sample in learn_text(model, source, config.updates, config.batch, config.context, config.rate):
        yield Step(update, config.updates, metrics, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
