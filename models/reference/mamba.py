r"""Mamba: a state space whose dynamics depend on what it reads, instead of attention.

A. Gu, T. Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", arXiv:2312.00752, section 2 (the
state space), 3.2 (selection, algorithm 2), 3.3 (the scan), 3.4 (the block, figure 3), 4.1.1 (selective copying).

What it changes against the LSTM: the state is linear in itself, so that all steps can be computed by one parallel
scan, yet its gates (theorem 1) remain, as a step size computed from the token: a large one overwrites, a small one
ignores. What it changes against S4, its forerunner: there the step size and the matrices B and C were constants.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "mamba",
    "title": {"en": "Mamba", "zh": "Mamba（选择性状态空间模型）"},
    "year": 2023,
    "paper": {
        "title": "Mamba: Linear-Time Sequence Modeling with Selective State Spaces",
        "arxiv": "2312.00752",
        "sections": "2, 3.2 to 3.4, equations 1 to 4, algorithm 2, 4.1.1",
    },
    "parents": ["lstm"],
    "demo": {
        "task": {
            "en": "Selective copying: at each letter name the letter before it, however much filler lies between",
            "zh": "选择性复制：读到字母时说出上一个字母，无论中间隔着多少填充符",
        },
        "metric": "letters right",
        "target": 0.95,
        "baseline": "the same net with step size, B and C constant, as in S4",
        "margin": 0.1,
    },
    # the released checkpoints state-spaces/mamba-130m, -370m, -790m, -1.4b and -2.8b: the counts of transformers'
    # MambaForCausalLM under their config.json (50,277 tokens, padded to 50,280; input and output embedding shared)
    "presets": {
        "130M": 129_135_360,
        "370M": 371_516_416,
        "790M": 793_204_224,
        "1.4B": 1_372_178_432,
        "2.8B": 2_768_345_600,
    },
}


@dataclass(frozen=True)
class Config:
    symbols: int = 10  # vocabulary: filler and nine letters
    width: int = 16  # C
    layers: int = 1  # blocks
    state: int = 4  # N numbers a channel remembers; 16 in the paper
    expand: int = 2  # E = expand * C channels inside a block
    reach: int = 4  # tokens the short convolution sees
    selective: bool = True  # False: step size, B and C are constants (S4)
    length: int = 32  # T in the demonstration
    filler: float = 0.85  # share of filler
    updates: int = 450  # training steps
    batch: int = 8  # examples an update
    rate: float = 1e-2  # highest learning rate


TINY = Config(length=16, updates=10)
PRESETS = {
    "130M": Config(50_280, 768, 24, 16),
    "370M": Config(50_280, 1024, 48, 16),
    "790M": Config(50_280, 1536, 48, 16),
    "1.4B": Config(50_280, 2048, 48, 16),
    "2.8B": Config(50_280, 2560, 64, 16),
}


def scan(a: Tensor, b: Tensor) -> Tensor:
    """All h_t = a_t h_{t-1} + b_t with h_0 = 0, for a, b (B, T, ...), in log2(T) parallel rounds.

    The pairs compose associatively: (a, b) then (a', b') is (a' a, a' b + b').
    """
    T, reach = a.shape[1], 1
    while reach < T:
        b = torch.cat([b[:, :reach], b[:, reach:] + a[:, reach:] * b[:, :-reach]], 1)
        a = torch.cat([a[:, :reach], a[:, reach:] * a[:, :-reach]], 1)
        reach *= 2
    return b


class Selective(nn.Module):
    """The state space layer S6: x (B, T, E) -> (B, T, E)."""

    def __init__(self, channels: int, state: int, rank: int, selective: bool) -> None:
        super().__init__()
        E, N = channels, state
        self.sizes, self.selective = (rank, N, N), selective
        self.to_step, self.step = nn.Linear(E, rank + 2 * N, bias=False), nn.Linear(rank, E)
        if not selective:
            self.constant = nn.Parameter(torch.randn(rank + 2 * N))
        # A = -(1, ..., N) in every channel (S4D-Real); its logarithm is learned, so that A stays negative
        self.log_a = nn.Parameter(torch.arange(1.0, N + 1).log().repeat(E, 1))  # (E, N)
        self.skip = nn.Parameter(torch.ones(E))  # D
        # section 3.6: softplus(bias) is spread over [0.001, 0.1]
        step = torch.exp(torch.rand(E) * math.log(100) + math.log(0.001))
        self.step.bias = nn.Parameter(step + torch.log(-torch.expm1(-step)))
        nn.init.uniform_(self.step.weight, -(rank**-0.5), rank**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        # algorithm 2   B = s_B(x), C = s_C(x), Delta = softplus(parameter + s_Delta(x))
        chosen = self.to_step(x) if self.selective else self.constant.expand(*x.shape[:2], -1)
        rank, b, c = chosen.split(self.sizes, -1)  # (B, T, R), (B, T, N), (B, T, N)
        delta = F.softplus(self.step(rank))[..., None]  # (B, T, E, 1)
        # (4)   A_bar = exp(Delta A),   B_bar = Delta B (the released code's simplification of the zero-order hold)
        a_bar = (delta * -self.log_a.exp()).exp()  # (B, T, E, N)
        # (2a)   h_t = A_bar h_{t-1} + B_bar x_t
        h = scan(a_bar, delta * b[:, :, None] * x[..., None])  # (B, T, E, N)
        # (2b)   y_t = C h_t + D x_t
        return (h * c[:, :, None]).sum(-1) + self.skip * x  # (B, T, E)


class Block(nn.Module):
    """Figure 3: convolution and state space on one branch, a gate on the other; attention and net in one."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c, E = config, config.expand * config.width
        self.norm = nn.RMSNorm(c.width, eps=1e-5)
        self.enter, self.leave = nn.Linear(c.width, 2 * E, bias=False), nn.Linear(E, c.width, bias=False)
        self.conv = nn.Conv1d(E, E, c.reach, groups=E, padding=c.reach - 1)
        self.space = Selective(E, c.state, math.ceil(c.width / 16), c.selective)

    def forward(self, x: Tensor) -> Tensor:
        T = x.shape[1]
        y, gate = self.enter(self.norm(x)).chunk(2, -1)  # (B, T, E) each
        y = F.silu(self.conv(y.transpose(1, 2))[..., :T].transpose(1, 2))  # cut: token t sees t - 3 .. t
        return x + self.leave(self.space(y) * F.silu(gate))  # (B, T, C)


class Mamba(nn.Module):
    """Ids (B, T) -> logits of the next one (B, T, V)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.tokens, self.norm = nn.Embedding(c.symbols, c.width), nn.RMSNorm(c.width, eps=1e-5)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.layers))
        nn.init.normal_(self.tokens.weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids)
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.tokens.weight.T


def copying(count: int, config: Config) -> tuple[Tensor, Tensor]:
    """Letters 1.. among filler 0, (count, T); the targets are the letter before at each letter, else -100."""
    letters = torch.randint(1, config.symbols, (count, config.length))
    marked = torch.rand(count, config.length) >= config.filler
    marked[:, 0] = True
    place = torch.where(marked, torch.arange(config.length), 0).cummax(1).values  # of the letter read last
    last = letters.gather(1, place)
    before = torch.where(marked[:, 1:], last[:, :-1], -100)
    return letters * marked, torch.cat([torch.full((count, 1), -100), before], 1)


def build(config: Config) -> Mamba:
    return Mamba(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    c = config
    models = {"letters right": build(c), "baseline": build(replace(c, selective=False))}
    optimizers = {name: torch.optim.AdamW(model.parameters(), c.rate) for name, model in models.items()}
    rates = [torch.optim.lr_scheduler.OneCycleLR(o, c.rate, total_steps=c.updates) for o in optimizers.values()]
    x_test, y_test = copying(200, c)
    asked = y_test != -100
    for update in range(1, c.updates + 1):
        x, y = copying(c.batch, c)
        for name, model in models.items():
            loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
            optimizers[name].zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizers[name].step()
        for rate in rates:
            rate.step()
        if update % (c.updates // 10) == 0:
            with torch.no_grad():
                guesses = {name: model(x_test).argmax(-1) for name, model in models.items()}
            metrics = {name: float((guess == y_test)[asked].float().mean()) for name, guess in guesses.items()}
            shown = "".join(".abcdefghi"[int(i)] for i in x_test[0])
            answer = "".join(".abcdefghi"[int(i)] for i in guesses["letters right"][0] * asked[0])
            yield Step(update, c.updates, metrics, sample=f"reads   {shown}\nanswers {answer}")


if __name__ == "__main__":
    raise SystemExit(main(__file__))
