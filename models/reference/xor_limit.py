r"""The XOR limit: what a perceptron cannot compute, however long it learns.

M. Minsky and S. Papert, "Perceptrons: An Introduction to Computational Geometry", MIT Press, 1969, chapter 1 (the order
of a predicate) and theorem 3.1.1 (the parity of n points has order n; exclusive or is n = 2).

It is a result about the perceptron, not a change to it: a line through the unit square gets three of XOR's four rows at
most. In general, parity needs units that look at all n inputs at once; the proof, an orthogonality, is measured here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise, product

import numpy as np

from ailineage.models.reference import Step, main
from ailineage.models.reference.perceptron import Perceptron

METADATA = {
    "node": "xor-limit",
    "title": {"en": "XOR limitation", "zh": "异或问题"},
    "year": 1969,
    "paper": {
        "title": "Perceptrons: An Introduction to Computational Geometry",
        "publisher": "MIT Press",
        "sections": "chapters 1 and 3, theorem 3.1.1",
    },
    "parents": ["perceptron"],
    "demo": {
        "task": {
            "en": "Every line and a long-trained perceptron on XOR: 3 of 4 rows at most; parity of n bits likewise",
            "zh": "用所有直线和长时间训练的感知机求解异或：四行最多对三行；n 位奇偶校验也一样",
        },
        "metric": "best XOR accuracy",
        "target": 0.75,
        "baseline": "the worse of AND and OR under the same search and training",
        "margin": 0.25,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    epochs: int = 1000  # passes of the perceptron rule over the four rows
    angles: int = 720  # directions of a line that are tried
    bits: int = 4  # n of the parity
    parity_epochs: int = 500  # passes over its 2^n rows, for each order


TINY = Config(epochs=50, angles=72, bits=3, parity_epochs=20)
PRESETS: dict[str, Config] = {}

ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)


def best_line(t: np.ndarray, angles: int) -> tuple[float, np.ndarray, float]:
    """The best share of ROWS with targets t (4,) on the right side of any line; its normal and threshold."""
    best, normal, threshold = (0.0, 0.0), np.zeros(2), 0.0
    for angle in np.linspace(0, 2 * np.pi, angles, endpoint=False):
        direction = np.array([np.cos(angle), np.sin(angle)])
        places = np.sort(ROWS @ direction)
        # only the gaps between projected points matter: one threshold in each stands for all lines there
        for low, high in pairwise([places[0] - 1e-9, *places]):
            share = float(((ROWS @ direction > (low + high) / 2) == t).mean())
            if (share, high - low) > best:  # among the best, the widest gap
                best, normal, threshold = (share, high - low), direction, (low + high) / 2
    return best[0], normal, threshold


def masks(x: np.ndarray, order: int) -> np.ndarray:
    """Bits (N, n) in {0, 1} -> predicates (N, M): for each set of up to `order` inputs, whether all are on."""
    found = [s for k in range(1, order + 1) for s in combinations(range(x.shape[1]), k)]
    # phi_A(x) = prod_{i in A} x_i;   a perceptron of order k is   psi = [sum_A alpha_A phi_A > theta], |A| <= k
    return np.stack([x[:, s].prod(1) for s in found], 1)


def longest_rest(x: np.ndarray, order: int) -> float:
    """How far the sign of parity is from orthogonal to all predicates of the order: 0 proves that none can do it."""
    phi = np.hstack([np.ones((len(x), 1)), masks(x, order)])  # (N, 1 + M)
    sign = 2 * (x.sum(1) % 2) - 1
    # sum_x sign(x) phi_A(x) = 0 for |A| < n, so sum_x sign(x) f(x) = 0 for each f = sum_A alpha_A phi_A - theta:
    # f cannot have the sign of parity at every x
    return float(np.abs(sign @ phi).max())


def learn(x: np.ndarray, t: np.ndarray, epochs: int) -> tuple[float, Perceptron]:
    """The best accuracy the perceptron rule sees in so many passes, and where it ends."""
    model, best = Perceptron(x.shape[1], 1.0), 0.0
    for _ in range(epochs):
        mistakes = model.learn(x, t)
        best = max(best, float((model(x) == t).mean()))
        if mistakes == 0:
            break
    return best, model


def draw(normal: np.ndarray, cut: float, product_unit: Perceptron, size: int = 96) -> np.ndarray:
    """The unit square (size, 2 size) as the best line splits it and as a perceptron of order two does, with rows."""
    y, x = np.mgrid[1.2 : -0.2 : size * 1j, -0.2 : 1.2 : size * 1j]  # type: ignore[misc]
    points = np.stack([x.ravel(), y.ravel()], 1)  # (size * size, 2)
    sides = points @ normal > cut, product_unit(masks(points, 2)) == 1
    panels = []
    for side in sides:
        panel = np.where(side.reshape(size, size), 190, 90)
        for a, b in ROWS:  # white where XOR is 1, black where it is 0
            panel[(x - a) ** 2 + (y - b) ** 2 < 0.004] = 255 if a != b else 0
        panels.append(panel)
    return np.hstack(panels).astype(np.uint8)


def build(config: Config) -> Perceptron:
    return Perceptron(2, 1.0)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    order = random.permutation(4)
    total, shares = 3 + config.bits, {}
    tables = {"AND": ROWS.min(1), "OR": ROWS.max(1), "XOR": ROWS.sum(1) % 2}
    for done, (name, t) in enumerate(tables.items(), 1):
        line, normal, cut = best_line(t, config.angles)
        learned, _ = learn(ROWS[order], t[order].astype(int), config.epochs)
        shares[name] = max(line, learned)
        yield Step(done, total, {f"{name} accuracy": shares[name], f"{name} by learning": learned})
    metrics = {"best XOR accuracy": shares["XOR"], "baseline": min(shares["AND"], shares["OR"])}
    _, curved = learn(masks(ROWS, 2), tables["XOR"].astype(int), config.epochs)
    picture = draw(normal, cut, curved)
    bits = random.permutation(np.array(list(product((0.0, 1.0), repeat=config.bits))))
    parity = (bits.sum(1) % 2).astype(int)
    for k in range(1, config.bits + 1):
        share, _ = learn(masks(bits, k), parity, config.parity_epochs)
        rest = longest_rest(bits, k)
        text = f"parity of {config.bits} by order {k}: {share:.0%}" + (", impossible" if rest == 0 else "")
        found = {"parity accuracy": share, "order": k, "orthogonality": rest}
        yield Step(3 + k, total, metrics | found, sample=text, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
