r"""Vision Transformer: an image is a sentence of patches, read by an encoder made for text.

A. Dosovitskiy et al., "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale", arXiv:2010.11929,
section 3.1 (equations 1 to 4), table 1 (sizes).

What it changes against the Transformer: patches instead of words, a learned [class] token as in BERT, normalisation
before the sublayers; no convolution beyond the patches, so neighbourhood must be learned, which needs much data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import classify, digits, nearest_mean, seeded
from ailineage.models.reference.patch_embedding import PatchEmbedding
from ailineage.models.reference.transformer import Layer

METADATA = {
    "node": "vit",
    "title": {"en": "Vision Transformer", "zh": "视觉 Transformer"},
    "year": 2020,
    "paper": {
        "title": "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
        "arxiv": "2010.11929",
        "sections": "3.1, equations 1 to 4, table 1",
    },
    "parents": ["transformer", "bert", "patch_embedding"],
    "demo": {
        "task": {
            "en": "Digits of 8x8 read as sixteen patches of 2x2",
            "zh": "把 8x8 手写数字读作十六个 2x2 图像块",
        },
        "metric": "test accuracy",
        "target": 0.92,
        "baseline": "nearest class mean",
        "margin": 0.015,
    },
    # table 1 says 86, 307 and 632 million; with the 1000-class head at 224x224 the counts of torchvision's vit_b_16,
    # vit_l_16 and vit_h_14 (its documented num_params for the first two; the third for its 224x224 form)
    "presets": {"B/16": 86_567_656, "L/16": 304_326_632, "H/14": 632_045_800},
}


@dataclass(frozen=True)
class Config:
    image: int = 8  # side of the image
    patch: int = 2  # side P of a patch
    colours: int = 1  # channels
    width: int = 48  # D
    heads: int = 4  # of each layer
    layers: int = 3  # L
    hidden: int = 96  # units of the MLP
    classes: int = 10  # outputs; 0: the [class] state itself
    epochs: int = 15  # passes over the digits
    rate: float = 2e-3  # of AdamW


TINY = Config(width=16, layers=1, epochs=1)
PRESETS = {
    "B/16": Config(224, 16, 3, 768, 12, 12, 3072, 1000),
    "L/16": Config(224, 16, 3, 1024, 16, 24, 4096, 1000),
    "H/14": Config(224, 14, 3, 1280, 16, 32, 5120, 1000),
}


class ViT(nn.Module):
    """Images (B, C, H, W) -> logits (B, classes)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.patches = PatchEmbedding(c.colours, c.patch, c.width)
        self.token = nn.Parameter(torch.zeros(1, 1, c.width))
        self.positions = nn.Parameter(torch.randn((c.image // c.patch) ** 2 + 1, c.width) * 0.02)
        self.layers = nn.ModuleList(
            Layer(c.width, c.heads, c.hidden, pre_norm=True, activation=F.gelu, eps=1e-6) for _ in range(c.layers)
        )
        self.norm = nn.LayerNorm(c.width, eps=1e-6)
        self.head = nn.Linear(c.width, c.classes) if c.classes else nn.Identity()

    def encode(self, images: Tensor) -> Tensor:
        """All states (B, N + 1, D), the [class] token's first."""
        # (1)   z_0 = [x_class; x_p^1 E; ...; x_p^N E] + E_pos
        x = self.patches(images)  # (B, N, D)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        for layer in self.layers:
            # (2), (3)   z' = MSA(LN(z)) + z,   z = MLP(LN(z')) + z'
            x = layer(x)
        return self.norm(x)

    def forward(self, images: Tensor) -> Tensor:
        # (4)   y = LN(z_L^0)
        return self.head(self.encode(images)[:, 0])


def build(config: Config) -> ViT:
    return ViT(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits(config.image)
    baseline, model = nearest_mean(split), build(config)
    optimizer = torch.optim.AdamW(model.parameters(), config.rate, weight_decay=0.01)
    for epoch, loss, accuracy in classify(model, split, config.epochs, optimizer):
        yield Step(epoch, config.epochs, {"test accuracy": accuracy, "loss": loss, "baseline": baseline})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
