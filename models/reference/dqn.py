r"""DQN: a convolutional net learns the worth of each action from the screen alone.

V. Mnih et al., "Playing Atari with Deep Reinforcement Learning", arXiv:1312.5602, equations 2 and 3, algorithm 1,
section 4.1; V. Mnih et al., "Human-level control through deep reinforcement learning", Nature 518, 2015, methods
(the larger net and the target network used here).

What it changes against Q-learning: a net in place of the table. Two devices keep it from running away: steps are
replayed in random order from a memory, and the target comes from a copy of the net that is renewed now and then.
"""

from __future__ import annotations

import copy
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "dqn",
    "title": {"en": "Deep Q-network", "zh": "深度 Q 网络"},
    "year": 2013,
    "paper": {
        "title": "Playing Atari with Deep Reinforcement Learning",
        "arxiv": "1312.5602",
        "sections": "equations 2 and 3, algorithm 1; Nature 2015, methods",
    },
    "parents": ["reinforcement_learning", "cnn"],
    "demo": {
        "task": {
            "en": "A falling ball is caught with a paddle, seen only as pixels",
            "zh": "只看像素，用挡板接住下落的球",
        },
        "metric": "share caught",
        "target": 0.8,
        "baseline": "actions at random",
        "margin": 0.4,
    },
    # the layers as both papers state them, on 4 frames of 84 x 84 and with biases. 2015: 8,224 + 32,832 + 36,928 +
    # 1,606,144 + 513 n; 2013: 4,112 + 8,224 + 663,808 + 257 n, n the actions: 4 in Breakout, 18 at most
    "presets": {"2015 Breakout": 1_686_180, "2015 18 actions": 1_693_362, "2013 Breakout": 677_172},
}


@dataclass(frozen=True)
class Config:
    frames: int = 2  # last screens seen at once
    screen: int = 7  # pixels a side
    actions: int = 3  # left, stay, right
    layers: tuple[tuple[int, int, int], ...] = ((16, 3, 1), (16, 3, 1))  # channels, kernel, stride
    hidden: int = 64  # units of the dense layer
    steps: int = 3000  # of play
    memory: int = 4000  # N steps kept
    batch: int = 32  # replayed at each update
    every: int = 1  # steps of play between updates
    renew: int = 50  # C updates between copies to the target network
    discount: float = 0.95  # gamma
    explore: float = 0.05  # epsilon in the end, from 1 at first
    rate: float = 1e-3  # of Adam (the papers: RMSProp)


TINY = Config(steps=400, renew=20)
_NATURE = ((32, 8, 4), (64, 4, 2), (64, 3, 1))
PRESETS = {
    "2015 Breakout": Config(4, 84, 4, _NATURE, 512),
    "2015 18 actions": Config(4, 84, 18, _NATURE, 512),
    "2013 Breakout": Config(4, 84, 4, ((16, 8, 4), (32, 4, 2)), 256),
}


class DQN(nn.Module):
    """Screens (B, frames, S, S) in [0, 1] -> worth of each action (B, A)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels, size = config.frames, config.screen
        layers: list[nn.Module] = []
        for out, kernel, stride in config.layers:
            layers += [nn.Conv2d(channels, out, kernel, stride), nn.ReLU()]
            channels, size = out, (size - kernel) // stride + 1
        self.convolutions = nn.Sequential(*layers)
        self.hidden = nn.Linear(channels * size * size, config.hidden)
        self.out = nn.Linear(config.hidden, config.actions)

    def forward(self, x: Tensor) -> Tensor:
        # (B, F, S, S) -> (B, C, s, s) -> (B, C s s) -> (B, H) -> (B, A)
        return self.out(F.relu(self.hidden(self.convolutions(x).flatten(1))))


class Catch:
    """A ball falls one row a step; +1 if the paddle in the last row is under it in the end, else -1."""

    def __init__(self, size: int, frames: int, rng: random.Random) -> None:
        self.size, self.frames, self.rng = size, frames, rng
        self.reset()

    def reset(self) -> None:
        self.row, self.column, self.paddle = 0, self.rng.randrange(self.size), self.size // 2
        self.seen = deque([self._draw()] * self.frames, self.frames)

    def _draw(self) -> Tensor:
        screen = torch.zeros(self.size, self.size)
        screen[self.row, self.column] = screen[-1, self.paddle] = 1
        return screen

    def see(self) -> Tensor:
        """The last frames (F, S, S)."""
        return torch.stack(list(self.seen))

    def step(self, action: int) -> tuple[float, bool]:
        """Move the paddle by action - 1; the reward and whether the ball has arrived."""
        self.paddle = min(max(self.paddle + action - 1, 0), self.size - 1)
        self.row += 1
        self.seen.append(self._draw())
        over = self.row == self.size - 1
        return (1.0 if self.column == self.paddle else -1.0) if over else 0.0, over


def loss_of(q: DQN, target: DQN, batch: tuple[Tensor, ...], discount: float) -> Tensor:
    """The error of a batch: screens, actions, rewards, ends and the screens that followed."""
    seen, action, reward, ended, after = batch
    with torch.no_grad():
        # y_j = r_j at an end, else r_j + gamma max_a' Q(phi_{j+1}, a'; theta^-)
        y = reward + discount * (1 - ended) * target(after).max(1)[0]
    # (2)   L(theta) = E[(y - Q(s, a; theta))^2], the error clipped to [-1, 1] in its gradient as in the methods of 2015
    return F.smooth_l1_loss(q(seen).gather(1, action[:, None])[:, 0], y)


@torch.no_grad()
def caught(q: DQN | None, config: Config, rng: random.Random, balls: int = 100) -> float:
    """Share of balls caught greedily, or by actions at random where there is no net."""
    games, hits = [Catch(config.screen, config.frames, rng) for _ in range(balls)], 0
    for _ in range(config.screen - 1):
        if q is None:
            actions = [rng.randrange(config.actions) for _ in games]
        else:
            actions = q(torch.stack([game.see() for game in games])).argmax(1).tolist()
        hits = sum(game.step(action)[0] > 0 for game, action in zip(games, actions, strict=True))
    return hits / balls


def build(config: Config) -> DQN:
    return DQN(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    rng, q = random.Random(seed), build(config)
    target, optimizer = copy.deepcopy(q), torch.optim.Adam(q.parameters(), config.rate)
    memory: deque[tuple[Tensor, ...]] = deque(maxlen=config.memory)
    game, baseline, updates = Catch(config.screen, config.frames, rng), caught(None, config, rng, 1000), 0
    for step in range(1, config.steps + 1):
        seen = game.see()
        # epsilon falls linearly over the first third
        if rng.random() < max(config.explore, 1 - 3 * step / config.steps):
            action = rng.randrange(config.actions)
        else:
            with torch.no_grad():
                action = int(q(seen[None]).argmax())
        reward, over = game.step(action)
        numbers = torch.tensor(action), torch.tensor(reward), torch.tensor(float(over))
        memory.append((seen, *numbers, game.see()))
        if over:
            game.reset()
        if step >= config.batch and step % config.every == 0:
            chosen = [memory[rng.randrange(len(memory))] for _ in range(config.batch)]
            loss = loss_of(q, target, tuple(torch.stack(part) for part in zip(*chosen, strict=True)), config.discount)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            updates += 1
            if updates % config.renew == 0:
                target.load_state_dict(q.state_dict())
        if step % (config.steps // 10) == 0:
            share = caught(q, config, rng, 400 if step == config.steps else 100)
            picture = (game.see()[-1] * 255).byte().numpy().repeat(8, 0).repeat(8, 1)
            metrics = {"share caught": share, "loss": float(loss.detach()), "baseline": baseline}
            yield Step(step, config.steps, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
