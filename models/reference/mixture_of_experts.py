r"""Mixture of experts: many nets, of which a gate uses only a few for each input.

N. Shazeer et al., "Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer", arXiv:1701.06538,
section 2 (the layer, equations 1 to 5) and 4 (balance, equations 6 and 7); the idea is R. Jacobs et al., "Adaptive
Mixtures of Local Experts", 1991. The layer stands in a LLaMA block, as in A. Jiang et al., "Mixtral of Experts",
arXiv:2401.04088, whose sizes are the presets; there the gate has no noise and a loss of its own does the balancing.

What it changes against the multilayer perceptron: the net has E times the parameters, yet the computation of k of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, llama2, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "mixture-of-experts",
    "title": {"en": "Mixture of experts", "zh": "混合专家模型"},
    "year": 2017,
    "paper": {
        "title": "Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer",
        "arxiv": "1701.06538",
        "sections": "2 and 4, equations 1 to 7",
    },
    "parents": ["mlp", "softmax"],
    "demo": {
        "task": {
            "en": "Learns 1,024 random facts with a net of which each question uses a quarter",
            "zh": "记住 1024 条随机事实，每个问题只用到网络的四分之一",
        },
        "metric": "facts known",
        "target": 0.8,
        "baseline": "the same net with one expert that costs as much computation",
        "margin": 0.2,
    },
    # Mixtral 8x7B and 8x22B as released: the counts of transformers' MixtralForCausalLM under their config.json;
    # the paper says 47B for the first, of which 13B work on a token
    "presets": {"Mixtral 8x7B": 46_702_792_704, "Mixtral 8x22B": 140_620_634_112},
}


@dataclass(frozen=True)
class Config:
    symbols: int = 32  # vocabulary
    width: int = 12  # C
    heads: int = 2  # query heads
    groups: int = 2  # key and value heads
    layers: int = 1  # blocks
    hidden: int = 6  # units of one expert
    experts: int = 8  # E
    active: int = 2  # k experts that work on a token
    noisy: bool = True  # noise in the choice, so that all experts are tried; Mixtral has none
    balance: float = 0.02  # w_importance, weight of the balancing loss
    updates: int = 400  # training steps
    rate: float = 1e-2  # highest learning rate


TINY = Config(experts=4, updates=10)
PRESETS = {
    "Mixtral 8x7B": Config(32_000, 4096, 32, 8, 32, 14_336, 8, 2, noisy=False),
    "Mixtral 8x22B": Config(32_000, 6144, 48, 8, 56, 16_384, 8, 2, noisy=False),
}


class Expert(nn.Module):
    """One gated net: x (N, C) -> (N, C)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate, self.up = nn.Linear(width, hidden, bias=False), nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Mixture(nn.Module):
    """The layer: x (..., C) -> (..., C); `importance` (E,) holds the last call's sum of gates of each expert."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.active = c.active
        self.experts = nn.ModuleList(Expert(c.width, c.hidden) for _ in range(c.experts))
        self.gate = nn.Linear(c.width, c.experts, bias=False)  # W_g
        self.noise = nn.Linear(c.width, c.experts, bias=False) if c.noisy else None
        if self.noise is not None:
            nn.init.zeros_(self.noise.weight)
        self.importance: Tensor | None = None

    def choose(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """For x (N, C) the gates (N, k) and which experts they belong to (N, k)."""
        scores = self.gate(x)  # (N, E)
        if self.noise is not None and self.training:
            # (4)   H(x)_i = (x W_g)_i + StandardNormal() Softplus((x W_noise)_i)
            scores = scores + torch.randn_like(scores) * F.softplus(self.noise(x))
        # (3), (5)   G(x) = Softmax(KeepTopK(H(x), k)): all others are minus infinity, their gates are zero
        top, chosen = scores.topk(self.active, -1)
        return top.softmax(-1), chosen

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(0, -2)  # (..., C) -> (N, C): to the layer all tokens are alike
        gates, chosen = self.choose(flat)
        y, sums = torch.zeros_like(flat), []
        for i, expert in enumerate(self.experts):
            token, place = (chosen == i).nonzero(as_tuple=True)  # which tokens chose it, and as which of their k
            gate = gates[token, place]
            sums.append(gate.sum())
            # (1)   y = sum_i G(x)_i E_i(x); where G(x)_i = 0, E_i is not computed
            y = y.index_add(0, token, gate[:, None] * expert(flat[token]))
        self.importance = torch.stack(sums)  # (6)   Importance(X) = sum over x of G(x)
        return y.reshape(x.shape)

    def loss(self) -> Tensor:
        # (7)   L_importance = w CV(Importance)^2, the coefficient of variation
        assert self.importance is not None
        return self.importance.var(unbiased=False) / self.importance.mean().square()


class Block(llama2.Block):
    """A LLaMA block whose feed-forward net is a mixture."""

    def __init__(self, config: Config) -> None:
        c = config
        super().__init__(llama2.Config(c.symbols, c.width, c.heads, c.groups, c.layers, c.hidden))
        del self.gate, self.up, self.down
        self.mixture = Mixture(c)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attend(self.norm1(x))
        return x + self.mixture(self.norm2(x))  # (B, T, C)


class Mixtral(nn.Module):
    """Ids (B, T) -> logits of the next one (B, T, V)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.tokens, self.head = nn.Embedding(c.symbols, c.width), nn.Linear(c.width, c.symbols, bias=False)
        self.blocks, self.norm = nn.ModuleList(Block(c) for _ in range(c.layers)), llama2.RMSNorm(c.width, 1e-5)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids)  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def build(config: Config) -> Mixtral:
    return Mixtral(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    c = config
    # a fact: two symbols are followed by a third, drawn at random once and for all
    questions = torch.cartesian_prod(torch.arange(32), torch.arange(32))  # (1024, 2)
    answers = torch.randint(c.symbols, (len(questions),))
    dense = replace(c, experts=1, active=1, hidden=c.active * c.hidden, noisy=False)
    models = {"facts known": build(c), "baseline": build(dense)}
    optimizers = {name: torch.optim.Adam(model.parameters(), c.rate) for name, model in models.items()}
    rates = [torch.optim.lr_scheduler.OneCycleLR(o, c.rate, total_steps=c.updates) for o in optimizers.values()]
    for update in range(1, c.updates + 1):
        for name, model in models.items():
            loss = F.cross_entropy(model(questions)[:, -1], answers)
            if len(model.blocks[0].mixture.experts) > 1:
                loss = loss + c.balance * sum(block.mixture.loss() for block in model.blocks)
            optimizers[name].zero_grad()
            loss.backward()
            optimizers[name].step()
        for rate in rates:
            rate.step()
        if update % max(1, c.updates // 10) == 0:
            metrics = {}
            for name, model in models.items():
                model.eval()
                with torch.no_grad():
                    metrics[name] = float((model(questions)[:, -1].argmax(-1) == answers).float().mean())
                model.train()
            load = models["facts known"].blocks[0].mixture.importance
            shares = (load / load.sum()).tolist()
            sample = "shares of the experts: " + " ".join(f"{share:.2f}" for share in shares)
            yield Step(update, c.updates, metrics | {"largest share": max(shares)}, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
