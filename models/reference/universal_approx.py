r"""Universal approximation: one hidden layer comes as near to any continuous function as one likes, if wide enough.

G. Cybenko, "Approximation by Superpositions of a Sigmoidal Function", Mathematics of Control, Signals and Systems 2(4),
1989, theorem 2; K. Hornik, M. Stinchcombe and H. White, Neural Networks 2(5), 1989. The theorem says that weights
exist, not that training finds them; so they are constructed here: a steep sigmoid is a step, two make a bump.

It is a theorem, not a model: the largest error of the construction is measured as the width grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main
from ailineage.models.reference.sigmoid import sigmoid

METADATA = {
    "node": "universal-approx",
    "title": {"en": "Universal approximation theorem", "zh": "通用近似定理"},
    "year": 1989,
    "paper": {
        "title": "Approximation by Superpositions of a Sigmoidal Function",
        "doi": "10.1007/BF02551274",
        "sections": "theorem 2",
    },
    "parents": ["sigmoid", "mlp"],
    "demo": {
        "task": {
            "en": "sin(2 pi x) and a kinked function on [0, 1] by 2 to 512 constructed units",
            "zh": "用 2 到 512 个构造出来的单元逼近 [0, 1] 上的 sin(2πx) 和一个带折角的函数",
        },
        "metric": "largest error",
        "target": 0.02,
        "baseline": "the largest error with 8 units",
        "margin": 0.3,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    widths: tuple[int, ...] = (2, 8, 32, 128, 512)  # N, units
    steepness: float = 2.0  # of a unit, in widths of a cell
    fitted: int = 128  # up to so many units the best output weights are tried as well


TINY = Config(widths=(2, 8, 32))
PRESETS: dict[str, Config] = {}


class Superposition:
    """G(x) = sum_j alpha_j sigma(y_j x + theta_j), with weights from the function itself: (M,) -> (M,)."""

    def __init__(self, function: object, width: int, steepness: float) -> None:
        edges = np.linspace(0, 1, width + 1)
        middles = (edges[:-1] + edges[1:]) / 2
        values = function(middles)  # type: ignore[operator]
        # a step of height f(m_j) - f(m_{j-1}) at each edge; the first one stands left of the interval
        self.alpha = np.diff(values, prepend=0.0)
        self.y = np.full(width, steepness * width)
        self.theta = -self.y * np.concatenate([[-1.0], edges[1:-1]])

    def __call__(self, x: np.ndarray) -> np.ndarray:
        # (theorem 2)   G(x) = sum_{j = 1..N} alpha_j sigma(y_j^T x + theta_j)
        return self.units(x) @ self.alpha

    def units(self, x: np.ndarray) -> np.ndarray:
        return sigmoid(x[:, None] * self.y + self.theta)  # (M,) -> (M, N)

    def fitted(self, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        """What the same units give with the alpha that is nearest to t (M,) in squared error: (M,)."""
        q, _ = np.linalg.qr(self.units(x))  # (M, N): an orthonormal basis of all that the units can give
        return q @ (q.T @ t)


FUNCTIONS = {
    "sine": lambda x: np.sin(2 * np.pi * x),
    "kinked": lambda x: abs(x - 0.3) + 0.5 * abs(x - 0.7),
}


def build(config: Config) -> Superposition:
    return Superposition(FUNCTIONS["sine"], config.widths[-1], config.steepness)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    x = np.linspace(0, 1, 2001)
    errors: dict[int, float] = {}
    for done, width in enumerate(config.widths, 1):
        found = [(f(x), Superposition(f, width, config.steepness)) for f in FUNCTIONS.values()]
        # sup_x |G(x) - f(x)| < epsilon
        errors[width] = max(float(abs(g(x) - t).max()) for t, g in found)
        metrics = {"largest error": errors[width], "units": float(width)}
        if width <= config.fitted:
            metrics["with fitted output weights"] = max(float(abs(g.fitted(x, t) - t).max()) for t, g in found)
        metrics["baseline"] = errors[config.widths[min(1, len(errors) - 1)]]
        yield Step(done, len(config.widths), metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
