r"""McCulloch-Pitts neuron: thinking as logic, computed by threshold units with fixed weights.

W. S. McCulloch and W. Pitts, "A Logical Calculus of the Ideas Immanent in Nervous Activity",
Bulletin of Mathematical Biophysics 5, 1943, sections II and III.

It stands at the root: an idealised biological neuron. It fires when enough excitatory synapses are active and no
inhibitory one is. Nothing is learned; a net is designed like a circuit. XOR needs a second layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from ailineage.models.reference import Step, main

METADATA = {
    "node": "mcculloch-pitts",
    "title": {"en": "McCulloch-Pitts neuron", "zh": "麦卡洛克-皮茨神经元"},
    "year": 1943,
    "paper": {
        "title": "A Logical Calculus of the Ideas Immanent in Nervous Activity",
        "doi": "10.1007/BF02478259",
        "sections": "II (nets without circles), figure 1",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "AND, OR, NOT and, with two layers, XOR and a full adder: every row of every truth table",
            "zh": "与、或、非，以及用两层实现的异或和全加器：真值表逐行吻合",
        },
        "metric": "rows correct",
        "target": 1.0,
        "baseline": "XOR by the best of all single units with a few synapses an input and any threshold",
        "margin": 0.25,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    max_synapses: int = 3  # the exhaustive search for a single XOR unit tries up to this many synapses an input


TINY = Config(max_synapses=1)
PRESETS: dict[str, Config] = {}


@dataclass(frozen=True)
class Neuron:
    """Synapse counts (D,), positive for excitation and negative for inhibition, and a threshold."""

    synapses: tuple[int, ...]
    threshold: int

    def __call__(self, x: np.ndarray) -> np.ndarray:
        w = np.array(self.synapses)  # (D,)
        # section II, assumption 5: an active inhibitory synapse absolutely prevents excitation
        inhibited = (x[:, w < 0] == 1).any(axis=1)  # (N, D) -> (N,)
        # assumption 2: a fixed number of synapses must be excited:   y = [sum_i w_i x_i >= theta]
        excited = x @ np.maximum(w, 0) >= self.threshold
        return (excited & ~inhibited).astype(int)  # (N,)


AND, OR = Neuron((1, 1), 2), Neuron((1, 1), 1)
NOT = Neuron((-1,), 0)
ONLY_FIRST, ONLY_SECOND = Neuron((1, -1), 1), Neuron((-1, 1), 1)
MAJORITY = Neuron((1, 1, 1), 2)


def build(config: Config) -> dict[str, Neuron]:
    """The units that the nets below are wired from."""
    return {
        "AND": AND,
        "OR": OR,
        "NOT": NOT,
        "ONLY_FIRST": ONLY_FIRST,
        "ONLY_SECOND": ONLY_SECOND,
        "MAJORITY": MAJORITY,
    }


def xor(x: np.ndarray) -> np.ndarray:
    """(N, 2) -> (N,) in two layers: (a and not b) or (b and not a)."""
    hidden = np.stack([ONLY_FIRST(x), ONLY_SECOND(x)], axis=1)  # (N, 2)
    return OR(hidden)


def adder(x: np.ndarray) -> np.ndarray:
    """(N, 3) bits a, b, carry -> (N,) their sum 0..3, by two XORs and a majority unit."""
    half = np.stack([xor(x[:, :2]), x[:, 2]], axis=1)  # (N, 2)
    return xor(half) + 2 * MAJORITY(x)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    one, two, three = (np.array(list(product((0, 1), repeat=n))) for n in (1, 2, 3))
    tables = {
        "NOT": (NOT(one), 1 - one[:, 0]),
        "AND": (AND(two), two.min(axis=1)),
        "OR": (OR(two), two.max(axis=1)),
        "XOR": (xor(two), two[:, 0] ^ two[:, 1]),
        "ADDER": (adder(three), three.sum(axis=1)),
    }
    right = rows = 0
    for done, (name, (found, wanted)) in enumerate(tables.items(), 1):
        right, rows = right + int((found == wanted).sum()), rows + len(wanted)
        yield Step(done, 6, {"rows correct": right / rows}, sample=f"{name}: {found.tolist()}")
    span = range(-config.max_synapses, config.max_synapses + 1)
    single = (Neuron((a, b), t)(two) for a, b in product(span, span) for t in range(2 * config.max_synapses + 1))
    best = max(float((y == tables["XOR"][1]).mean()) for y in single)
    yield Step(6, 6, {"rows correct": right / rows, "baseline": best})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
