r"""Model parallelism: one layer's weights are split among workers, which exchange activations instead of gradients.

M. Shoeybi et al., "Megatron-LM: Training Multi-Billion Parameter Language Models Using Model Parallelism",
arXiv:1909.08053, section 3 (figure 3: the MLP split by columns, then by rows; f and g). The idea of splitting a net
over machines is in J. Dean et al., "Large Scale Distributed Deep Networks", NIPS 2012, section 3.

What it changes against the Transformer's feed-forward layer: nothing in the result. The first matrix is cut by columns,
so that each worker applies the non-linearity to its own part, the second by rows; one sum over workers joins them.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from ailineage.models.reference import Step, main

METADATA = {
    "node": "model-parallel",
    "title": {"en": "Model parallelism", "zh": "模型并行"},
    "year": 2019,
    "paper": {
        "title": "Megatron-LM: Training Multi-Billion Parameter Language Models Using Model Parallelism",
        "arxiv": "1909.08053",
        "sections": "3, figure 3",
    },
    "parents": ["transformer", "data_parallel"],
    "demo": {
        "task": {
            "en": "A feed-forward layer trained by two processes that hold half of each matrix",
            "zh": "两个进程各持有每个矩阵的一半，共同训练一个前馈层",
        },
        "metric": "largest difference of an output from one process's",
        "target": 1e-9,
        "baseline": "the difference if each worker's sum is left out",
        "margin": 1e-2,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    workers: int = 2  # GPUs in the paper, up to 8 a server
    width: int = 32  # H
    inner: int = 128  # 4 H
    batch: int = 64  # rows
    updates: int = 200  # training steps
    rate: float = 0.05  # of gradient descent


TINY = Config(width=8, inner=16, batch=16, updates=10)
PRESETS: dict[str, Config] = {}


def gelu(x: np.ndarray) -> np.ndarray:
    # the tanh form:   GELU(x) = x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gelu_slope(x: np.ndarray) -> np.ndarray:
    t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    return (1 + t) / 2 + x / 2 * (1 - t**2) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)


class Part:
    """A worker's columns of A (H, 4H / n) and rows of B (4H / n, H)."""

    def __init__(self, a: np.ndarray, b: np.ndarray) -> None:
        self.a, self.b = a.copy(), b.copy()

    def forward(self, x: np.ndarray) -> np.ndarray:
        """What is to be summed over the workers: (B, H) -> (B, H)."""
        # [Y_1, Y_2] = [GELU(X A_1), GELU(X A_2)]
        self.x, self.before = x, x @ self.a
        self.y = gelu(self.before)
        # Z = g(Y_1 B_1 + Y_2 B_2), the sum by all-reduce
        return self.y @ self.b

    def learn(self, d: np.ndarray, rate: float) -> None:
        """Gradient (B, H) of the output, the same for every worker; no message is needed for the weights."""
        back = d @ self.b.T * gelu_slope(self.before)
        self.b -= rate * self.y.T @ d
        self.a -= rate * self.x.T @ back


def weights(config: Config, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    a = random.normal(size=(config.width, config.inner)) / np.sqrt(config.width)
    return a, random.normal(size=(config.inner, config.width)) / np.sqrt(config.inner)


def build(config: Config, seed: int = 0, rank: int | None = None) -> Part:
    """A worker's part, or the whole layer."""
    a, b = weights(config, seed)
    if rank is None:
        return Part(a, b)
    mine = np.array_split(np.arange(config.inner), config.workers)[rank]
    return Part(a[:, mine], b[mine])


def task(config: Config, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Inputs (B, H) and wanted outputs: the sorted inputs, which no linear layer yields."""
    random = np.random.default_rng(seed + 1)
    for _ in range(config.updates):
        x = random.normal(size=(config.batch, config.width))
        yield x, np.sort(x, 1)


def work(config: Config, seed: int, rank: int, others: list[Connection], result: Connection) -> None:
    """One worker: forward, sum over all, backward on its own part."""
    part = build(config, seed, rank)
    for x, wanted in task(config, seed):
        mine = part.forward(x)
        for other in others:
            other.send(mine)
        z = mine + sum(other.recv() for other in others)
        # L = 1/2 mean |Z - T|^2
        part.learn((z - wanted) / config.batch, config.rate)
    result.send(z)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    start = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
    links: list[list[Connection]] = [[] for _ in range(config.workers)]
    for i in range(config.workers):
        for j in range(i + 1, config.workers):
            one, two = start.Pipe()
            links[i].append(one)
            links[j].append(two)
    results = [start.Pipe() for _ in range(config.workers)]
    processes = [
        start.Process(target=work, args=(config, seed, rank, links[rank], results[rank][1]), daemon=True)
        for rank in range(config.workers)
    ]
    for process in processes:
        process.start()
    yield Step(1, 3)
    whole, first = build(config, seed), float("nan")
    for x, wanted in task(config, seed):
        z = whole.forward(x)
        whole.learn((z - wanted) / config.batch, config.rate)
        loss = float(((z - wanted) ** 2).mean())
        first = loss if np.isnan(first) else first
    half = build(config, seed, 0).forward(x)
    yield Step(2, 3, {"loss at first": first, "loss": loss})
    found = [receive.recv() for receive, _ in results]
    for process in processes:
        process.join()
    worst = max(float(abs(other - z).max()) for other in found)
    metrics = {METADATA["demo"]["metric"]: worst, "baseline": float(abs(half - z).max())}  # type: ignore[index]
    yield Step(3, 3, metrics | {"loss at first": first, "loss": loss})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
