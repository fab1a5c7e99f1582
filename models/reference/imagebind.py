r"""ImageBind: sound, depth, heat and motion meet text without ever having been paired with it, through pictures.

R. Girdhar et al., "ImageBind: One Embedding Space To Bind Them All", arXiv:2305.05665, section 3, equation 1,
appendix B.

What it changes against CLIP: more encoders. A CLIP is taken as it is and frozen; each further sense gets a small ViT
that learns only to agree with the picture taken at the same moment. Agreement with text then emerges by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.clip import NAMES, SEEN, UNSEEN, encode
from ailineage.models.reference.contrastive import info_nce
from ailineage.models.reference.data import digits, grid, minibatches, seeded
from ailineage.models.reference.transformer import Layer, MultiHead, causal

METADATA = {
    "node": "imagebind",
    "title": {"en": "ImageBind", "zh": "ImageBind"},
    "year": 2023,
    "paper": {
        "title": "ImageBind: One Embedding Space To Bind Them All",
        "arxiv": "2305.05665",
        "sections": "3, equation 1, appendix B",
    },
    "parents": ["clip", "vit", "contrastive"],
    "demo": {
        "task": {
            "en": "Outlines of digits, paired with pictures only, are named by captions they never met",
            "zh": "数字轮廓图只与图片配对训练过，却能被从未配对的文字说明认出",
        },
        "metric": "emergent zero-shot accuracy",
        "target": 0.6,
        "baseline": "the frozen picture encoder, shown the outlines",
        "margin": 0.1,
    },
    # imagebind_huge of facebookresearch/ImageBind, which prints no count: its layers sum to this (the sum is in
    # tests/models/reference/test_oracles_vision.py), and its checkpoint of 4.47 GiB holds as many float32
    "presets": {"huge": 1_200_781_057},
}


@dataclass(frozen=True)
class Sense:
    shape: tuple[int, ...]  # channels, then sides of the input
    kernel: tuple[int, ...]  # sides of a patch
    stride: tuple[int, ...]  # from patch to patch
    width: int = 32  # of the encoder
    layers: int = 2  # of the encoder
    heads: int = 4  # of each layer
    picture: bool = False  # normalised before the layers, not each patch; no learned key and value


@dataclass(frozen=True)
class Config:
    senses: tuple[tuple[str, Sense], ...] = (
        ("vision", Sense((1, 1, 8, 8), (1, 2, 2), (1, 2, 2), 48, picture=True)),
        ("depth", Sense((1, 8, 8), (2, 2), (2, 2))),
    )
    shared: int = 32  # d of the common space
    symbols: int = 32  # vocabulary of the text; the highest id ends it
    context: int = 32  # longest text
    text_width: int = 32  # of the text's encoder
    text_layers: int = 1  # of the text's encoder
    text_heads: int = 4  # of the text's encoder
    first: int = 16  # passes that make the CLIP, over one half of the digits
    second: int = 18  # passes that bind the other sense, over the other half
    temperature: float = 0.2  # tau of the second; 0.05 to 0.2 in the paper, one for each sense
    rate: float = 3e-3  # highest learning rate


TINY = Config(first=1, second=1)
PRESETS = {
    "huge": Config(
        (
            ("vision", Sense((3, 2, 224, 224), (2, 14, 14), (2, 14, 14), 1280, 32, 16, picture=True)),
            ("audio", Sense((1, 128, 204), (16, 16), (10, 10), 768, 12, 12)),
            ("depth", Sense((1, 224, 224), (16, 16), (16, 16), 384, 12, 8)),
            ("thermal", Sense((1, 224, 224), (16, 16), (16, 16), 768, 12, 12)),
            ("imu", Sense((6, 2000), (8,), (8,), 512, 6, 8)),
        ),
        1024,
        49_408,
        77,
        1024,
        24,
        16,
    ),
}


class Biased(MultiHead):
    """Self-attention with one more key and value, which belong to no place and are learned."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.key, self.value = nn.Parameter(torch.randn(width) * 0.02), nn.Parameter(torch.randn(width) * 0.02)

    def forward(self, x: Tensor, y: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        q, k, v = self.q(x), self.k(x), self.v(x)  # (B, T, C)
        k, v = (torch.cat([z, one.expand(len(x), 1, -1)], 1) for z, one in ((k, self.key), (v, self.value)))
        q, k, v = (z.unflatten(2, (self.heads, -1)).transpose(1, 2) for z in (q, k, v))  # (B, H, T or T + 1, d)
        weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1)  # (B, H, T, T + 1)
        return self.o((weights @ v).transpose(1, 2).flatten(2))


def layer(width: int, heads: int, biased: bool = False) -> Layer:
    made = Layer(width, heads, 4 * width, pre_norm=True, activation=F.gelu, eps=1e-6)
    if biased:
        made.attention = Biased(width, heads)
    return made


class Encoder(nn.Module):
    """A ViT for any sense: inputs (B, *shape) -> (B, d)."""

    def __init__(self, s: Sense, shared: int) -> None:
        super().__init__()
        convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(s.kernel) - 1]
        self.patches = convolution(s.shape[0], s.width, s.kernel, s.stride, bias=False)
        sides = ((n - k) // t + 1 for n, k, t in zip(s.shape[1:], s.kernel, s.stride, strict=True))
        self.token = nn.Parameter(torch.randn(s.width) * s.width**-0.5)
        self.places = nn.Parameter(torch.randn(math.prod(sides) + 1, s.width) * s.width**-0.5)
        self.norm_patch = nn.Identity() if s.picture else nn.LayerNorm(s.width)
        self.norm_in = nn.LayerNorm(s.width, eps=1e-6) if s.picture else nn.Identity()
        self.layers = nn.ModuleList(layer(s.width, s.heads, biased=not s.picture) for _ in range(s.layers))
        self.norm_out, self.out = nn.LayerNorm(s.width, eps=1e-6), nn.Linear(s.width, shared, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm_patch(self.patches(x).flatten(2).transpose(1, 2))  # (B, N, C)
        x = self.norm_in(torch.cat([self.token.expand(len(x), 1, -1), x], 1) + self.places)  # (B, N + 1, C)
        for block in self.layers:
            x = block(x)
        return F.normalize(self.out(self.norm_out(x)[:, 0]), dim=-1)


class Text(nn.Module):
    """Ids (B, T) -> (B, d), as in CLIP."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        self.words = nn.Embedding(c.symbols, c.text_width)
        self.positions = nn.Parameter(torch.randn(c.context, c.text_width) * 0.01)
        self.layers = nn.ModuleList(layer(c.text_width, c.text_heads) for _ in range(c.text_layers))
        self.norm, self.out = nn.LayerNorm(c.text_width, eps=1e-6), nn.Linear(c.text_width, c.shared, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        _, T = ids.shape
        x = self.words(ids) + self.positions[:T]
        for block in self.layers:
            x = block(x, causal(T).to(ids.device))
        x = x[torch.arange(len(ids)), ids.argmax(-1)]  # (B, C), the state at the end, which has the highest id
        return F.normalize(self.out(self.norm(x)), dim=-1)


class ImageBind(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.senses = nn.ModuleDict({name: Encoder(sense, config.shared) for name, sense in config.senses})
        self.text = Text(config)
        self.scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))  # of the texts, learned


def build(config: Config) -> ImageBind:
    return ImageBind(config)


def outline(x: Tensor) -> Tensor:
    """What another sensor sees of pictures (B, 1, S, S): how steep the brightness is, not how bright."""
    down, right = (F.pad(x, pad)[..., 1:, 1:] - x for pad in ((1, 0, 0, 1), (0, 1, 1, 0)))
    return 2 * (down.square() + right.square()).sqrt().clamp(max=1) - 1


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, model, total = digits(), build(config), config.first + config.second
    half = len(split.x) // 2
    table = torch.stack([encode([s.format(n) for n in NAMES]) for s in SEEN])  # (S, 10, 32)
    classes = encode([UNSEEN.format(n) for n in NAMES])  # (10, 32)
    vision, depth = model.senses["vision"], model.senses["depth"]
    seen, shown = split.x_test[:, :, None], outline(split.x_test)  # one frame of a picture; its outline

    def zero_shot(states: Tensor) -> float:
        return float(((states @ model.text(classes).T).argmax(1) == split.y_test).float().mean())

    def schedule(
        parameters: list[nn.Parameter], epochs: int
    ) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.OneCycleLR]:
        optimizer = torch.optim.AdamW(parameters, config.rate, weight_decay=0.01)
        steps = epochs * len(list(minibatches(half, 32)))
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=steps)

    optimizer, rates = schedule([*vision.parameters(), *model.text.parameters(), model.scale], config.first)
    for epoch in range(1, config.first + 1):  # a CLIP; the paper takes OpenCLIP's
        for index in minibatches(half, 32):
            y = split.y[index]
            states = model.text(table[torch.randint(len(SEEN), y.shape), y])
            logits = model.scale.exp() * vision(split.x[index][:, :, None]) @ states.T  # (B, B)
            same = (y[:, None] == y).float()
            target = same / same.sum(1, keepdim=True)
            loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.step()
        with torch.no_grad():
            yield Step(epoch, total, {"pictures": zero_shot(vision(seen)), "loss": float(loss.detach())})
    with torch.no_grad():
        baseline = zero_shot(vision(shown[:, :, None]))
    optimizer, rates = schedule(list(depth.parameters()), config.second)
    for epoch in range(1, config.second + 1):
        for index in minibatches(half, 32):
            x = split.x[half + index]  # pictures that no text ever described
            with torch.no_grad():
                pictures = vision(x[:, :, None])  # frozen
            # (1)   L_{I,M} = -log( exp(q_i . k_i / tau) / (exp(q_i . k_i / tau) + sum_{j != i} exp(q_i . k_j / tau)) ),
            # and L_{M,I} the other way round
            bound = depth(outline(x))
            loss = info_nce(pictures, bound, config.temperature) + info_nce(bound, pictures, config.temperature)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.step()
        with torch.no_grad():
            states = depth(shown)
            found = (model.text(classes) @ states.T).topk(5).indices.T  # (5, 10): outlines nearest to each name
            metrics = {"emergent zero-shot accuracy": zero_shot(states), "pictures": zero_shot(vision(seen))}
        metrics |= {"loss": float(loss.detach()), "baseline": baseline}
        picture = grid((shown[found.flatten(), 0] + 1) / 2, scale=4)
        yield Step(config.first + epoch, total, metrics, " ".join(NAMES), picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
