r"""CLIP: pictures and captions in one space, so that a class is just a sentence.

A. Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", arXiv:2103.00020, sections
2.3 to 2.5, figure 3.

What it changes against ViT: no fixed classes; a second encoder, a small GPT-2, reads captions, and the matching pairs
of a batch must score above all others. A classifier is made of sentences afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, minibatches, seeded
from ailineage.models.reference.transformer import Layer, causal

METADATA = {
    "node": "clip",
    "title": {"en": "CLIP", "zh": "CLIP"},
    "year": 2021,
    "paper": {
        "title": "Learning Transferable Visual Models From Natural Language Supervision",
        "arxiv": "2103.00020",
        "sections": "2.3 and 2.4, figure 3, table 20",
    },
    "parents": ["vit", "gpt2"],
    "demo": {
        "task": {
            "en": "Digits named by captions of a wording never seen in training",
            "zh": "用训练中从未见过的句式描述来识别数字",
        },
        "metric": "zero-shot accuracy",
        "target": 0.7,
        "baseline": "the same net untrained",
        "margin": 0.4,
    },
    # the released models' counts (openai/clip-vit-base-patch32, -base-patch16 and -large-patch14)
    "presets": {"ViT-B/32": 151_277_313, "ViT-B/16": 149_620_737, "ViT-L/14": 427_616_513},
}


@dataclass(frozen=True)
class Config:
    image: int = 8  # side of the picture
    patch: int = 2  # side of a patch
    colours: int = 1  # channels
    width: int = 48  # of the picture's encoder
    layers: int = 2  # of the picture's encoder
    heads: int = 4  # of the picture's encoder
    symbols: int = 32  # vocabulary of the text; the highest id ends it
    context: int = 32  # longest text
    text_width: int = 32  # of the text's encoder
    text_layers: int = 1  # of the text's encoder
    text_heads: int = 4  # of the text's encoder
    shared: int = 32  # d_e, the common space
    epochs: int = 6  # passes over the digits
    rate: float = 3e-3  # highest learning rate


TINY = Config(width=16, layers=1, epochs=1)
PRESETS = {
    "ViT-B/32": Config(224, 32, 3, 768, 12, 12, 49_408, 77, 512, 12, 8, 512),
    "ViT-B/16": Config(224, 16, 3, 768, 12, 12, 49_408, 77, 512, 12, 8, 512),
    "ViT-L/14": Config(224, 14, 3, 1024, 24, 16, 49_408, 77, 768, 12, 12, 768),
}


def quick_gelu(x: Tensor) -> Tensor:
    return x * (1.702 * x).sigmoid()


def layers(width: int, heads: int, count: int) -> nn.ModuleList:
    made = (Layer(width, heads, 4 * width, pre_norm=True, activation=quick_gelu) for _ in range(count))
    return nn.ModuleList(made)


class CLIP(nn.Module):
    """Pictures (N, C, H, W) and texts (M, T) -> scaled cosines (N, M)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.patches = nn.Conv2d(c.colours, c.width, c.patch, c.patch, bias=False)
        self.token = nn.Parameter(torch.randn(c.width) * c.width**-0.5)
        self.places = nn.Parameter(torch.randn((c.image // c.patch) ** 2 + 1, c.width) * c.width**-0.5)
        self.norm_in, self.norm_image = nn.LayerNorm(c.width), nn.LayerNorm(c.width)
        self.image_layers = layers(c.width, c.heads, c.layers)
        self.words = nn.Embedding(c.symbols, c.text_width)
        self.positions = nn.Parameter(torch.randn(c.context, c.text_width) * 0.01)
        self.text_layers, self.norm_text = layers(c.text_width, c.text_heads, c.text_layers), nn.LayerNorm(c.text_width)
        self.image_out = nn.Linear(c.width, c.shared, bias=False)
        self.text_out = nn.Linear(c.text_width, c.shared, bias=False)
        # section 2.5: the temperature is learned as a logarithm, at first 1 / 0.07
        self.scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def image(self, pictures: Tensor) -> Tensor:
        x = self.patches(pictures).flatten(2).transpose(1, 2)  # (N, P, C)
        x = torch.cat([self.token.expand(len(x), 1, -1), x], 1)  # (N, P + 1, C)
        x = self.norm_in(x + self.places)
        for layer in self.image_layers:
            x = layer(x)
        return F.normalize(self.image_out(self.norm_image(x[:, 0])), dim=-1)  # (N, d_e)

    def text(self, ids: Tensor) -> Tensor:
        _, T = ids.shape
        x = self.words(ids) + self.positions[:T]  # (M, T, C)
        for layer in self.text_layers:
            x = layer(x, causal(T).to(ids.device))
        # section 2.4: the state at the end of the text, which has the highest id
        end = x[torch.arange(len(ids)), ids.argmax(-1)]  # (M, C)
        return F.normalize(self.text_out(self.norm_text(end)), dim=-1)  # (M, d_e)

    def forward(self, pictures: Tensor, ids: Tensor) -> Tensor:
        # figure 3   logits = I_e T_e^T exp(t)
        return self.scale.exp() * self.image(pictures) @ self.text(ids).T


NAMES = "zero one two three four five six seven eight nine".split()
SEEN = ("a photo of the digit {}", "the number {}", "{}", "someone wrote {}", "a picture of {}", "this is {} here")
UNSEEN = "a drawing of the number {}"


def encode(captions: list[str]) -> Tensor:
    """Letters as 1 to 26, space 27, the end 31, then zeros: (M, 32)."""
    ids = torch.zeros(len(captions), 32, dtype=torch.long)
    for row, caption in zip(ids, captions, strict=True):
        letters = [27 if c == " " else ord(c) - 96 for c in caption] + [31]
        row[: len(letters)] = torch.tensor(letters)
    return ids


def build(config: Config) -> CLIP:
    return CLIP(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, model = digits(), build(config)
    table = torch.stack([encode([s.format(n) for n in NAMES]) for s in SEEN])  # (S, 10, 32)
    classes = encode([UNSEEN.format(n) for n in NAMES])  # (10, 32)

    def zero_shot() -> float:
        with torch.no_grad():
            return float((model(split.x_test, classes).argmax(1) == split.y_test).float().mean())

    baseline = zero_shot()
    optimizer = torch.optim.AdamW(model.parameters(), config.rate, weight_decay=0.01)
    total = config.epochs * len(list(minibatches(len(split.x), 32)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=total)
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(split.x), 32):
            y = split.y[index]
            logits = model(split.x[index], table[torch.randint(len(SEEN), y.shape), y])  # (B, B)
            # figure 3   loss = (CE over rows + CE over columns) / 2. Where a batch repeats a digit, its captions
            # share the target: with ten classes they are no negatives
            same = (y[:, None] == y).float()
            target = same / same.sum(1, keepdim=True)
            loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        metrics = {"zero-shot accuracy": zero_shot(), "loss": float(loss.detach()), "baseline": baseline}
        yield Step(epoch, config.epochs, metrics, sample=UNSEEN.format("..."))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
