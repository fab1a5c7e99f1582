r"""GPT: the Transformer's decoder alone, trained to continue any text.

A. Radford, K. Narasimhan, T. Salimans and I. Sutskever, "Improving Language Understanding by Generative Pre-Training",
OpenAI, 2018, section 3.1 (equations 1 and 2), section 4.1 (model specifications).

What it changes against the Transformer: no encoder and no cross-attention; learned positions; GELU; one unlabelled
corpus instead of sentence pairs. Whatever task follows, the same net is fine-tuned on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import alphabet, learn_text, seeded, text
from ailineage.models.reference.transformer import Layer, causal

METADATA = {
    "node": "gpt1",
    "title": {"en": "GPT-1", "zh": "GPT-1"},
    "year": 2018,
    "paper": {
        "title": "Improving Language Understanding by Generative Pre-Training",
        "url": "https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf",
        "sections": "3.1, 4.1; equations 1 and 2",
    },
    "parents": ["transformer"],
    "demo": {
        "task": {
            "en": "Continues our English articles character by character, judged on articles it has not read",
            "zh": "逐字符续写本库英文文章，在未读过的文章上评测",
        },
        "metric": "nats a character",
        "target": 2.5,
        "baseline": "the characters' frequencies alone",
        "margin": 0.3,
        "lower": True,
    },
    # section 4.1, "117M": 40,478 * 768 + 512 * 768 + 12 * 7,087,872, the count of transformers'
    # openai-community/openai-gpt
    "presets": {"117M": 116_534_784},
}


@dataclass(frozen=True)
class Config:
    symbols: int = 96  # vocabulary
    context: int = 48  # positions
    width: int = 64  # C
    heads: int = 4  # of each layer
    layers: int = 2  # N
    dropout: float = 0.0  # 0.1 in the paper
    updates: int = 400  # training steps
    batch: int = 24  # pieces of text an update
    rate: float = 4e-3  # highest learning rate


TINY = Config(context=16, width=16, layers=1, updates=10)
PRESETS = {"117M": Config(40_478, 512, 768, 12, 12, 0.1)}


class GPT(nn.Module):
    """Ids (B, T) -> logits of the next one (B, T, V)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.tokens, self.positions = nn.Embedding(c.symbols, c.width), nn.Embedding(c.context, c.width)
        self.layers = nn.ModuleList(
            Layer(c.width, c.heads, 4 * c.width, c.dropout, activation=partial(F.gelu, approximate="tanh"))
            for _ in range(c.layers)
        )
        self.dropout = nn.Dropout(c.dropout)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)  # section 4.1: N(0, 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        _, T = ids.shape
        # (2)   h_0 = U W_e + W_p
        x = self.dropout(self.tokens(ids) + self.positions(torch.arange(T, device=ids.device)))  # (B, T, C)
        # h_l = transformer_block(h_{l-1})
        for layer in self.layers:
            x = layer(x, causal(T).to(ids.device))
        # P(u) = softmax(h_n W_e^T)
        return x @ self.tokens.weight.T  # (B, T, V)


def build(config: Config) -> GPT:
    return GPT(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    source = text("en")
    config = replace(config, symbols=len(alphabet(source)))
    model = build(config)
    # (1)   L_1(U) = sum_i log P(u_i | u_{i-k}, ..., u_{i-1})
    for update, metrics, sample in learn_text(model, source, config.updates, config.batch, config.context, config.rate):
        yield Step(update, config.updates, metrics, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
