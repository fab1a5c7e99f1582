r"""GPT-2: the same net, larger and normalised earlier, does tasks it was never trained for.

A. Radford et al., "Language Models are Unsupervised Multitask Learners", OpenAI, 2019, section 2.3 (the changes) and
table 2 (the four sizes; the repository's README corrects their parameter counts).

What it changes against GPT: layer normalisation before each sublayer and once more at the end, residual weights scaled
by 1 / sqrt(N) at first, twice the context, 50,257 byte-level tokens, and ten times the parameters.
"""

from __future__ import annotations

import math
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
    "node": "gpt2",
    "title": {"en": "GPT-2", "zh": "GPT-2"},
    "year": 2019,
    "paper": {
        "title": "Language Models are Unsupervised Multitask Learners",
        "url": "https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf",
        "sections": "2.3, table 2",
    },
    "parents": ["gpt1"],
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
    # the counts of transformers' gpt2, gpt2-medium, gpt2-large and gpt2-xl; the README of openai/gpt-2 gives 124M,
    # 355M, 774M and 1.5B where the paper had printed 117M, 345M, 762M and 1542M
    "presets": {"small": 124_439_808, "medium": 354_823_168, "large": 774_030_080, "XL": 1_557_611_200},
}


@dataclass(frozen=True)
class Config:
    symbols: int = 1000  # vocabulary
    context: int = 32  # positions
    width: int = 64  # C
    heads: int = 4  # of each layer
    layers: int = 2  # N
    dropout: float = 0.0  # 0.1 in the released models
    updates: int = 400  # training steps
    batch: int = 24  # pieces of text an update
    rate: float = 5e-3  # highest learning rate


TINY = Config(context=16, width=16, layers=1, updates=20)  # a warm-up of 15% needs a few
PRESETS = {
    "small": Config(50_257, 1024, 768, 12, 12, 0.1),
    "medium": Config(50_257, 1024, 1024, 16, 24, 0.1),
    "large": Config(50_257, 1024, 1280, 20, 36, 0.1),
    "XL": Config(50_257, 1024, 1600, 25, 48, 0.1),
}


class GPT2(nn.Module):
    """Ids (B, T) -> logits of the next one (B, T, V)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.tokens, self.positions = nn.Embedding(c.symbols, c.width), nn.Embedding(c.context, c.width)
        self.layers = nn.ModuleList(
            Layer(
                c.width, c.heads, 4 * c.width, c.dropout, pre_norm=True, activation=partial(F.gelu, approximate="tanh")
            )
            for _ in range(c.layers)
        )
        self.norm, self.dropout = nn.LayerNorm(c.width), nn.Dropout(c.dropout)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                # section 2.3: weights of residual layers times 1 / sqrt(N), N the number of residual layers
                last = name.endswith(("attention.o.weight", "down.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * c.layers) if last else 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        _, T = ids.shape
        x = self.dropout(self.tokens(ids) + self.positions(torch.arange(T, device=ids.device)))  # (B, T, C)
        for layer in self.layers:
            # x = x + Attention(LayerNorm(x)),   x = x + FFN(LayerNorm(x))
            x = layer(x, causal(T).to(ids.device))
        return self.norm(x) @ self.tokens.weight.T  # (B, T, V)


def build(config: Config) -> GPT2:
    return GPT2(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    source = text("zh", 120_000)
    config = replace(config, symbols=len(alphabet(source)))
    model = build(config)
    for update, metrics, sample in learn_text(model, source, config.updates, config.batch, config.context, config.rate):
        yield Step(update, config.updates, metrics, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
