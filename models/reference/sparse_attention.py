r"""Sparse attention: each position looks at a chosen few, together they reach all.

R. Child, S. Gray, A. Radford, I. Sutskever, "Generating Long Sequences with Sparse Transformers", arXiv:1904.10509,
sections 4.2 and 4.3.

What it changes against self-attention: n sqrt(n) instead of n^2 pairs. One pattern looks at the last l positions, the
other at every l-th, so that two steps connect any two positions. The baseline, a share of one, is analytic; the
metric falls back to one should the numbers differ or a pair be out of reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "sparse-attention",
    "title": {"en": "Sparse attention", "zh": "稀疏注意力"},
    "year": 2019,
    "paper": {
        "title": "Generating Long Sequences with Sparse Transformers",
        "arxiv": "1904.10509",
        "sections": "4.2 and 4.3, equations 2 to 5",
    },
    "parents": ["self_attention"],
    "demo": {
        "task": {
            "en": "Two sparse heads in turn carry a value 63 places; the share of pairs computed",
            "zh": "两种稀疏模式交替，把信息传过 63 个位置；所计算的位置对比例",
        },
        "metric": "share of pairs",
        "target": 0.4,
        "baseline": "dense causal attention (all pairs, share 1)",
        "margin": 0.5,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    length: int = 64  # n
    stride: int = 8  # l, close to sqrt(n)
    width: int = 16  # C


TINY = Config()
PRESETS: dict[str, Config] = {}


def local(length: int, stride: int) -> Tensor:
    """True (n, n) where position i may look at j: the last `stride` ones."""
    i, j = torch.arange(length)[:, None], torch.arange(length)
    # section 4.3   A_i^(1) = {t, t + 1, ..., i} for t = max(0, i - l)
    return (j <= i) & (i - j <= stride)


def strided(length: int, stride: int) -> Tensor:
    """Every `stride`-th position before, and oneself."""
    i, j = torch.arange(length)[:, None], torch.arange(length)
    # section 4.3   A_i^(2) = {j : (i - j) mod l = 0}
    return (j <= i) & ((i - j) % stride == 0)


def attend(q: Tensor, k: Tensor, v: Tensor, pattern: Tensor) -> Tensor:
    """Attention of (n, C) that computes only the pairs of the pattern (n, n)."""
    i, j = pattern.nonzero(as_tuple=True)  # the P pairs
    # (2), (3)   a(x_i, S_i) = softmax(q_i K_{S_i}^T / sqrt(d)) V_{S_i}
    scores = (q[i] * k[j]).sum(-1) / q.shape[1] ** 0.5  # (P,)
    e = (scores - scores.max()).exp()
    total = torch.zeros(len(q), dtype=q.dtype).index_add(0, i, e)
    return torch.zeros_like(v).index_add(0, i, (e / total[i])[:, None] * v[j])  # (n, C)


def dense(q: Tensor, k: Tensor, v: Tensor, pattern: Tensor) -> Tensor:
    """The same through the whole matrix: the check."""
    scores = q @ k.T / q.shape[1] ** 0.5
    return scores.masked_fill(~pattern, float("-inf")).softmax(-1) @ v


def build(config: Config) -> tuple[Tensor, Tensor]:
    """The two patterns, which two heads or two layers use in turn."""
    return local(config.length, config.stride), strided(config.length, config.stride)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    patterns = build(config)
    n = config.length
    q, k, v = torch.randn(3, n, config.width, dtype=torch.float64)
    worst = max(float((attend(q, k, v, p) - dense(q, k, v, p)).abs().max()) for p in patterns)
    full = torch.ones(n, n).tril().bool()
    worst = max(worst, float((attend(q, k, v, local(n, n)) - dense(q, k, v, full)).abs().max()))
    yield Step(1, 2, {"largest difference": worst})
    # two steps reach everything: some a with j in A_a^(1) and a in A_i^(2)
    reach = (patterns[1].float() @ patterns[0].float()) > 0  # (n, n)
    share = max(float(p.sum() / full.sum()) for p in patterns)
    reached = float((reach & full).sum() / full.sum())
    picture = torch.cat([p.byte() * 255 for p in (*patterns, reach)], 1).numpy().repeat(4, 0).repeat(4, 1)
    metrics = {"share of pairs": share if reached == 1 and worst < 1e-9 else 1.0, "reached in two steps": reached}
    metrics |= {"largest difference": worst, "baseline": 1.0}
    yield Step(2, 2, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
