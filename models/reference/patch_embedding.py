r"""Patch embedding: an image becomes a sequence of words by cutting it into squares and projecting each.

A. Dosovitskiy et al., "An Image is Worth 16x16 Words", arXiv:2010.11929, section 3.1, equation 1.

What it changes against convolutional stems: one linear map without overlap. It equals a convolution whose stride is its
kernel, which is how it is usually computed; both forms are here and the demonstration measures their difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, grid, seeded

METADATA = {
    "node": "patch-embedding",
    "title": {"en": "Patch embedding", "zh": "图像块嵌入"},
    "year": 2020,
    "paper": {
        "title": "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
        "arxiv": "2010.11929",
        "sections": "3.1, equation 1",
    },
    "parents": ["cnn"],
    "demo": {
        "task": {
            "en": "Cutting into patches and projecting them equals a convolution with stride, digit by digit",
            "zh": "切块后线性投影与带步长的卷积在每个手写数字上结果相同",
        },
        "metric": "largest difference",
        "target": 1e-5,
        "baseline": "the same with the pixels of each patch read column by column",
        "margin": 0.01,
        "lower": True,
    },
    # equation 1's E of ViT-B/16 with its bias: (16^2 * 3) * 768 + 768, the first layer of google's vit-base-patch16-224
    "presets": {"ViT-B/16": 590_592},
}


@dataclass(frozen=True)
class Config:
    colours: int = 1  # channels of the image
    patch: int = 2  # side P of a patch
    width: int = 32  # D
    images: int = 360  # digits compared


TINY = Config(images=20)
PRESETS = {"ViT-B/16": Config(3, 16, 768)}


def cut(images: Tensor, patch: int) -> Tensor:
    """(B, C, H, W) -> flattened patches (B, N, C P P), row by row, N = H W / P^2."""
    B, C, H, W = images.shape
    P = patch
    x = images.reshape(B, C, H // P, P, W // P, P)
    return x.permute(0, 2, 4, 1, 3, 5).reshape(B, (H // P) * (W // P), C * P * P)


class PatchEmbedding(nn.Module):
    """Images (B, C, H, W) -> (B, N, D)."""

    def __init__(self, colours: int, patch: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(colours, width, patch, stride=patch)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images).flatten(2).transpose(1, 2)  # (B, D, H/P, W/P) -> (B, D, N) -> (B, N, D)

    def linear(self, patches: Tensor) -> Tensor:
        """The same from flattened patches (B, N, C P P)."""
        # (1)   [x_p^1 E; x_p^2 E; ...; x_p^N E],   E in R^(P^2 C x D)
        return patches @ self.conv.weight.flatten(1).T + self.conv.bias


def build(config: Config) -> PatchEmbedding:
    return PatchEmbedding(config.colours, config.patch, config.width)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    images, P = digits().x_test[: config.images], config.patch
    model, worst, wrong = build(config), 0.0, 0.0
    pieces = images.split(max(1, len(images) // 5))
    for done, batch in enumerate(pieces, 1):
        patches = cut(batch, P)  # (B, N, P P)
        turned = patches.unflatten(-1, (-1, P, P)).transpose(-2, -1).flatten(-3)
        with torch.no_grad():
            wanted = model(batch)
            worst = max(worst, float((model.linear(patches) - wanted).abs().max()))
            wrong = max(wrong, float((model.linear(turned) - wanted).abs().max()))
        picture = grid(patches[0].unflatten(-1, (P, P)), columns=batch.shape[-1] // P, scale=12)
        yield Step(done, len(pieces), {"largest difference": worst, "baseline": wrong}, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
