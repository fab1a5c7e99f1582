r"""Dropout: train a different thinned net at every step, so that no unit relies on another's company.

G. E. Hinton, N. Srivastava, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Improving neural networks by preventing
co-adaptation of feature detectors", arXiv:1207.0580; N. Srivastava et al., JMLR 15, 2014, section 4 (the equations).

What it changes against the multilayer perceptron: hidden units are left out at random while training. At test time all
work, which averages exponentially many nets. It helps most where examples are few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import classify, digits, seeded

METADATA = {
    "node": "dropout",
    "title": {"en": "Dropout", "zh": "随机失活"},
    "year": 2012,
    "paper": {
        "title": "Improving neural networks by preventing co-adaptation of feature detectors",
        "arxiv": "1207.0580",
        "sections": "the whole; equations as in Srivastava et al. 2014, section 4",
    },
    "parents": ["mlp"],
    "demo": {
        "task": {
            "en": "A wide net and 300 digits, some mislabelled, with dropout and without; mean over several starts",
            "zh": "宽网络只用 300 个手写数字学习，其中三成标签是错的，比较有无随机失活；取多次初始化的平均",
        },
        "metric": "test accuracy",
        "target": 0.8,
        "baseline": "the same nets without dropout, from the same starts",
        "margin": 0.03,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    hidden: int = 300  # units in each of two hidden layers
    keep: float = 0.5  # p, the probability that a hidden unit is present
    keep_input: float = 0.8  # the same for a pixel
    examples: int = 300  # training digits
    wrong: float = 0.3  # share of them with a random label
    epochs: int = 40  # passes over them
    starts: int = 3  # random starts averaged
    rate: float = 1e-3  # of Adam


TINY = Config(hidden=100, epochs=5, starts=1)
PRESETS: dict[str, Config] = {}


class Dropout(nn.Module):
    """Keeps each number with probability `keep` while training."""

    def __init__(self, keep: float) -> None:
        super().__init__()
        self.keep = keep

    def forward(self, y: Tensor) -> Tensor:
        if not self.training:
            return y
        # r_j ~ Bernoulli(p),   y~ = r * y; dividing by p now is multiplying the weights by p at test time
        r = torch.bernoulli(torch.full_like(y, self.keep))
        return r * y / self.keep


def build(config: Config) -> nn.Sequential:
    h = config.hidden
    hidden = [nn.Linear(64, h), nn.ReLU(), Dropout(config.keep), nn.Linear(h, h), nn.ReLU(), Dropout(config.keep)]
    return nn.Sequential(nn.Flatten(), Dropout(config.keep_input), *hidden, nn.Linear(h, 10))


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits().first(config.examples)
    labels = torch.where(torch.rand(len(split.y)) < config.wrong, torch.randint(10, split.y.shape), split.y)
    split = split._replace(y=labels)
    reached: dict[bool, list[float]] = {True: [], False: []}
    done, total = 0, 2 * config.starts
    for start in range(config.starts):
        for dropping in (False, True):
            torch.manual_seed(1000 * seed + start)
            model = build(config if dropping else replace(config, keep=1.0, keep_input=1.0))
            optimizer = torch.optim.Adam(model.parameters(), config.rate)
            for _, loss, accuracy in classify(model, split, config.epochs, optimizer, batch=30):
                last_loss, last = loss, accuracy
            reached[dropping].append(last)
            done += 1
            metrics = {"training loss": last_loss, "baseline": sum(reached[False]) / len(reached[False])}
            if reached[True]:
                metrics["test accuracy"] = sum(reached[True]) / len(reached[True])
            yield Step(done, total, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
