r"""Masked autoencoder: hide three quarters of a picture, look at the rest only, and paint what is missing.

K. He et al., "Masked Autoencoders Are Scalable Vision Learners", arXiv:2111.06377, section 3, figure 1, appendix A.1.

What it changes against ViT and BERT: the target is the pixels of the hidden patches, so no label is needed. The encoder
never sees a mask token, only the visible quarter, which makes it cheap; a small decoder, thrown away later, puts mask
tokens in the gaps. Against the autoencoder: what is compressed is not the code but the part of the input that is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, grid, minibatches, seeded
from ailineage.models.reference.patch_embedding import PatchEmbedding, cut
from ailineage.models.reference.transformer import Layer

METADATA = {
    "node": "mae",
    "title": {"en": "Masked autoencoder (MAE)", "zh": "掩码自编码器（MAE）"},
    "year": 2021,
    "paper": {
        "title": "Masked Autoencoders Are Scalable Vision Learners",
        "arxiv": "2111.06377",
        "sections": "3, figure 1, appendix A.1",
    },
    "parents": ["vit", "bert", "autoencoder"],
    "demo": {
        "task": {
            "en": "Unseen digits with half of their patches hidden are completed",
            "zh": "补全遮住一半图像块的陌生数字",
        },
        "metric": "squared error of hidden pixels",
        "target": 0.045,
        "baseline": "the mean patch of each place",
        "margin": 0.02,
        "lower": True,
    },
    # the counts of facebook/vit-mae-base, -large and -huge (and of facebookresearch/mae's models_mae.py): with the
    # decoder, and with both fixed position tables, which are untrained parameters there as they are here
    "presets": {"ViT-B/16": 111_907_840, "ViT-L/16": 329_541_888, "ViT-H/14": 657_074_508},
}


@dataclass(frozen=True)
class Config:
    image: int = 8  # side of the picture
    patch: int = 2  # side of a patch
    colours: int = 1  # channels
    width: int = 48  # of the encoder
    layers: int = 2  # of the encoder
    heads: int = 4  # of the encoder
    decoder_width: int = 48  # of the decoder; narrower and shallower than the encoder in the paper
    decoder_layers: int = 2  # of the decoder
    decoder_heads: int = 4  # of the decoder
    masked: float = 0.5  # share of the patches hidden: 0.75 in the paper, too much for sixteen patches
    normalise: bool = False  # whether each target patch is brought to mean 0 and variance 1
    longest: float = 10.0  # of the positions' wave lengths over 2 pi: 10,000 in the paper, where sides are longer
    epochs: int = 30  # passes over the digits
    rate: float = 5e-3  # highest learning rate of AdamW


TINY = Config(width=16, decoder_width=16, decoder_layers=1, epochs=1)
PRESETS = {
    "ViT-B/16": Config(224, 16, 3, 768, 12, 12, 512, 8, 16, 0.75, True, 10_000.0),
    "ViT-L/16": Config(224, 16, 3, 1024, 24, 16, 512, 8, 16, 0.75, True, 10_000.0),
    "ViT-H/14": Config(224, 14, 3, 1280, 32, 16, 512, 8, 16, 0.75, True, 10_000.0),
}


def places(side: int, width: int, longest: float) -> Tensor:
    """Sinusoids (1 + side^2, width) of column and row; the [class] token's are zero."""
    speed = longest ** (-torch.arange(width // 4) / (width // 4))
    angle = torch.arange(side)[:, None] * speed  # (S, D / 4)
    one = torch.cat([angle.sin(), angle.cos()], 1)  # (S, D / 2)
    table = torch.cat([one.repeat(side, 1), one.repeat_interleave(side, 0)], 1)  # (S S, D)
    return torch.cat([torch.zeros(1, width), table])


def layers(width: int, heads: int, count: int) -> nn.ModuleList:
    made = (Layer(width, heads, 4 * width, pre_norm=True, activation=F.gelu, eps=1e-6) for _ in range(count))
    return nn.ModuleList(made)


class MAE(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        c, side = config, config.image // config.patch
        self.config = config
        self.patches = PatchEmbedding(c.colours, c.patch, c.width)
        self.token = nn.Parameter(torch.randn(1, 1, c.width) * 0.02)
        self.places = nn.Parameter(places(side, c.width, c.longest), requires_grad=False)
        self.encoder, self.norm = layers(c.width, c.heads, c.layers), nn.LayerNorm(c.width, eps=1e-6)
        self.narrow = nn.Linear(c.width, c.decoder_width)
        self.mask_token = nn.Parameter(torch.randn(1, 1, c.decoder_width) * 0.02)
        self.decoder_places = nn.Parameter(places(side, c.decoder_width, c.longest), requires_grad=False)
        self.decoder = layers(c.decoder_width, c.decoder_heads, c.decoder_layers)
        self.decoder_norm = nn.LayerNorm(c.decoder_width, eps=1e-6)
        self.pixels = nn.Linear(c.decoder_width, c.patch * c.patch * c.colours)

    def encode(self, images: Tensor, order: Tensor | None = None) -> Tensor:
        """States (B, 1 + V, D) of the [class] token and the first V patches of order (B, N), or of all patches."""
        x = self.patches(images) + self.places[1:]  # (B, N, D)
        if order is not None:
            # section 3, "simple implementation": shuffle the tokens, drop the last of them
            shown = order[:, : int(order.shape[1] * (1 - self.config.masked))]  # (B, V)
            x = x.gather(1, shown[..., None].expand(-1, -1, x.shape[-1]))  # (B, V, D)
        x = torch.cat([(self.token + self.places[:1]).expand(len(x), -1, -1), x], 1)
        for layer in self.encoder:
            x = layer(x)
        return self.norm(x)

    def decode(self, states: Tensor, order: Tensor) -> Tensor:
        """Pixels of every patch (B, N, P P C), hidden or not."""
        x = self.narrow(states)  # (B, 1 + V, E)
        B, N = order.shape
        # mask tokens for the hidden patches, then everything back to its place
        x_all = torch.cat([x[:, 1:], self.mask_token.expand(B, N - x.shape[1] + 1, -1)], 1)  # (B, N, E), shuffled
        x_all = x_all.gather(1, order.argsort(1)[..., None].expand(-1, -1, x.shape[-1]))  # (B, N, E)
        x = torch.cat([x[:, :1], x_all], 1) + self.decoder_places
        for layer in self.decoder:
            x = layer(x)
        return self.pixels(self.decoder_norm(x))[:, 1:]

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Loss, pixels (B, N, P P C) and which patches were hidden (B, N), those of the largest noise (B, N)."""
        order = noise.argsort(1)
        guess = self.decode(self.encode(images, order), order)
        target = cut(images, self.config.patch)  # (B, N, C P P)
        if self.config.normalise:
            target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
        hidden = order.argsort(1) >= int(noise.shape[1] * (1 - self.config.masked))
        # "mean squared error (MSE) between the reconstructed and original images in the pixel space", on the hidden
        # patches only, as in BERT
        error = (guess - target).square().mean(-1)  # (B, N)
        return (error * hidden).sum() / hidden.sum(), guess, hidden


def build(config: Config) -> MAE:
    return MAE(config)


def linear_probe(x: Tensor, y: Tensor, x_test: Tensor, y_test: Tensor) -> float:
    """Test accuracy of a ridge regression from states (N, D) onto the classes: what the code knows of them."""
    mean, spread = x.mean(0), x.std(0) + 1e-6
    x, x_test = (torch.cat([(z - mean) / spread, torch.ones(len(z), 1)], 1) for z in (x, x_test))
    weights = torch.linalg.solve(x.T @ x + torch.eye(x.shape[1]), x.T @ F.one_hot(y).float())
    return float(((x_test @ weights).argmax(1) == y_test).float().mean())


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, model = digits(config.image), build(config)
    count, p = (config.image // config.patch) ** 2, config.patch
    noise = torch.rand(len(split.x_test), count)  # the same patches are hidden in every test
    mean = cut(split.x, p).mean(0)  # (N, P P)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, config.rate, betas=(0.9, 0.95), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.rate, total_steps=config.epochs * len(list(minibatches(len(split.x), 64))), pct_start=0.15
    )
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(split.x), 64):
            loss, _, _ = model(split.x[index], torch.rand(len(index), count))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            error, guess, hidden = model(split.x_test, noise)
            states, states_test = (model.encode(x)[:, 1:].mean(1) for x in (split.x, split.x_test))  # (N, D)
        truth = cut(split.x_test, p)
        baseline = (truth - mean).square().mean(-1)[hidden].mean()
        rows = [truth.masked_fill(hidden[..., None], 0.5), torch.where(hidden[..., None], guess, truth), truth]
        side = config.image // p
        pictures = [row[:10].reshape(10, side, side, p, p).transpose(2, 3).reshape(10, side * p, -1) for row in rows]
        probe = linear_probe(states, split.y, states_test, split.y_test)
        metrics = {"squared error of hidden pixels": float(error), "linear probe": probe, "baseline": float(baseline)}
        yield Step(epoch, config.epochs, metrics, picture=grid(torch.cat(pictures), scale=4))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
