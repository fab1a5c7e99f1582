r"""Multi-task learning: related tasks share a hidden layer, and each learns from the training signals of the others.

R. Caruana, "Multitask Learning", Machine Learning 28, 1997, section 1 (shared hidden layer) and section 2 (extra tasks
that exist for training only).

What it changes against a net for one task: more outputs on the same hidden units, nothing else. The task is whether a
digit is odd, from few examples; the extra outputs say which digit it is, and are not used afterwards. (On Caruana's
parities of bits such a net gained nothing here, so that the demonstration uses the digits.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, seeded

METADATA = {
    "node": "multitask",
    "title": {"en": "Multi-task learning", "zh": "多任务学习"},
    "year": 1997,
    "paper": {"title": "Multitask Learning", "doi": "10.1023/A:1007379606734", "sections": "1 and 2"},
    "parents": ["mlp"],
    "demo": {
        "task": {
            "en": "Odd or even from sixty written digits, alone and beside ten tasks that ask which digit it is",
            "zh": "用六十个手写数字学奇偶判断：单独学，以及与另外十个“是哪个数字”的任务一起学",
        },
        "metric": "test accuracy",
        "target": 0.84,
        "baseline": "the same net with the one task",
        "margin": 0.015,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    rows: int = 60  # digits to learn from
    hidden: int = 32  # shared units
    trials: int = 10  # nets of each kind, trained side by side on different digits
    updates: int = 200  # full passes
    rate: float = 1e-2  # of Adam; the paper used backpropagation with momentum
    decay: float = 0.1  # of the weights


TINY = Config(hidden=8, trials=2, updates=20)
PRESETS: dict[str, Config] = {}


class Nets(nn.Module):
    """K nets side by side: inputs (K, N, D) -> logits (K, N, tasks) through one hidden layer each."""

    def __init__(self, config: Config, tasks: int, inputs: int = 64) -> None:
        super().__init__()
        k, h = config.trials, config.hidden
        self.w, self.b = nn.Parameter(torch.randn(k, inputs, h) * 0.1), nn.Parameter(torch.zeros(k, 1, h))
        self.u, self.c = nn.Parameter(torch.randn(k, h, tasks) / h**0.5), nn.Parameter(torch.zeros(k, 1, tasks))

    def forward(self, x: Tensor) -> Tensor:
        # h = tanh(W x + b), shared by all tasks;   o_t = sigma(u_t . h + c_t), a row u_t for each task
        return torch.tanh(x @ self.w + self.b) @ self.u + self.c


def build(config: Config) -> Nets:
    return Nets(config, tasks=11)


def tasks(y: Tensor) -> Tensor:
    """Of digits (N,): whether it is odd, then whether it is 0, 1, ..., 9 (N, 11)."""
    return torch.cat([y[:, None] % 2 == 1, F.one_hot(y, 10) == 1], 1).float()


def summed_error(logits: Tensor, targets: Tensor) -> Tensor:
    """Of logits (K, N, t) against the first t of the tasks (K, N, 11), each net's own error added up."""
    # E = sum_t E_t: the gradients of all tasks meet in the shared weights
    each = F.binary_cross_entropy_with_logits(logits, targets[..., : logits.shape[-1]], reduction="none")
    return each.mean(1).sum()


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits()
    x, y = split.x.flatten(1), tasks(split.y)  # (N, 64), (N, 11)
    x_test, odd = split.x_test.flatten(1), tasks(split.y_test)[:, 0] > 0
    chosen = torch.stack([torch.randperm(len(x))[: config.rows] for _ in range(config.trials)])  # (K, rows)
    nets = {"baseline": Nets(config, tasks=1), "test accuracy": build(config)}
    optimizers = {
        name: torch.optim.AdamW(net.parameters(), config.rate, weight_decay=config.decay) for name, net in nets.items()
    }
    for update in range(1, config.updates + 1):
        for name, net in nets.items():
            loss = summed_error(net(x[chosen]), y[chosen])
            optimizers[name].zero_grad()
            loss.backward()
            optimizers[name].step()
        if update % max(1, config.updates // 10) == 0:
            with torch.no_grad():
                guesses = {name: net(x_test.expand(config.trials, -1, -1))[..., 0] > 0 for name, net in nets.items()}
            metrics = {name: float((guess == odd).float().mean()) for name, guess in guesses.items()}
            yield Step(update, config.updates, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
