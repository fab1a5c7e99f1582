"""How likely it is that evidence on the subject holds no answer all the same.

The question may ask for what nobody says, or rest on what is not so. Alone this is too weak to refuse by; together
with a tuned decoder that declines it is strong enough.

A logistic regression over plain features: how sure the best sentences are, which of the question's rare words none of
them holds, what kind of question it is. It learned from questions of which some must be refused, after those that
`support` refuses by rule (`python benchmarks/doubt.py`); its weights stand in doubt.json.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ailineage.models.decoder.knowledge import Knowledge
from ailineage.models.decoder.selection import GROUPS, Piece, group
from ailineage.retrieval.evidence import Bundle

WEIGHTS = Path(__file__).with_name("doubt.json")
_RARE = 10.0  # about the rarity (idf) of a word that occurs once


@dataclass(frozen=True)
class Regression:
    """Means, scales and weights (F,) of the features, and the offset."""

    means: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    offset: float


@cache
def regression() -> Regression:
    """The learned weights."""
    stored = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return Regression(tuple(stored["means"]), tuple(stored["scales"]), tuple(stored["weights"]), stored["offset"])


def chance(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> float:
    """The chance in (0, 1) that the evidence holds no answer."""
    learned = regression()
    score = learned.offset
    values = features(bundle, ranked, knowledge)
    for value, mean, scale, weight in zip(values, learned.means, learned.scales, learned.weights, strict=True):
        score += weight * (value - mean) / scale
    return 1 / (1 + math.exp(-max(min(score, 30.0), -30.0)))


def features(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> list[float]:
    """What is known of a question and its ranked sentences, in a fixed order."""
    asked = {word for word in knowledge.bare_words(bundle.question) if not word.isdigit()}
    rarity = {word: bundle.rarity.get(word, _RARE) for word in asked}
    total = sum(rarity.values()) or 1.0
    missing: list[float] = []
    for most in (1, 3, len(ranked)):
        held = {word for piece in ranked[:most] for word in knowledge.words(piece.evidence.text)}
        absent = [value for word, value in rarity.items() if word not in held]
        missing += [sum(absent) / total, max(absent, default=0.0) / _RARE]
    chances = [ranked[min(place, len(ranked) - 1)].chance for place in (0, 1, 4)]
    kind = group(bundle.question)
    return [
        *chances,
        *missing,
        len(asked) / 8,
        float(len(bundle.nodes)),
        *(float(kind == name) for name in GROUPS),
        max(bundle.nearness.values(), default=0.0),
        float(bundle.language == "zh"),
        float(ranked[0].fits),
        float(any(piece.fits for piece in ranked[:5])),
        float(knowledge.claim(ranked[0].evidence) is not None),
        *ranked[0].features,
    ]
