r"""MetaCLIP: the secret of CLIP is its data, and how to choose them can be written down.

H. Xu et al., "Demystifying CLIP Data", arXiv:2309.16671, sections 3.1 to 3.4, algorithm 1, figure 1.

What it changes against CLIP: nothing of the model and its training, only the pairs it sees. A caption is kept if it
contains an entry of a list of concepts; entries with more than t captions are thinned to t on average, so that the
few frequent ones do not drown the many rare ones. No filter looks at the pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.clip import CLIP, NAMES, UNSEEN, encode
from ailineage.models.reference.clip import Config as Model
from ailineage.models.reference.clip import build as build_clip
from ailineage.models.reference.data import digits, seeded

METADATA = {
    "node": "metaclip",
    "title": {"en": "MetaCLIP", "zh": "MetaCLIP"},
    "year": 2023,
    "paper": {
        "title": "Demystifying CLIP Data",
        "arxiv": "2309.16671",
        "sections": "3.1 to 3.4, algorithm 1",
    },
    "parents": ["clip"],
    "demo": {
        "task": {
            "en": "A noisy, long-tailed pool of captioned digits is curated; CLIP learns more from as many pairs",
            "zh": "从嘈杂且长尾的数字图文池中筛选数据，同样的 CLIP 用同样多的图文对学得更好",
        },
        "metric": "zero-shot accuracy",
        "target": 0.7,
        "baseline": "the same CLIP, as long on as many pairs drawn at random from the pool",
        "margin": 0.1,
    },
    # the released models have CLIP's sizes: facebook/metaclip-b32-400m, -b16-400m and -l14-400m have the counts of
    # openai/clip-vit-*; ViT-H/14 (metaclip-h14-fullcc2.5b) is OpenCLIP's ViT-H-14 of 986.11M
    "presets": {
        "ViT-B/32": 151_277_313,
        "ViT-B/16": 149_620_737,
        "ViT-L/14": 427_616_513,
        "ViT-H/14": 986_109_441,
    },
}


@dataclass(frozen=True)
class Config:
    model: Model = field(default_factory=Model)  # CLIP's own configuration, unchanged
    pool: int = 6000  # pairs found on "the web"
    noise: float = 0.5  # share of them whose caption says nothing of the picture
    tail: float = 1.6  # the k-th most frequent digit is captioned in proportion to k^-tail
    limit: int = 60  # t, captions of an entry from which on it is thinned; 20,000 for the paper's 400 million pairs
    updates: int = 300  # training steps
    batch: int = 32  # pairs a step
    rate: float = 3e-3  # highest learning rate


TINY = Config(Model(width=16, layers=1), pool=400, limit=10, updates=4)
PRESETS = {
    "ViT-B/32": Config(Model(224, 32, 3, 768, 12, 12, 49_408, 77, 512, 12, 8, 512)),
    "ViT-B/16": Config(Model(224, 16, 3, 768, 12, 12, 49_408, 77, 512, 12, 8, 512)),
    "ViT-L/14": Config(Model(224, 14, 3, 1024, 24, 16, 49_408, 77, 768, 12, 12, 768)),
    "ViT-H/14": Config(Model(224, 14, 3, 1280, 32, 16, 49_408, 77, 1024, 24, 16, 1024)),
}


def matches(caption: str, entries: list[str]) -> list[int]:
    """Section 3.2, sub-string matching: which entries stand in a caption, as whole words."""
    return [i for i, entry in enumerate(entries) if f" {entry} " in f" {caption} "]


def curate(captions: list[str], entries: list[str], limit: int, rng: np.random.Generator) -> list[int]:
    """Algorithm 1: which captions are kept."""
    matched = [matches(caption, entries) for caption in captions]
    # part 1   entry_count[e] = number of captions that contain e; those below t are raised to t
    count = np.zeros(len(entries))
    for found in matched:
        count[found] += 1
    # part 2   entry_prob = t / max(entry_count, t); a caption is kept if any of its entries is drawn
    chance = limit / np.maximum(count, limit)
    return [i for i, found in enumerate(matched) if (rng.random(len(found)) < chance[found]).any()]


PHRASES = ("a photo of the digit {}", "the number {}", "{}", "someone wrote {}", "a picture of {}", "this is {} here")
NOISE = ("click here for more", "my new photo", "untitled", "home page logo", "thumbnail", "no one knows", "sale today")


def web(config: Config, y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, list[str]]:
    """Which picture (pool,) of labels y each pair has, and its caption."""
    order = rng.permutation(10)  # which digit is frequent
    weight = np.arange(1, 11) ** -config.tail
    chosen, captions = np.zeros(config.pool, int), []
    for i in range(config.pool):
        if rng.random() < config.noise:
            chosen[i] = rng.integers(len(y))
            captions.append(NOISE[rng.integers(len(NOISE))])
        else:
            digit = order[rng.choice(10, p=weight / weight.sum())]
            chosen[i] = rng.choice(np.flatnonzero(y == digit))
            captions.append(PHRASES[rng.integers(len(PHRASES))].format(NAMES[digit]))
    return chosen, captions


def train(model: CLIP, pictures: Tensor, texts: Tensor, config: Config) -> Iterator[float]:
    """CLIP's own training; the loss after each step."""
    optimizer = torch.optim.AdamW(model.parameters(), config.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates)
    for _ in range(config.updates):
        index = torch.randint(len(pictures), (config.batch,))
        text = texts[index]
        logits = model(pictures[index], text)  # (B, B)
        # equal captions of a batch are no negatives of each other
        same = (text[:, None] == text).all(2).float()
        target = same / same.sum(1, keepdim=True)
        loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        yield float(loss.detach())


def build(config: Config) -> CLIP:
    return build_clip(config.model)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, rng = digits(), np.random.default_rng(seed)
    chosen, captions = web(config, split.y.numpy(), rng)
    kept = curate(captions, NAMES, config.limit, rng)
    drawn = rng.permutation(config.pool)[: len(kept)]  # as many at random
    model = build(config)
    other = build(config)
    other.load_state_dict(model.state_dict())
    classes = encode([UNSEEN.format(name) for name in NAMES])

    def zero_shot(model: CLIP) -> float:
        with torch.no_grad():
            return float((model(split.x_test, classes).argmax(1) == split.y_test).float().mean())

    def pairs(which: np.ndarray | list[int]) -> tuple[Tensor, Tensor]:
        return split.x[chosen[which]], encode([captions[i] for i in which])

    together = zip(train(model, *pairs(kept), config), train(other, *pairs(drawn), config), strict=True)
    for update, (loss, _) in enumerate(together, 1):
        if update % max(1, config.updates // 10) == 0 or update == config.updates:
            metrics = {"zero-shot accuracy": zero_shot(model), "pairs": len(kept), "loss": loss}
            yield Step(update, config.updates, metrics | {"baseline": zero_shot(other)}, sample=captions[kept[0]])


if __name__ == "__main__":
    raise SystemExit(main(__file__))
