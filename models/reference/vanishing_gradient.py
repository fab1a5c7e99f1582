r"""Vanishing gradients: through many steps of a recurrent net the error fades like a power, and with it all learning.

S. Hochreiter, "Untersuchungen zu dynamischen neuronalen Netzen", diploma thesis, TU Munich, 1991; Y. Bengio, P. Simard
and P. Frasconi, IEEE Transactions on Neural Networks 5(2), 1994; bound as in R. Pascanu et al., arXiv:1211.5063,
section 2.

It is a result about recurrent nets, not a new one. The measurement below led to the LSTM, whose cell with an open
forget gate keeps the error, which is measured beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "vanishing-gradient",
    "title": {"en": "Vanishing gradients", "zh": "梯度消失"},
    "year": 1991,
    "paper": {
        "title": "Untersuchungen zu dynamischen neuronalen Netzen",
        "url": "https://people.idsia.ch/~juergen/SeppHochreiter1991ThesisAdvisorSchmidhuber.pdf",
        "sections": "chapter 4; the bound as in arXiv:1211.5063, section 2.1",
    },
    "parents": ["rnn"],
    "demo": {
        "task": {
            "en": "How much of the error reaches back 50 steps: orders of ten lost by a tanh net and by an LSTM's cell",
            "zh": "误差回传 50 步还剩多少：tanh 网络与 LSTM 记忆单元各损失几个数量级",
        },
        "metric": "orders of ten lost",
        "target": 5.0,
        "baseline": "the same loss along the LSTM's cell with forget gates near one",
        "margin": 3.0,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    hidden: int = 64  # units
    steps: int = 50  # T
    radius: float = 0.8  # largest singular value of the recurrent weights
    bias: float = 5.0  # of the forget gate: sigma(5) = 0.993
    batch: int = 32  # sequences averaged


TINY = Config(hidden=16, batch=4)
PRESETS: dict[str, Config] = {}


class Nets:
    """Recurrent weights of a tanh net (H, H), and of an LSTM (H, 4H)."""

    def __init__(self, config: Config) -> None:
        h = config.hidden
        u = torch.randn(h, h, dtype=torch.float64)
        self.u = config.radius * u / torch.linalg.matrix_norm(u, 2)
        self.gates = torch.randn(h, 4 * h, dtype=torch.float64) * 0.1
        self.bias = torch.zeros(4 * h, dtype=torch.float64)
        self.bias[h : 2 * h] = config.bias

    def tanh_step(self, x: Tensor, h: Tensor) -> Tensor:
        # h_t = tanh(x_t + U h_{t-1});   |dh_T / dh_t| <= prod |U| |diag tanh'| <= radius^(T - t)
        return torch.tanh(x + h @ self.u.T)  # (B, H)

    def lstm_step(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = (h @ self.gates + self.bias).chunk(4, 1)
        # c_t = f c_{t-1} + i g;   dc_t / dc_{t-1} = f + ..., near one
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g + x)
        return torch.sigmoid(o) * torch.tanh(c), c


def build(config: Config) -> Nets:
    return Nets(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    nets = build(config)
    for done, steps in enumerate(range(config.steps // 10, config.steps + 1, config.steps // 10), 1):
        x = 0.3 * torch.randn(steps, config.batch, config.hidden, dtype=torch.float64)
        start = torch.zeros_like(x[0], requires_grad=True)
        h = start
        for t in range(steps):
            h = nets.tanh_step(x[t], h)
        direction = torch.nn.functional.normalize(torch.randn_like(h), dim=1)
        reached = torch.autograd.grad((h * direction).sum(), start)[0].norm(dim=1).mean()
        cell = torch.zeros_like(x[0], requires_grad=True)
        h, c = torch.zeros_like(cell), cell
        for t in range(steps):
            h, c = nets.lstm_step(x[t], h, c)
        kept = torch.autograd.grad((c * direction).sum(), cell)[0].norm(dim=1).mean()
        metrics = {"orders of ten lost": -float(reached.log10()), "steps": steps, "baseline": -float(kept.log10())}
        metrics["analytic bound on what is left"] = config.radius**steps
        yield Step(done, 10, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
