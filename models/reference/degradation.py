r"""The degradation problem: more plain layers, and even the training error rises.

K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image Recognition", arXiv:1512.03385, section 1 (figure
1) and section 4.2 (CIFAR-10, figure 6). A deeper net could copy a shallower one and set its further layers to the
identity, so its training error need not be higher; yet the optimiser does not find that solution.

It is an observation, not a model: plain nets of two depths are trained alike, and the residual net of the larger depth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import accuracy, digits, minibatches, seeded
from ailineage.models.reference.resnet import Config as NetConfig
from ailineage.models.reference.resnet import ResNet

METADATA = {
    "node": "degradation",
    "title": {"en": "Degradation problem", "zh": "深层网络的退化问题"},
    "year": 2015,
    "paper": {
        "title": "Deep Residual Learning for Image Recognition",
        "arxiv": "1512.03385",
        "sections": "1, figure 1; 4.2, figure 6",
    },
    "parents": ["resnet", "batchnorm"],
    "demo": {
        "task": {
            "en": "Training accuracy that 41 plain layers lose against 9, and what residual ones lose",
            "zh": "41 层的普通网络比 9 层的少多少训练准确率，残差网络又少多少",
        },
        "metric": "training accuracy lost by depth",
        "target": 0.1,
        "baseline": "the loss with residual connections",
        "margin": 0.1,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    shallow: tuple[int, ...] = (2, 1, 1)  # blocks a stage; two layers each, and one before them: 9
    deep: tuple[int, ...] = (7, 7, 6)  # 41 layers
    width: int = 8  # maps of the first stage
    examples: int = 700  # digits to learn
    epochs: int = 5  # passes
    rate: float = 2e-3  # of Adam


TINY = Config(shallow=(1, 1), deep=(2, 2), width=4, examples=100, epochs=1)
PRESETS: dict[str, Config] = {}


def build(config: Config, blocks: tuple[int, ...] | None = None, residual: bool = False) -> ResNet:
    """A net without or with shortcuts, of the larger depth unless said."""
    return ResNet(NetConfig(blocks or config.deep, config.width, residual=residual))


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits().first(config.examples)
    nets = {
        "plain, shallow": build(config, config.shallow),
        "plain, deep": build(config),
        "residual, shallow": build(config, config.shallow, residual=True),
        "residual, deep": build(config, residual=True),
    }
    reached: dict[str, float] = {}
    total = len(nets) * config.epochs
    done = 0
    for name, net in nets.items():
        optimizer = torch.optim.Adam(net.parameters(), config.rate)
        for _ in range(config.epochs):
            for index in minibatches(len(split.x), 32):
                loss = F.cross_entropy(net(split.x[index]), split.y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            done += 1
            if done < total:
                yield Step(done, total, {f"training loss, {name}": float(loss.detach())})
        reached[name] = accuracy(net, split.x, split.y)
    # a deeper net's training error need not be higher; what it is higher by is the degradation
    lost = reached["plain, shallow"] - reached["plain, deep"]
    kept = reached["residual, shallow"] - reached["residual, deep"]
    yield Step(total, total, {**reached, "training accuracy lost by depth": lost, "baseline": kept})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
