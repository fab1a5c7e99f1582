r"""Scaling laws: the loss of language models falls as a power of their size, so small ones foretell large ones.

J. Kaplan, S. McCandlish et al., "Scaling Laws for Neural Language Models", arXiv:2001.08361, equation 1.1 and section
3.2. The models are GPTs of one family that differ only in width; N counts what is not embedding, as the paper does.

It is not a model but a law about models: measured on the smallest ones here, then tested on one it has not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main, parameter_count
from ailineage.models.reference.data import alphabet, seeded, text, windows
from ailineage.models.reference.nanogpt import Config as GPTConfig
from ailineage.models.reference.nanogpt import NanoGPT

METADATA = {
    "node": "scaling-law",
    "title": {"en": "Scaling laws", "zh": "缩放定律"},
    "year": 2020,
    "paper": {
        "title": "Scaling Laws for Neural Language Models",
        "arxiv": "2001.08361",
        "sections": "equation 1.1, section 3.2",
    },
    "parents": ["nanogpt"],
    "demo": {
        "task": {
            "en": "A power law fitted to four small GPTs foretells the loss of one four times as large",
            "zh": "用四个小 GPT 拟合幂律，预测一个大四倍的模型的损失",
        },
        "metric": "error of the forecast, nats",
        "target": 0.1,
        "baseline": "the loss of the largest model measured so far",
        "margin": 0.05,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    widths: tuple[int, ...] = (4, 8, 16, 32, 64)  # the law is fitted to all but the last
    layers: int = 2  # of each model
    updates: int = 220  # training steps of each model
    batch: int = 24  # pieces a step
    length: int = 48  # characters a piece
    rate: float = 8e-3  # highest learning rate of the narrowest; it falls with the root of the width
    characters: int = 150_000  # of our articles


TINY = Config(widths=(4, 8, 16), updates=10, characters=20_000)
PRESETS: dict[str, Config] = {}


def build(config: Config, width: int | None = None, symbols: int = 64) -> NanoGPT:
    """One of the family, the widest unless said."""
    wide = config.widths[-1] if width is None else width
    return NanoGPT(GPTConfig(symbols, config.length, wide, max(1, wide // 16), config.layers))


def fit(sizes: list[int], losses: list[float]) -> tuple[float, float]:
    """alpha_N and log N_c of the power law, by least squares in logarithms."""
    # (1.1)   L(N) = (N_c / N)^alpha_N,   so   log L = alpha_N log N_c - alpha_N log N
    slope, shift = np.polyfit(np.log(sizes), np.log(losses), 1)
    return float(-slope), float(shift / -slope)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    source = text("en", config.characters)
    characters = alphabet(source)
    ids = characters.encode(source)
    train, held_out = ids[: len(ids) * 9 // 10], ids[len(ids) * 9 // 10 :]
    x_test, y_test = windows(held_out, 150, config.length)
    sizes: list[int] = []
    losses: list[float] = []
    for number, width in enumerate(config.widths, 1):
        model = build(config, width, len(characters))
        rate = config.rate * (config.widths[0] / width) ** 0.5
        optimizer = torch.optim.AdamW(model.parameters(), rate, betas=(0.9, 0.98), weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=config.updates, pct_start=0.2)
        for _ in range(config.updates):
            x, y = windows(train, config.batch, config.length)
            loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            nats = float(F.cross_entropy(model(x_test).flatten(0, 1), y_test.flatten()))
        embedding = model.tokens.weight.numel() + model.positions.weight.numel()
        sizes.append(parameter_count(model) - embedding)
        losses.append(nats)
        metrics = {"parameters": float(sizes[-1]), "nats a character": nats}
        if number == len(config.widths):
            alpha, log_nc = fit(sizes[:-1], losses[:-1])
            forecast = float(np.exp(alpha * (log_nc - np.log(sizes[-1]))))
            metrics |= {"alpha_N": alpha, "forecast": forecast, "error of the forecast, nats": abs(forecast - nats)}
            metrics["baseline"] = abs(losses[-2] - nats)
        line = ", ".join(f"{size:,}: {value:.3f}" for size, value in zip(sizes, losses, strict=True))
        yield Step(number, len(config.widths), metrics, sample=line)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
