r"""Image Transformer: a picture is written pixel by pixel, each attending to those just before it.

N. Parmar et al., "Image Transformer", arXiv:1802.05751, sections 3.1 to 3.3, equations 1 and 2, figures 1 and 2.

What it changes against the Transformer: the sequence is the intensities of a picture in raster order, far too long for
attention to everything. It is cut into query blocks; each attends to itself and to a memory block before it (local 1D
attention). Positions are coordinates: half of the width for the row, half for the column and colour.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, grid, seeded
from ailineage.models.reference.transformer import sinusoid

METADATA = {
    "node": "image-transformer",
    "title": {"en": "Image Transformer", "zh": "Image Transformer"},
    "year": 2018,
    "paper": {
        "title": "Image Transformer",
        "arxiv": "1802.05751",
        "sections": "3.1 to 3.3, equations 1 and 2, figures 1 and 2, section 5.1",
    },
    "parents": ["transformer"],
    "demo": {
        "task": {
            "en": "Unseen digits predicted pixel by pixel; the picture shows their lower halves continued",
            "zh": "逐像素预测陌生数字；图片为补写出的下半部分",
        },
        "metric": "bits a pixel",
        "target": 2.3,
        "baseline": "each place's own frequencies of intensities",
        "margin": 0.2,
        "lower": True,
    },
    # the paper prints sizes but no count. Section 5.1's 12 layers of 512, 4 or 8 heads and 2048 for CIFAR-10 and
    # ImageNet, without biases in attention as in equation 1, sum to
    # 3 * 256 * 512 + 12 (4 * 512^2 + 2 * 512 * 2048 + 2048 + 512 + 4 * 512) + 512 * 256 + 256
    "presets": {"CIFAR10": 38_328_576, "ImageNet": 38_328_576},
}


@dataclass(frozen=True)
class Config:
    side: int = 8  # of the picture
    colours: int = 1  # channels; their intensities follow each other
    levels: int = 17  # intensities: those of the digits; 256 in the paper
    block: int = 8  # l_q, intensities of a query block: here one row
    memory: int = 24  # l_m, intensities before the block that it sees too: here three rows
    width: int = 48  # d
    heads: int = 4  # of each layer
    hidden: int = 96  # units of the feed-forward nets
    layers: int = 2  # of the decoder
    dropout: float = 0.0  # 0.3 on CIFAR-10, 0.1 on ImageNet
    updates: int = 500  # training steps
    batch: int = 32  # pictures an update
    rate: float = 5e-3  # highest learning rate


TINY = Config(width=16, hidden=16, layers=1, updates=5)
PRESETS = {
    "CIFAR10": Config(32, 3, 256, 256, 256, 512, 4, 2048, 12, 0.3),
    "ImageNet": Config(32, 3, 256, 256, 256, 512, 8, 2048, 12, 0.1),
}


class LocalAttention(nn.Module):
    """Attention of (B, T, C) by blocks of `block` positions, each to itself and the `memory` positions before it."""

    def __init__(self, width: int, heads: int, block: int, memory: int) -> None:
        super().__init__()
        self.heads, self.block, self.memory = heads, block, memory
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        B, T, C = x.shape
        H, L, M = self.heads, self.block, self.memory
        more = -T % L  # the last block is filled up
        q = F.pad(self.q(x), (0, 0, 0, more)).reshape(B, -1, L, H, C // H)  # (B, N, L, H, d), N blocks
        # each block's memory block, M positions longer to the left: (B, N, H, d, M + L)
        k, v = (F.pad(f(x), (0, 0, M, more)).unfold(1, M + L, L).unflatten(2, (H, C // H)) for f in (self.k, self.v))
        scores = torch.einsum("bnlhd,bnhdm->bnhlm", q, k) / math.sqrt(C // H)
        start = torch.arange(0, T, L, device=x.device)[:, None, None]  # (N, 1, 1)
        i, j = torch.arange(L, device=x.device)[:, None], torch.arange(-M, L, device=x.device)
        seen = (j <= i) & (start + j >= 0)  # (N, L, M + L): what came before, within the picture
        # (1)   q_a = LN(q + dropout(softmax(W_q q (M W_k)^T / sqrt(d)) M W_v))
        weights = scores.masked_fill(~seen[:, None], float("-inf")).softmax(-1)  # (B, N, H, L, M + L)
        heads = torch.einsum("bnhlm,bnhdm->bnlhd", weights, v).reshape(B, -1, C)
        return self.o(heads[:, :T])


class Layer(nn.Module):
    def __init__(self, c: Config) -> None:
        super().__init__()
        self.attention = LocalAttention(c.width, c.heads, c.block, c.memory)
        self.up, self.down = nn.Linear(c.width, c.hidden), nn.Linear(c.hidden, c.width)
        self.norm1, self.norm2, self.dropout = nn.LayerNorm(c.width), nn.LayerNorm(c.width), nn.Dropout(c.dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm1(x + self.dropout(self.attention(x)))
        # (2)   q' = LN(q_a + dropout(W_1 ReLU(W_2 q_a)))
        return self.norm2(x + self.dropout(self.down(F.relu(self.up(x)))))


def coordinates(side: int, colours: int, width: int) -> Tensor:
    """(T, C): sinusoids of the row in one half, of the column and colour in the other."""
    rows = sinusoid(side, width // 2).repeat_interleave(side * colours, 0)
    return torch.cat([rows, sinusoid(side * colours, width // 2).repeat(side, 1)], 1)


class ImageTransformer(nn.Module):
    """Intensities (B, T) in raster order, colours next to each other -> logits of each from those before (B, T, V)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.config = config
        # one set of 256 vectors for each colour
        self.intensities = nn.Embedding(c.colours * c.levels, c.width)
        self.register_buffer("places", coordinates(c.side, c.colours, c.width))
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.layers))
        self.out = nn.Linear(c.width, c.levels)

    def forward(self, ids: Tensor) -> Tensor:
        _, T = ids.shape
        colour = torch.arange(T, device=ids.device) % self.config.colours
        x = self.intensities(ids + colour * self.config.levels)  # (B, T, C)
        x = F.pad(x, (0, 0, 1, 0))[:, :T] + self.places[:T]  # moved by one: a pixel does not see itself
        for layer in self.layers:
            x = layer(x)
        return self.out(x)

    @torch.no_grad()
    def continued(self, ids: Tensor) -> Tensor:
        """The whole picture (B, T), drawn after its first intensities (B, K)."""
        for _ in range(len(self.places) - ids.shape[1]):
            # the new place's logits are the last ones of the sequence with any intensity there
            chances = self(F.pad(ids, (0, 1)))[:, -1].softmax(-1)
            ids = torch.cat([ids, torch.multinomial(chances, 1)], 1)
        return ids


def build(config: Config) -> ImageTransformer:
    return ImageTransformer(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, model, V = digits(config.side), build(config), config.levels
    x, x_test = ((z * (V - 1)).round().long().flatten(1) for z in (split.x, split.x_test))  # (N, T)
    counts = torch.stack([torch.bincount(column, minlength=V) + 0.1 for column in x.T])  # (T, V)
    frequent = (counts / counts.sum(1, keepdim=True)).log()
    baseline = float(F.nll_loss(frequent.expand(len(x_test), -1, -1).flatten(0, 1), x_test.flatten())) / math.log(2)
    optimizer = torch.optim.Adam(model.parameters(), config.rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates, pct_start=0.15)
    for update in range(1, config.updates + 1):
        ids = x[torch.randint(len(x), (config.batch,))]
        loss = F.cross_entropy(model(ids).flatten(0, 1), ids.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if update % max(1, config.updates // 10) == 0 or update == config.updates:
            model.eval()
            with torch.no_grad():
                bits = float(F.cross_entropy(model(x_test).flatten(0, 1), x_test.flatten())) / math.log(2)
            half = x_test.shape[1] // 2
            drawn = model.continued(x_test[:10, :half])
            blank = F.pad(x_test[:10, :half], (0, half))
            model.train()
            rows = torch.cat([blank, drawn, x_test[:10]]).reshape(30, config.side, -1) / (V - 1)
            metrics = {"bits a pixel": bits, "loss": float(loss.detach()), "baseline": baseline}
            yield Step(update, config.updates, metrics, picture=grid(rows, scale=4))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
