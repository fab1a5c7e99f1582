r"""Data parallelism: every worker holds the whole model and a part of the batch; their gradients are averaged.

J. Dean et al., "Large Scale Distributed Deep Networks", NIPS 2012 (there with a parameter server and stale gradients);
in the synchronous form used since: P. Goyal et al., "Accurate, Large Minibatch SGD", arXiv:1706.02677, section 2
(equation 2) and 4. The average is taken round a ring (ring all-reduce): each worker sends 2 (n - 1) / n of its numbers.

What it changes against plain gradient descent: nothing in the result. Processes that exchange only gradients end with
the weights that one process finds on the whole batch, up to rounding.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from ailineage.models.reference import Step, main

METADATA = {
    "node": "data-parallel",
    "title": {"en": "Data parallelism", "zh": "数据并行"},
    "year": 2012,
    "paper": {
        "title": "Large Scale Distributed Deep Networks",
        "url": "https://papers.nips.cc/paper/4687-large-scale-distributed-deep-networks",
        "sections": "4; Goyal et al. 2017, section 2, equation 2",
    },
    "parents": ["backprop", "gradient_descent"],
    "demo": {
        "task": {
            "en": "Three processes share each batch of digits and average their gradients round a ring",
            "zh": "三个进程分担每批手写数字，沿环形通信求梯度平均",
        },
        "metric": "largest difference of a weight from one process's",
        "target": 1e-9,
        "baseline": "the difference if the workers do not exchange gradients",
        "margin": 1e-3,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    workers: int = 3  # n
    hidden: int = 32  # units of the perceptron
    batch: int = 96  # digits a step, over all workers
    updates: int = 200  # steps
    rate: float = 0.3  # of gradient descent


TINY = Config(workers=2, hidden=8, batch=16, updates=10)
PRESETS: dict[str, Config] = {}


class Perceptron:
    """Weights in one vector (P,), so that a gradient is one message."""

    def __init__(self, hidden: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.shapes = ((64, hidden), (hidden,), (hidden, 10), (10,))
        self.theta = 0.1 * random.normal(size=sum(int(np.prod(shape)) for shape in self.shapes))

    def parts(self, vector: np.ndarray) -> list[np.ndarray]:
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(vector, ends), self.shapes, strict=True)]

    def gradient(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Of the mean cross-entropy over (B, 64) digits with classes (B,)."""
        w, b, u, c = self.parts(self.theta)
        h = np.tanh(x @ w + b)  # (B, H)
        e = np.exp(h @ u + c - (h @ u + c).max(1, keepdims=True))
        d = (e / e.sum(1, keepdims=True) - np.eye(10)[y]) / len(x)  # (B, 10)
        back = d @ u.T * (1 - h**2)
        return np.concatenate([(x.T @ back).ravel(), back.sum(0), (h.T @ d).ravel(), d.sum(0)])

    def accuracy(self, x: np.ndarray, y: np.ndarray) -> float:
        w, b, u, c = self.parts(self.theta)
        return float(((np.tanh(x @ w + b) @ u + c).argmax(1) == y).mean())


def build(config: Config, seed: int = 0) -> Perceptron:
    return Perceptron(config.hidden, seed)


def all_reduce(vector: np.ndarray, rank: int, workers: int, left: Connection, right: Connection) -> np.ndarray:
    """The sum of all workers' vectors: every worker sends one chunk to the right and adds the one from its left."""
    chunks = np.array_split(vector.copy(), workers)
    for gather in (False, True):
        for step in range(workers - 1):
            out = (rank - step + gather) % workers
            right.send(chunks[out])
            got = left.recv()
            chunks[out - 1] = got if gather else chunks[out - 1] + got
    return np.concatenate(chunks)


def batches(config: Config, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The same batches in every process."""
    data, random = load_digits(), np.random.default_rng(seed)
    for _ in range(config.updates):
        index = random.integers(0, 1400, config.batch)
        yield data.data[index] / 16, data.target[index]


def work(config: Config, seed: int, rank: int, left: Connection, right: Connection, result: Connection) -> None:
    """One worker: its share of each batch, the average of all gradients, the same step as the others."""
    model = build(config, seed)
    for x, y in batches(config, seed):
        mine = slice(rank, None, config.workers)
        # (2)   theta <- theta - eta 1/n sum_k grad_k, each worker k on its part of the batch
        total = all_reduce(model.gradient(x[mine], y[mine]), rank, config.workers, left, right)
        model.theta -= config.rate * total / config.workers
    result.send(model.theta)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    start: Any = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
    ring = [start.Pipe() for _ in range(config.workers)]  # worker k writes into pipe k, worker k + 1 reads from it
    results = [start.Pipe() for _ in range(config.workers)]
    processes = [
        start.Process(target=work, args=(config, seed, k, ring[k - 1][0], ring[k][1], results[k][1]), daemon=True)
        for k in range(config.workers)
    ]
    for process in processes:
        process.start()
    yield Step(1, 3)
    together, apart = build(config, seed), build(config, seed)
    for x, y in batches(config, seed):
        together.theta -= config.rate * together.gradient(x, y)
        apart.theta -= config.rate * apart.gradient(x[:: config.workers], y[:: config.workers])
    yield Step(2, 3)
    thetas = [receive.recv() for receive, _ in results]
    for process in processes:
        process.join()
    data = load_digits()
    worst = max(float(abs(theta - together.theta).max()) for theta in thetas)
    metrics = {METADATA["demo"]["metric"]: worst, "baseline": float(abs(apart.theta - together.theta).max())}  # type: ignore[index]
    together.theta = thetas[0]
    yield Step(3, 3, metrics | {"test accuracy": together.accuracy(data.data[1400:] / 16, data.target[1400:])})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
