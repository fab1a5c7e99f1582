r"""Step activation: a unit is silent below its threshold and fires from there on.

W. S. McCulloch and W. Pitts, "A Logical Calculus of the Ideas Immanent in Nervous Activity", Bulletin of Mathematical
Biophysics 5, 1943, section I (the all-or-none law) and theorem II (every propositional expression has a net).

It is the output rule of the McCulloch-Pitts neuron, looked at alone. One layer over one layer of steps computes every
Boolean function, which a single step does not; but its slope is zero wherever it has one, so descent cannot train it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from ailineage.models.reference import Step, main

METADATA = {
    "node": "sgn-step",
    "title": {"en": "Step activation", "zh": "阶跃激活函数"},
    "year": 1943,
    "paper": {
        "title": "A Logical Calculus of the Ideas Immanent in Nervous Activity",
        "doi": "10.1007/BF02478259",
        "sections": "I, theorem II",
    },
    "parents": ["mcculloch_pitts"],
    "demo": {
        "task": {
            "en": "All 65,536 Boolean functions of four inputs by two layers of steps; how many can one step compute?",
            "zh": "两层阶跃单元实现四个输入的全部 65,536 个布尔函数；单个阶跃单元能实现多少？",
        },
        "metric": "functions computed",
        "target": 1.0,
        "baseline": "the share one step unit computes, over all small whole weights and thresholds",
        "margin": 0.9,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    inputs: int = 4  # n; there are 2^(2^n) functions of n bits
    largest: int = 3  # single units with weights up to this size are searched; 3 is enough for n = 4
    nudges: int = 400  # weights moved a little, to measure the slope


TINY = Config(inputs=3, largest=2, nudges=50)
PRESETS: dict[str, Config] = {}


def step(a: np.ndarray) -> np.ndarray:
    """Any shape; what lies exactly at the threshold fires."""
    # y = 1 if a >= 0 else 0
    return (a >= 0).astype(float)


def sign(a: np.ndarray) -> np.ndarray:
    # sgn(a) = 2 step(a) - 1: the same rule for values of -1 and 1
    return 2 * step(a) - 1


class AnyFunction:
    """A net for a given truth table: a hidden step for each row of inputs that knows this row only, then an OR."""

    def __init__(self, rows: np.ndarray) -> None:
        # unit r fires if all bits agree with row r:   sum_i sgn_i x_i >= number of ones in r, where sgn_i = 2 r_i - 1
        self.weights = 2 * rows.T - 1  # (n, R)
        self.thresholds = rows.sum(1)  # (R,)

    def hidden(self, x: np.ndarray) -> np.ndarray:
        return step(x @ self.weights - self.thresholds)  # (N, n) -> (N, R)

    def __call__(self, x: np.ndarray, tables: np.ndarray) -> np.ndarray:
        """Inputs (N, n) through the nets of F truth tables (F, R): (N, F)."""
        # OR over the rows where the table holds a one
        return step(self.hidden(x) @ tables.T - 1)


def truth(inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """All rows of inputs (R, n), and all truth tables over them (2^R, R)."""
    rows = np.array(list(product((0, 1), repeat=inputs)))
    numbers = np.arange(2 ** len(rows))
    return rows, (numbers[:, None] >> np.arange(len(rows)) & 1).astype(float)


def slopes(x: np.ndarray, t: np.ndarray, count: int, random: np.random.Generator) -> tuple[float, float]:
    """Share of random units whose squared error changes if a weight moves by 1e-6: with steps, with sigmoids."""
    moved = np.zeros(2)
    for _ in range(count):
        w = random.normal(size=x.shape[1])
        nudge = 1e-6 * np.eye(x.shape[1])[random.integers(x.shape[1])]
        for i, f in enumerate((step, lambda a: 1 / (1 + np.exp(-a)))):
            before, after = (((f(x @ v - 0.5) - t) ** 2).sum() for v in (w, w + nudge))
            moved[i] += before != after
    return float(moved[0]) / count, float(moved[1]) / count


def build(config: Config) -> AnyFunction:
    return AnyFunction(truth(config.inputs)[0])


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    rows, tables = truth(config.inputs)
    net = build(config)
    total, found, right = 2 * config.largest + 3, set(), 0
    for part in np.array_split(tables, 16):
        right += int((net(rows, part) == part.T).all(0).sum())
    two_layers = right / len(tables)
    yield Step(1, total, {"functions computed": two_layers}, sample=f"{right} of {len(tables)} by two layers")
    span = np.arange(-config.largest, config.largest + 1)
    powers = 2 ** np.arange(len(rows))
    thresholds = np.arange(-config.inputs * config.largest, config.inputs * config.largest + 2)
    for done, first in enumerate(span, 2):
        weights = np.array(list(product([first], *[span] * (config.inputs - 1)))).T  # (n, U)
        fires = step((rows @ weights)[..., None] - thresholds)  # (R, U, thresholds)
        found |= set((fires.reshape(len(rows), -1).T @ powers).astype(int).tolist())
        yield Step(done, total, {"functions computed": two_layers, "baseline": len(found) / len(tables)})
    hard, soft = slopes(rows, tables[len(tables) // 3], config.nudges, np.random.default_rng(seed))
    metrics = {"functions computed": two_layers, "error moves with a step": hard, "with a sigmoid": soft}
    text = f"one unit computes {len(found)} of {len(tables)}"
    yield Step(total, total, metrics | {"baseline": len(found) / len(tables)}, sample=text)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
