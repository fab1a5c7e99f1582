r"""Segment Anything: cut out whatever a click means.

A. Kirillov et al., "Segment Anything", arXiv:2304.02643, section 3, figure 4, appendix A; encoder as in Y. Li et al.,
"Exploring Plain Vision Transformer Backbones for Object Detection", arXiv:2203.16527.

What it changes against ViT and MAE: the picture is encoded once, with attention in windows and a few global layers;
then a prompt of points, boxes or a rough mask asks a small decoder, which answers in milliseconds. No classes: the
prompt is the question. As one click can mean part or whole, three masks are given, each with how good it should be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import grid, seeded
from ailineage.models.reference.patch_embedding import PatchEmbedding
from ailineage.models.reference.transformer import FeedForward

METADATA = {
    "node": "sam",
    "title": {"en": "Segment Anything (SAM)", "zh": "Segment Anything（SAM）"},
    "year": 2023,
    "paper": {
        "title": "Segment Anything",
        "arxiv": "2304.02643",
        "sections": "3, figure 4, appendix A",
    },
    "parents": ["vit", "mae"],
    "demo": {
        "task": {
            "en": "One click among noisy shapes, all equally bright, cuts out the one clicked on",
            "zh": "在亮度相同的带噪图形中点一下，抠出被点中的那一个",
        },
        "metric": "mean IoU",
        "target": 0.7,
        "baseline": "the pixels about as bright as the clicked one, best tolerance",
        "margin": 0.2,
    },
    # facebookresearch/segment_anything's build_sam; transformers' SamModel has 256 more, as the random frequencies of
    # the positions are a parameter there and a buffer here and in the original
    "presets": {"ViT-B": 93_735_472, "ViT-L": 312_342_832, "ViT-H": 641_090_608},
}


@dataclass(frozen=True)
class Config:
    image: int = 16  # side of the picture
    patch: int = 2  # side of a patch; a mask has four times as many places a side as there are patches
    colours: int = 1  # channels
    width: int = 48  # of the image encoder
    layers: int = 2  # of the image encoder
    heads: int = 4  # of the image encoder
    globally: tuple[int, ...] = (1,)  # layers that attend to the whole picture
    window: int = 4  # side of the others' windows, in patches
    dim: int = 48  # of prompts and decoder
    decoder_heads: int = 4  # of the decoder
    decoder_hidden: int = 96  # units of the decoder's feed-forward nets
    decoder_layers: int = 1  # two-way layers; 2 in the paper
    updates: int = 500  # training steps of 16 pictures with 3 clicks each
    rate: float = 3e-3  # highest learning rate of AdamW


TINY = Config(width=16, layers=2, dim=16, decoder_layers=1, updates=5)
PRESETS = {
    "ViT-B": Config(1024, 16, 3, 768, 12, 12, (2, 5, 8, 11), 14, 256, 8, 2048, 2),
    "ViT-L": Config(1024, 16, 3, 1024, 24, 16, (5, 11, 17, 23), 14, 256, 8, 2048, 2),
    "ViT-H": Config(1024, 16, 3, 1280, 32, 16, (7, 15, 23, 31), 14, 256, 8, 2048, 2),
}


class RelativeAttention(nn.Module):
    """Self-attention in maps (B, H, W, C) that also looks at how far apart two places are."""

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.rows = nn.Parameter(torch.zeros(2 * side - 1, width // heads))
        self.columns = nn.Parameter(torch.zeros(2 * side - 1, width // heads))

    def forward(self, x: Tensor) -> Tensor:
        B, H, W, C = x.shape
        q, k, v = self.qkv(x).reshape(B, H * W, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # each (B, h, H W, d)
        scores = q @ k.transpose(-2, -1) / math.sqrt(C // self.heads)  # (B, h, H W, H W)
        # q_i . (r_{y_i - y_j} + r'_{x_i - x_j}) is added
        apart = torch.arange(H)[:, None] - torch.arange(H) + H - 1  # (H, H)
        places = q.reshape(B, self.heads, H, W, -1)
        rows = torch.einsum("bhyxd,yzd->bhyxz", places, self.rows[apart])  # (B, h, H, W, H)
        columns = torch.einsum("bhyxd,xzd->bhyxz", places, self.columns[apart])  # (B, h, H, W, W)
        scores = scores + (rows[..., None] + columns[..., None, :]).reshape(scores.shape)
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(B, H, W, C))


class Block(nn.Module):
    """A layer of the image encoder; window 0 is the whole picture."""

    def __init__(self, c: Config, window: int) -> None:
        super().__init__()
        self.window = window
        self.norm1, self.norm2 = nn.LayerNorm(c.width, eps=1e-6), nn.LayerNorm(c.width, eps=1e-6)
        self.attention = RelativeAttention(c.width, c.heads, window or c.image // c.patch)
        self.net = FeedForward(c.width, 4 * c.width, F.gelu)

    def attend(self, x: Tensor) -> Tensor:
        B, H, W, C = x.shape
        if not (w := self.window):
            return self.attention(x)
        x = F.pad(x, (0, 0, 0, -W % w, 0, -H % w))  # (B, H', W', C)
        h, v = x.shape[1] // w, x.shape[2] // w
        x = x.reshape(B, h, w, v, w, C).transpose(2, 3).reshape(-1, w, w, C)  # (B h v, w, w, C)
        x = self.attention(x).reshape(B, h, v, w, w, C).transpose(2, 3)
        return x.reshape(B, h * w, v * w, C)[:, :H, :W]

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attend(self.norm1(x))
        return x + self.net(self.norm2(x))


class MapNorm(nn.LayerNorm):
    """Layer normalisation over the channels of maps (B, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class ImageEncoder(nn.Module):
    """Pictures (B, colours, S, S) -> embedding (B, D, S / P, S / P)."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        side = c.image // c.patch
        self.patches = PatchEmbedding(c.colours, c.patch, c.width)
        self.places = nn.Parameter(torch.randn(side, side, c.width) * 0.5)  # strong, for want of MAE's pre-training
        self.blocks = nn.ModuleList(Block(c, 0 if i in c.globally else c.window) for i in range(c.layers))
        first, second = nn.Conv2d(c.width, c.dim, 1, bias=False), nn.Conv2d(c.dim, c.dim, 3, padding=1, bias=False)
        self.neck = nn.Sequential(first, MapNorm(c.dim, eps=1e-6), second, MapNorm(c.dim, eps=1e-6))

    def forward(self, images: Tensor) -> Tensor:
        x = self.patches(images).unflatten(1, self.places.shape[:2]) + self.places  # (B, H, W, C)
        for block in self.blocks:
            x = block(x)
        return self.neck(x.permute(0, 3, 1, 2))


class PromptEncoder(nn.Module):
    """Clicks and boxes as tokens, masks as maps."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        self.image, self.side = c.image, c.image // c.patch
        self.register_buffer("frequencies", torch.randn(2, c.dim // 2))
        self.kinds = nn.Embedding(4, c.dim)  # a click beside, a click on the object, a box's two corners
        self.nothing, self.no_mask = nn.Embedding(1, c.dim), nn.Embedding(1, c.dim)
        small, more = nn.Conv2d(1, 4, 2, 2), nn.Conv2d(4, 16, 2, 2)
        norms = MapNorm(4, eps=1e-6), MapNorm(16, eps=1e-6)
        self.mask = nn.Sequential(small, norms[0], nn.GELU(), more, norms[1], nn.GELU(), nn.Conv2d(16, c.dim, 1))

    def position(self, places: Tensor) -> Tensor:
        """Places (..., 2), x and y from 0 to 1, as random Fourier features (..., D)."""
        # gamma(v) = [sin(2 pi B v), cos(2 pi B v)],   B ~ N(0, 1)
        angle = 2 * math.pi * (2 * places - 1) @ self.frequencies
        return torch.cat([angle.sin(), angle.cos()], -1)

    def grid(self) -> Tensor:
        """The positions of the embedding's places (H W, D)."""
        middle = (torch.arange(self.side, device=self.frequencies.device) + 0.5) / self.side
        y, x = torch.meshgrid(middle, middle, indexing="ij")
        return self.position(torch.stack([x, y], -1)).flatten(0, 1)

    def forward(self, points: Tensor, kinds: Tensor, masks: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Points (B, N, 2) in pixels of kinds (B, N), -1 for none -> tokens (B, N, D) and maps to add (B, D, H, W)."""
        tokens = self.position((points + 0.5) / self.image) + self.kinds(kinds.clamp(min=0))
        tokens = torch.where(kinds[..., None] < 0, self.nothing.weight, tokens)
        if masks is not None:
            return tokens, self.mask(masks)
        return tokens, self.no_mask.weight[..., None, None].expand(len(points), -1, self.side, self.side)


class Attention(nn.Module):
    """Queries, keys and values apart, in a space `shrink` times narrower."""

    def __init__(self, width: int, heads: int, shrink: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v = (nn.Linear(width, width // shrink) for _ in range(3))
        self.o = nn.Linear(width // shrink, width)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        parts = (
            f(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for f, x in ((self.q, q), (self.k, k), (self.v, v))
        )
        q, k, v = parts  # (B, h, T, d), (B, h, S, d), (B, h, S, d)
        weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1)  # (B, h, T, S)
        return self.o((weights @ v).transpose(1, 2).flatten(2))


class TwoWay(nn.Module):
    """Figure 14: tokens look at each other and at the picture, then the picture looks at the tokens."""

    def __init__(self, c: Config, first: bool) -> None:
        super().__init__()
        self.first = first
        self.own = Attention(c.dim, c.decoder_heads, 1)
        self.to_image, self.to_tokens = Attention(c.dim, c.decoder_heads, 2), Attention(c.dim, c.decoder_heads, 2)
        self.net = FeedForward(c.dim, c.decoder_hidden)
        self.norms = nn.ModuleList(nn.LayerNorm(c.dim) for _ in range(4))

    def forward(self, x: Tensor, image: Tensor, places: Tensor, marks: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens x (B, T, D), image (B, H W, D); the positions of both are added wherever they ask or are asked."""
        q = x + marks
        x = self.norms[0](self.own(x, x, x) if self.first else x + self.own(q, q, x))
        x = self.norms[1](x + self.to_image(x + marks, image + places, image))
        x = self.norms[2](x + self.net(x))
        return x, self.norms[3](image + self.to_tokens(image + places, x + marks, x))


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    first, second, last = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, outputs)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)


class MaskDecoder(nn.Module):
    """Embedding (B, D, H, W) and prompts -> masks (B, 4, 4 H, 4 W) and the IoU expected of each (B, 4)."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        d = c.dim
        self.outputs = nn.Embedding(5, d)  # one token for the IoU, one for a single mask, three for three
        self.layers = nn.ModuleList(TwoWay(c, first=i == 0) for i in range(c.decoder_layers))
        self.last, self.norm = Attention(d, c.decoder_heads, 2), nn.LayerNorm(d)
        larger, largest = nn.ConvTranspose2d(d, d // 4, 2, 2), nn.ConvTranspose2d(d // 4, d // 8, 2, 2)
        self.up = nn.Sequential(larger, MapNorm(d // 4, eps=1e-6), nn.GELU(), largest, nn.GELU())
        self.weights = nn.ModuleList(mlp(d, d, d // 8) for _ in range(4))
        self.quality = mlp(d, d, 4)
        for layer in (*self.up.modules(), *self.weights.modules()):
            if isinstance(layer, nn.ConvTranspose2d):  # each place of its output has one place of its input
                nn.init.normal_(layer.weight, std=layer.in_channels**-0.5)
            elif isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight)

    def forward(self, image: Tensor, places: Tensor, tokens: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        B, _, H, W = image.shape
        marks = torch.cat([self.outputs.weight.expand(B, -1, -1), tokens], 1)  # (B, 5 + N, D)
        x, image = marks, (image + maps).flatten(2).transpose(1, 2)  # (B, H W, D)
        for layer in self.layers:
            x, image = layer(x, image, places, marks)
        x = self.norm(x + self.last(x + marks, image + places, image))
        up = self.up(image.transpose(1, 2).unflatten(2, (H, W)))  # (B, D / 8, 4 H, 4 W)
        # a mask is the scalar product of each place with a vector that its token gives
        vectors = torch.stack([f(x[:, 1 + i]) for i, f in enumerate(self.weights)], 1)  # (B, 4, D / 8)
        return torch.einsum("bmd,bdhw->bmhw", vectors, up), self.quality(x[:, 0])


class SAM(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.image, self.prompt, self.mask = ImageEncoder(config), PromptEncoder(config), MaskDecoder(config)

    def forward(
        self, embedding: Tensor, points: Tensor, kinds: Tensor, masks: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Masks (B, 4, ...) and their expected IoU (B, 4) from what `image` made of the pictures."""
        return self.mask(embedding, self.prompt.grid(), *self.prompt(points, kinds, masks))


def build(config: Config) -> SAM:
    return SAM(config)


def scenes(count: int, side: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Noisy pictures (count, 1, S, S) of equally bright discs and boxes; the masks of up to three (count, 3, S, S)."""
    y, x = np.mgrid[:side, :side]
    pictures, masks = np.zeros((count, 1, side, side)), np.zeros((count, 3, side, side), bool)
    for image, mask in zip(pictures[:, 0], masks, strict=True):
        image += (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1)) * 0.3 / side
        placed: list[tuple[float, float, float]] = []
        for i in range(30):
            cx, cy, r = *rng.uniform(2, side - 3, 2), rng.uniform(2, 4)
            if len(placed) < 3 and all(math.hypot(cx - a, cy - b) > r + c + 1 for a, b, c in placed):
                disc, box = (x - cx) ** 2 + (y - cy) ** 2 < r * r, (abs(x - cx) < r) & (abs(y - cy) < r * 0.7)
                mask[len(placed)] = disc if i % 2 else box
                image[mask[len(placed)]] += 1
                placed.append((cx, cy, r))
        image += rng.normal(size=image.shape, scale=0.2)
    return torch.tensor(pictures, dtype=torch.float32), torch.tensor(masks)


def clicks(masks: Tensor) -> Tensor:
    """A place (B, 1, 2), x and y, on each mask (B, S, S)."""
    chances = masks.flatten(1).float() + 1e-6  # one that found no room is clicked anywhere
    place = torch.multinomial(chances, 1)  # (B, 1)
    return torch.stack([place % masks.shape[-1], place // masks.shape[-1]], -1).float()


def overlap(guess: Tensor, mask: Tensor) -> Tensor:
    """IoU of boolean masks (..., S, S)."""
    return (guess & mask).sum((-2, -1)) / (guess | mask).sum((-2, -1)).clamp(min=1)


def loss_of(masks: Tensor, quality: Tensor, wanted: Tensor) -> Tensor:
    """Logits (B, 3, S, S), expected IoU (B, 3) and the mask meant (B, S, S)."""
    truth = wanted[:, None].expand_as(masks).float()
    chance = masks.sigmoid()
    # appendix A: focal loss and dice loss 20 to 1,   focal = -(1 - p_t)^2 log p_t
    right = torch.where(truth > 0, chance, 1 - chance)
    plain = F.binary_cross_entropy_with_logits(masks, truth, reduction="none")
    focal = ((1 - right) ** 2 * plain).mean((2, 3))  # (B, 3)
    dice = 1 - (2 * (chance * truth).sum((2, 3)) + 1) / (chance.sum((2, 3)) + truth.sum((2, 3)) + 1)
    # section 3, "resolving ambiguity": only the best of the three masks is corrected
    best = (20 * focal + dice).amin(1)
    reached = overlap(masks > 0, truth > 0)  # (B, 3)
    return (best + (quality - reached).square().mean(1)).mean()


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    rng, model = np.random.default_rng(seed), build(config)
    (x, masks), (x_test, masks_test) = (scenes(n, config.image, rng) for n in (800, 60))
    on_object = torch.ones(3 * len(x_test), 1, dtype=torch.long)
    truth = masks_test.flatten(0, 1)  # (3 N, S, S)
    points = clicks(truth)
    column, row = points[:, 0].long().unbind(1)
    pictures = x_test[:, 0].repeat_interleave(3, 0)  # (3 N, S, S)
    apart = (pictures - pictures[torch.arange(len(row)), row, column][:, None, None]).abs()
    visible = truth.sum((1, 2)) >= 6
    baseline = max(float(overlap(apart < cut, truth)[visible].mean()) for cut in np.linspace(0.05, 1, 20))
    optimizer = torch.optim.AdamW(model.parameters(), config.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates, pct_start=0.1)
    for update in range(1, config.updates + 1):
        index = torch.randint(len(x), (16,))
        wanted = masks[index].flatten(0, 1)  # (B, S, S)
        embedding = model.image(x[index]).repeat_interleave(3, 0)  # computed once for three clicks
        guess, quality = model(embedding, clicks(wanted), on_object[: len(wanted)])
        guess = F.interpolate(guess, wanted.shape[1:], mode="bilinear")  # to the picture's size
        shown = wanted.sum((1, 2)) >= 6
        loss = loss_of(guess[shown, 1:], quality[shown, 1:], wanted[shown])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if update % max(1, config.updates // 10) == 0 or update == config.updates:
            with torch.no_grad():
                guess, quality = model(model.image(x_test).repeat_interleave(3, 0), points, on_object)
            guess = F.interpolate(guess, truth.shape[1:], mode="bilinear")
            best = guess[torch.arange(len(guess)), 1 + quality[:, 1:].argmax(1)] > 0  # the one thought best
            clicked = ((pictures + 1.5) / 3).index_put((torch.arange(len(row)), row, column), torch.tensor(1.0))
            metrics = {"mean IoU": float(overlap(best, truth)[visible].mean()), "loss": float(loss.detach())}
            picture = grid(torch.cat([clicked[:9], truth[:9].float(), best[:9].float()]), columns=9, scale=4)
            yield Step(update, config.updates, metrics | {"baseline": baseline}, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
