r"""Multi-task learning: related tasks share a hidden layer, and each learns from the training signals of the others.

R. Caruana, "Multitask Learning", Machine Learning 28, 1997; the four tasks on eight bits are those of its companion at
ICML 1993 ("Multitask Learning: A Knowledge-Based Source of Inductive Bias"):
    task 1 = B1 or parity(B2 ... B6)         task 2 = not B1 or parity(B2 ... B6)
    task 3 = B1 and parity(B2 ... B6)        task 4 = not B1 and parity(B2 ... B6)

What it changes against a net for one task: more outputs on the same hidden units, nothing else. Where B1 is set, task 1
says nothing about the parity it needs; the other tasks do. The extra outputs are not used afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "multitask",
    "title": {"en": "Multi-task learning", "zh": "多任务学习"},
    "year": 1997,
    "paper": {"title": "Multitask Learning", "doi": "10.1023/A:1007379606734", "sections": "1 to 3"},
    "parents": ["mlp"],
    "demo": {
        "task": {
            "en": "B1 or parity(B2 ... B6) from part of all rows, alone and beside three tasks with the same parity",
            "zh": "用部分样本学“B1 或 B2 至 B6 的奇偶”，单独学与同另三个含同一奇偶的任务一起学",
        },
        "metric": "test accuracy where parity decides",
        "target": 0.8,
        "baseline": "the same net with the one task",
        "margin": 0.05,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    rows: int = 160  # of the 256 rows of eight bits to learn from; the others test
    hidden: int = 32  # shared units
    trials: int = 12  # nets of each kind, trained side by side on different rows
    updates: int = 1500  # full passes
    rate: float = 1e-2  # of Adam; the paper used backpropagation with momentum
    decay: float = 3e-3  # of the weights


TINY = Config(hidden=8, trials=2, updates=50)
PRESETS: dict[str, Config] = {}


class Nets(nn.Module):
    """K nets side by side: inputs (K, N, D) -> logits (K, N, tasks) through one hidden layer each."""

    def __init__(self, config: Config, tasks: int, inputs: int = 8) -> None:
        super().__init__()
        k, h = config.trials, config.hidden
        self.w, self.b = nn.Parameter(torch.randn(k, inputs, h) * 0.5), nn.Parameter(torch.randn(k, 1, h) * 0.5)
        self.u, self.c = nn.Parameter(torch.randn(k, h, tasks) / h**0.5), nn.Parameter(torch.zeros(k, 1, tasks))

    def forward(self, x: Tensor) -> Tensor:
        # h = tanh(W x + b), shared by all tasks;   o_t = sigma(u_t . h + c_t), a row u_t for each task
        return torch.tanh(x @ self.w + self.b) @ self.u + self.c


def build(config: Config) -> Nets:
    return Nets(config, tasks=4)


def tasks() -> tuple[Tensor, Tensor]:
    """All rows of eight bits as +1 and -1 (256, 8), and the four tasks (256, 4)."""
    bits = (torch.arange(256)[:, None] >> torch.arange(8)) & 1  # (256, 8)
    first, parity = bits[:, 0] == 1, bits[:, 1:6].sum(1) % 2 == 1
    targets = torch.stack([first | parity, ~first | parity, first & parity, ~first & parity], 1)
    return bits * 2.0 - 1, targets.float()


def judged(nets: Nets, x: Tensor, y: Tensor, rows: Tensor) -> float:
    """Accuracy of task 1 on rows (K, M) where B1 = 0, so that parity alone decides."""
    with torch.no_grad():
        right = (nets(x[rows])[..., 0] > 0) == (y[rows][..., 0] > 0)  # (K, M)
    decides = x[rows][..., 0] < 0
    return float(right[decides].float().mean())


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    x, y = tasks()
    order = torch.stack([torch.randperm(256) for _ in range(config.trials)])  # (K, 256)
    train, test = order[:, : config.rows], order[:, config.rows :]
    nets = {"baseline": Nets(config, tasks=1), METADATA["demo"]["metric"]: build(config)}  # type: ignore[index]
    optimizers = {
        name: torch.optim.AdamW(net.parameters(), config.rate, weight_decay=config.decay) for name, net in nets.items()
    }
    for update in range(1, config.updates + 1):
        for name, net in nets.items():
            out = net(x[train])  # (K, N, tasks)
            # E = sum_t E_t: the gradients of all tasks meet in the shared weights
            each = F.binary_cross_entropy_with_logits(out, y[train][..., : out.shape[-1]], reduction="none")
            loss = each.mean(1).sum()
            optimizers[name].zero_grad()
            loss.backward()
            optimizers[name].step()
        if update % max(1, config.updates // 15) == 0:
            metrics = {name: judged(net, x, y, test) for name, net in nets.items()}
            yield Step(update, config.updates, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
