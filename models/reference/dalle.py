r"""DALL-E: a picture is the continuation of its caption.

A. Ramesh et al., "Zero-Shot Text-to-Image Generation", arXiv:2102.12092, sections 2.1 and 2.2, appendices A and B.

What it changes against GPT-3: the words are followed by the picture's 32 x 32 codes, drawn from a codebook that a
discrete variational autoencoder has learned first; sparse attention looks at all words, and at codes in rows, columns
or a neighbourhood. Against the VAE: the code at each place is one of K, relaxed by Gumbel noise while it is learned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, grid, oracle, seeded
from ailineage.models.reference.transformer import Layer

METADATA = {
    "node": "dalle",
    "title": {"en": "DALL·E", "zh": "DALL·E"},
    "year": 2021,
    "paper": {
        "title": "Zero-Shot Text-to-Image Generation",
        "arxiv": "2102.12092",
        "sections": "2.1 and 2.2, appendices A.2, A.3 and B.1",
    },
    "parents": ["gpt3", "vae", "sparse_attention"],
    "demo": {
        "task": {
            "en": 'Digits drawn from captions such as "three", judged by a classifier trained apart',
            "zh": "按“three”等文字描述画出数字，由另行训练的分类器评判",
        },
        "metric": "right digit",
        "target": 0.45,
        "baseline": "codes drawn by their frequencies at each place for the digit, without attention",
        "margin": 0.1,
    },
    # dVAE: the classes Encoder and Decoder of openai/DALL-E. 12B: the transformer was never released; appendix B.1's
    # 64 layers of 62 heads of 64 sum, with a vector for each of 16,384 words, 256 pads, 8,192 codes, 256 + 32 + 32
    # positions, and outputs of their own, to 64 (12 * 3968^2 + 13 * 3968) + 3968 (16,384 + 256 + 8192 + 320 + 2)
    # + (3968 + 1) (16,384 + 8192); the paper says "12-billion parameter"
    "presets": {"dVAE": 97_616_006, "12B": 12_292_833_024},
}


@dataclass(frozen=True)
class Config:
    side: int = 4  # of the grid of codes; the picture is 2^(groups - 1) times larger
    colours: int = 1  # channels
    codes: int = 48  # K, size of the codebook; 0: no autoencoder
    hidden: int = 24  # channels of the autoencoder's first group; each further one has twice as many
    start: int = 24  # channels the decoder starts with
    groups: int = 2  # of blocks, with a halving between two
    blocks: int = 1  # residual blocks a group
    words: int = 27  # vocabulary of the captions
    caption: int = 5  # longest caption
    width: int = 48  # of the transformer; 0: no transformer
    heads: int = 4  # of each layer
    layers: int = 3  # of the transformer
    near: int = 3  # side of the neighbourhood the last layer attends to; 11 in the paper
    divergence: float = 0.01  # beta, weight of the KL term; 6.6 in the paper, whose loss is a mean over pixels
    temperature: float = 0.7  # of drawing; the paper draws at 1 and keeps the best of 512 by CLIP
    learn_codes: int = 350  # training steps of the autoencoder
    updates: int = 450  # training steps of the transformer
    batch: int = 48  # pictures an update
    rate: float = 3e-3  # highest learning rate of both


TINY = Config(hidden=8, start=8, width=16, layers=1, learn_codes=5, updates=5, batch=16)
PRESETS = {
    "dVAE": Config(32, 3, 8192, 256, 128, 4, 2, width=0),
    "12B": Config(32, 3, 8192, 0, words=16_384, caption=256, width=3968, heads=62, layers=64, near=11),
}


class Block(nn.Module):
    """Four convolutions through a quarter of the channels, added to the input with a small gain."""

    def __init__(self, inputs: int, outputs: int, kernels: tuple[int, ...], gain: float) -> None:
        super().__init__()
        quarter = outputs // 4
        sizes = zip((inputs, quarter, quarter, quarter), (quarter, quarter, quarter, outputs), kernels, strict=True)
        self.convs = nn.ModuleList(nn.Conv2d(a, b, k, padding=k // 2) for a, b, k in sizes)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.gain = gain

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for conv in self.convs:
            h = conv(F.relu(h))
        return self.skip(x) + self.gain * h


class DVAE(nn.Module):
    """Pictures (B, C, S, S) <-> codes (B, s, s) of K; appendix A.2."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        gain = 1 / (c.groups * c.blocks) ** 2
        widths = [c.hidden * 2**i for i in range(c.groups)]

        def half(channels: list[int], start: int, kernels: tuple[int, ...], between: nn.Module) -> list[nn.Module]:
            parts: list[nn.Module] = []
            for i, width in enumerate(channels):
                for _ in range(c.blocks):
                    parts.append(Block(start, width, kernels, gain))
                    start = width
                if i < len(channels) - 1:
                    parts.append(between)
            return [*parts, nn.ReLU()]

        down = half(widths, c.hidden, (3, 3, 3, 1), nn.MaxPool2d(2))
        up = half(widths[::-1], c.start, (1, 3, 3, 3), nn.Upsample(scale_factor=2))
        self.encoder = nn.Sequential(nn.Conv2d(c.colours, c.hidden, 7, padding=3), *down)
        self.logits = nn.Conv2d(widths[-1], c.codes, 1)
        self.decoder = nn.Sequential(nn.Conv2d(c.codes, c.start, 1), *up, nn.Conv2d(c.hidden, 2 * c.colours, 1))

    def encode(self, pictures: Tensor) -> Tensor:
        """The likeliest code at each place (B, s, s)."""
        return self.logits(self.encoder(2 * squeeze(pictures) - 1)).argmax(1)

    def decode(self, codes: Tensor) -> Tensor:
        """The middle of the pictures' distribution (B, C, S, S)."""
        one_hot = F.one_hot(codes, self.logits.out_channels).movedim(-1, 1).float()
        middle, _ = self.decoder(one_hot).chunk(2, 1)
        return ((middle.sigmoid() - 0.1) / 0.8).clamp(0, 1)

    def forward(self, pictures: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """Reconstruction and divergence, the two terms of the negative bound, means over pixels and over codes."""
        logits = self.logits(self.encoder(2 * squeeze(pictures) - 1))  # (B, K, s, s)
        # the relaxation: softmax((logits + Gumbel noise) / tau), one-hot as tau -> 0
        middle, log_b = self.decoder(F.gumbel_softmax(logits, temperature, dim=1)).chunk(2, 1)
        x = squeeze(pictures)
        # (2)   f(x | mu, b) = exp(-|logit(x) - mu| / b) / (2 b x (1 - x)): Laplace's, on (0, 1)
        surprise = (x.logit() - middle).abs() / log_b.exp() + log_b + (2 * x * (1 - x)).log()
        log_q = logits.log_softmax(1)
        # KL(q || uniform) = sum_k q_k ln(K q_k)
        divergence = (log_q.exp() * (log_q + torch.tensor(float(logits.shape[1])).log())).sum(1)
        return surprise.mean(), divergence.mean()


def squeeze(x: Tensor) -> Tensor:
    # (3)   phi(x) = (1 - 2 epsilon) x + epsilon,   epsilon = 0.1
    return 0.8 * x + 0.1


def masks(c: Config) -> list[Tensor]:
    """Which places (T + N, T + N) each layer attends to: all words before, and codes by row, column or nearness."""
    total, place = c.caption + c.side**2, torch.arange(c.side**2)
    row, column = place // c.side, place % c.side
    back = place[:, None] - place  # (N, N)
    apart = ((row[:, None] - row).abs()).maximum((column[:, None] - column).abs())
    kinds = {"row": back <= c.side, "column": column[:, None] == column, "near": apart <= c.near // 2}
    found = []
    for i in range(c.layers):
        # appendix B.1: column attention where i - 2 mod 4 = 0, else row; the last layer convolutional
        kind = "near" if i == c.layers - 1 else "column" if (i - 2) % 4 == 0 else "row"
        seen = torch.ones(total, total).tril().bool()
        seen[c.caption :, c.caption :] &= kinds[kind]
        found.append(seen)
    return found


class Transformer(nn.Module):
    """Captions (B, T) and codes so far (B, n) -> logits of the words (B, T - 1, words) and codes (B, n + 1, K)."""

    def __init__(self, c: Config) -> None:
        super().__init__()
        self.config = c
        self.words = nn.Embedding(c.words + c.caption, c.width)  # and an own pad for each place of the caption
        self.codes = nn.Embedding(c.codes, c.width)
        self.positions = nn.Parameter(torch.randn(c.caption, c.width) * 0.02)
        self.rows = nn.Parameter(torch.randn(c.side, c.width) * 0.02)
        self.columns = nn.Parameter(torch.randn(c.side, c.width) * 0.02)
        self.layers = nn.ModuleList(
            Layer(c.width, c.heads, 4 * c.width, pre_norm=True, activation=F.gelu) for _ in range(c.layers)
        )
        self.norm = nn.LayerNorm(c.width)
        self.to_words, self.to_codes = nn.Linear(c.width, c.words), nn.Linear(c.width, c.codes)

    def forward(self, captions: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        _, T = captions.shape
        # a place without a word (-1) gets the pad of that place
        pads = self.config.words + torch.arange(T, device=captions.device)
        text = self.words(torch.where(captions < 0, pads, captions)) + self.positions  # (B, T, C)
        places = (self.rows[:, None] + self.columns).flatten(0, 1)  # (N, C)
        x = torch.cat([text, self.codes(codes) + places[: codes.shape[1]]], 1)
        for layer, seen in zip(self.layers, masks(self.config), strict=True):
            x = layer(x, seen[: x.shape[1], : x.shape[1]].to(x.device))
        x = self.norm(x)
        return self.to_words(x[:, : T - 1]), self.to_codes(x[:, T - 1 :])

    def loss(self, captions: Tensor, codes: Tensor) -> Tensor:
        words, pictures = self(captions, codes[:, :-1])
        # section 2.2: the caption's cross-entropy weighs 1/8, the picture's 7/8; pads are no targets
        text = F.cross_entropy(words.flatten(0, 1), captions[:, 1:].flatten(), ignore_index=-1)
        return text / 8 + F.cross_entropy(pictures.flatten(0, 1), codes.flatten()) * 7 / 8

    @torch.no_grad()
    def draw(self, captions: Tensor) -> Tensor:
        """Codes (B, N) drawn one after the other."""
        codes = torch.zeros(len(captions), 0, dtype=torch.long)
        for _ in range(self.config.side**2):
            chances = (self(captions, codes)[1][:, -1] / self.config.temperature).softmax(-1)
            codes = torch.cat([codes, torch.multinomial(chances, 1)], 1)
        return codes


class DALLE(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.dvae = DVAE(config) if config.hidden else None
        self.transformer = Transformer(config) if config.width else None


def build(config: Config) -> DALLE:
    return DALLE(config)


NAMES = "zero one two three four five six seven eight nine".split()


def captions(y: Tensor) -> Tensor:
    """The names of digits (B,) as letters (B, 5), -1 where there is none."""
    table = torch.full((10, 5), -1)
    for row, name in zip(table, NAMES, strict=True):
        row[: len(name)] = torch.tensor([ord(letter) - 96 for letter in name])
    return table[y]


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, model = digits(), build(config)
    dvae, transformer = model.dvae, model.transformer
    assert dvae is not None
    assert transformer is not None
    total, wanted = config.learn_codes + config.updates, torch.arange(100) % 10

    def right(codes: Tensor) -> tuple[float, Tensor]:
        with torch.no_grad():
            pictures = dvae.decode(codes.unflatten(1, (config.side, -1)))
            chances, classes = oracle()(pictures).softmax(1).max(1)
            return float(((classes == wanted) & (chances > 0.9)).float().mean()), pictures

    optimizer = torch.optim.Adam(dvae.parameters(), config.rate)
    for update in range(1, config.learn_codes + 1):
        # appendix A.2: the temperature falls from 1 to 1/16
        temperature = max(1 / 16, 1 - update / config.learn_codes)
        surprise, divergence = dvae(split.x[torch.randint(len(split.x), (config.batch,))], temperature)
        optimizer.zero_grad()
        (surprise + config.divergence * divergence).backward()
        optimizer.step()
        if update % max(1, config.learn_codes // 5) == 0:
            with torch.no_grad():
                again = dvae.decode(dvae.encode(split.x_test[:20]))
            metrics = {"reconstruction": float(surprise.detach()), "divergence": float(divergence.detach())}
            yield Step(update, total, metrics, picture=grid(torch.cat([split.x_test[:20, 0], again[:, 0]])))
    with torch.no_grad():
        codes = dvae.encode(split.x).flatten(1)  # (N, 16)
    # the measured baseline: each place's code from a random picture of that digit, each place from another one
    same = [torch.nonzero(split.y == digit).flatten() for digit in range(10)]
    lone = torch.stack([codes[s[torch.randint(len(s), (codes.shape[1],))], torch.arange(codes.shape[1])] for s in same])
    baseline, _ = right(lone[wanted])
    optimizer = torch.optim.AdamW(transformer.parameters(), config.rate, betas=(0.9, 0.96), weight_decay=0.045)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates)
    for update in range(1, config.updates + 1):
        index = torch.randint(len(codes), (config.batch,))
        loss = transformer.loss(captions(split.y[index]), codes[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if update % max(1, config.updates // 5) == 0:
            share, pictures = right(transformer.draw(captions(wanted)))
            metrics = {"right digit": share, "loss": float(loss.detach()), "baseline": baseline}
            yield Step(config.learn_codes + update, total, metrics, " ".join(NAMES), grid(pictures[:50, 0]))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
