r"""Hopfield network: memories are the valleys of an energy, and remembering is rolling down into the nearest.

J. J. Hopfield, "Neural networks and physical systems with emergent collective computational abilities", PNAS 79, 1982,
equations 1 (dynamics), 2 (storage) and 7 (energy).

What it changes against McCulloch-Pitts nets: the units feed back on each other symmetrically, so an energy exists that
each update lowers; Hebb's rule stores the patterns. Beyond about 0.14 N patterns the memory collapses at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main

METADATA = {
    "node": "hopfield",
    "title": {"en": "Hopfield network", "zh": "霍普菲尔德网络"},
    "year": 1982,
    "paper": {
        "title": "Neural networks and physical systems with emergent collective computational abilities",
        "doi": "10.1073/pnas.79.8.2554",
        "sections": "equations 1, 2, 7; results on N = 30 and N = 100",
    },
    "parents": ["mcculloch_pitts", "hebbian"],
    "demo": {
        "task": {
            "en": "N = 100: patterns with a tenth of their bits flipped are restored at load 0.1, no longer at 0.4",
            "zh": "N = 100：翻转一成比特的图样在负载 0.1 时可复原，在 0.4 时崩溃",
        },
        "metric": "overlap at load 0.1",
        "target": 0.98,
        "baseline": "the overlap of the flipped pattern itself, before recall",
        "margin": 0.1,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    units: int = 100  # N, as in the paper's larger simulation
    loads: tuple[int, ...] = (40, 25, 20, 14, 5, 10)  # patterns stored, one experiment each; the last one is scored
    flipped: float = 0.1  # share of the bits of a probe that are wrong
    trials: int = 8  # fresh sets of patterns for each load


TINY = Config(loads=(40, 10), trials=1)
PRESETS: dict[str, Config] = {}


class Hopfield:
    """Symmetric weights (N, N) without self-connections; states are +1 or -1 (the paper's V = 1 or 0)."""

    def __init__(self, units: int) -> None:
        self.weights = np.zeros((units, units))

    def store(self, patterns: np.ndarray) -> None:
        # (2)   T_ij = sum_s (2 V_i^s - 1)(2 V_j^s - 1),   T_ii = 0
        self.weights = patterns.T @ patterns / patterns.shape[1]  # (P, N) -> (N, N)
        np.fill_diagonal(self.weights, 0)

    def energy(self, state: np.ndarray) -> float:
        # (7)   E = -1/2 sum_ij T_ij V_i V_j
        return float(-0.5 * state @ self.weights @ state)

    def recall(self, state: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Units ask one at a time, in random order, until none would change: state (N,) -> (N,)."""
        state, changed = state.copy(), True
        while changed:
            changed = False
            for i in random.permutation(len(state)):
                # (1)   V_i -> 1 if sum_j T_ij V_j > 0, else 0
                field = self.weights[i] @ state
                new = np.sign(field) if field != 0 else state[i]
                changed |= bool(new != state[i])
                state[i] = new
        return state


def build(config: Config) -> Hopfield:
    return Hopfield(config.units)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    net = build(config)
    done, total = 0, len(config.loads) * config.trials
    metrics: dict[str, float] = {}
    for load in config.loads:
        before, after = [], []
        for _ in range(config.trials):
            patterns = random.choice([-1.0, 1.0], size=(load, config.units))
            net.store(patterns)
            for pattern in patterns:
                probe = np.where(random.random(config.units) < config.flipped, -pattern, pattern)
                found = net.recall(probe, random)
                before.append(float(probe @ pattern) / config.units)
                after.append(float(found @ pattern) / config.units)
            done += 1
            name = f"overlap at load {load / config.units:g}"
            metrics |= {name: float(np.mean(after)), "baseline": float(np.mean(before))}
            yield Step(done, total, dict(metrics))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
