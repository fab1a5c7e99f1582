r"""Deep Q-network: a network reads a picture and says what each move is worth, learned from replayed memories.

V. Mnih et al., "Playing Atari with Deep Reinforcement Learning", arXiv:1312.5602, section 3 (equations 1 to 3), section
4 (replay, algorithm 1); with a target network: "Human-level Control through Deep Reinforcement Learning", Nature 518,
2015, which also names the sizes of the larger net.

What it changes against Q-learning: the table becomes a convolutional network on pixels. Memories are replayed in random
order and the target is held still for a while, or the network would chase itself.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "dqn",
    "title": {"en": "Deep Q-network (DQN)", "zh": "深度 Q 网络（DQN）"},
    "year": 2013,
    "paper": {
        "title": "Playing Atari with Deep Reinforcement Learning",
        "arxiv": "1312.5602",
        "sections": "3, equations 1 to 3; 4, algorithm 1; Mnih et al. 2015",
    },
    "parents": ["reinforcement_learning", "cnn"],
    "demo": {
        "task": {
            "en": "A ball falls through a picture of 8x7; the paddle below must be under it, judged from pixels alone",
            "zh": "小球在 8x7 的画面中落下，只看像素，移动下方的挡板把它接住",
        },
        "metric": "balls caught",
        "target": 0.9,
        "baseline": "a paddle that moves at random",
        "margin": 0.4,
    },
    # section 4.1 of the 2013 paper: conv 16 of 8x8 stride 4, 32 of 4x4 stride 2, 256 units, on 84x84x4; and Nature's
    # 32 of 8x8 stride 4, 64 of 4x4 stride 2, 64 of 3x3 stride 1, 512 units: both summed from those shapes, for 18 moves
    "presets": {"2013": 680_770, "Nature 2015": 1_693_362},
}


@dataclass(frozen=True)
class Config:
    height: int = 8  # rows of the picture
    width: int = 7  # columns
    frames: int = 1  # pictures seen at once; 4 in the paper
    convolutions: tuple[tuple[int, int, int], ...] = ((16, 3, 1),)  # maps, side, stride
    hidden: int = 64  # units
    moves: int = 3  # left, stay, right
    games: int = 32  # played side by side
    updates: int = 1800  # steps of all games, one gradient step each
    memory: int = 16_000  # transitions kept
    batch: int = 128  # replayed a step
    gamma: float = 0.9  # discount
    hold: int = 30  # steps the target stays the same
    rate: float = 2e-3  # of Adam; the paper used RMSProp


TINY = Config(hidden=16, updates=20, games=8)
PRESETS = {
    "2013": Config(84, 84, 4, ((16, 8, 4), (32, 4, 2)), 256, 18),
    "Nature 2015": Config(84, 84, 4, ((32, 8, 4), (64, 4, 2), (64, 3, 1)), 512, 18),
}


class QNetwork(nn.Module):
    """Pictures (B, frames, H, W) -> the worth of each move (B, moves)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        maps, h, w = config.frames, config.height, config.width
        for out, side, stride in config.convolutions:
            layers += [nn.Conv2d(maps, out, side, stride), nn.ReLU()]
            maps, h, w = out, (h - side) // stride + 1, (w - side) // stride + 1
        self.see = nn.Sequential(*layers, nn.Flatten())
        self.hidden, self.out = nn.Linear(maps * h * w, config.hidden), nn.Linear(config.hidden, config.moves)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.relu(self.hidden(self.see(x))))


class Catch:
    """Many games at once: ball (B, 2) as row and column, paddle column (B,)."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.row = torch.randint(config.height - 1, (config.games,))
        self.column, self.paddle = torch.randint(config.width, (2, config.games))

    def picture(self) -> Tensor:
        """(B, 1, H, W)."""
        x = torch.zeros(len(self.row), 1, self.config.height, self.config.width)
        games = torch.arange(len(self.row))
        x[games, 0, self.row, self.column] = 1
        x[games, 0, -1, self.paddle] = 1
        return x

    def play(self, move: Tensor) -> tuple[Tensor, Tensor]:
        """Move all paddles; the reward (B,) is 1 or -1 where a ball reached the bottom, and a new one starts there."""
        self.paddle = (self.paddle + move - 1).clamp(0, self.config.width - 1)
        self.row = self.row + 1
        over = self.row == self.config.height - 1
        reward = over * torch.where(self.column == self.paddle, 1.0, -1.0)
        self.row = torch.where(over, 0, self.row)
        self.column = torch.where(over, torch.randint(self.config.width, over.shape), self.column)
        return reward, over


def build(config: Config) -> QNetwork:
    return QNetwork(config)


@torch.no_grad()
def caught(net: QNetwork | None, config: Config, steps: int = 60) -> float:
    """Share of the balls caught by a net that takes the best move, or at random."""
    game, won, lost = Catch(config), 0.0, 0.0
    for _ in range(steps):
        move = torch.randint(3, game.row.shape) if net is None else net(game.picture()).argmax(1)
        reward, _ = game.play(move)
        won, lost = won + float((reward > 0).sum()), lost + float((reward < 0).sum())
    return won / max(1.0, won + lost)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    net, game = build(config), Catch(config)
    target = copy.deepcopy(net)
    optimizer = torch.optim.Adam(net.parameters(), config.rate)
    size = config.memory // config.games  # steps kept; pictures as (steps, B, 1, H, W), the rest as (steps, B)
    kept = torch.zeros(2, size, config.games, 1, config.height, config.width)
    told = torch.zeros(3, size, config.games)
    baseline = caught(None, config)
    for update in range(1, config.updates + 1):
        # algorithm 1: with probability epsilon a random move, else the best
        epsilon = max(0.05, 1 - 2 * update / config.updates)
        before = game.picture()
        with torch.no_grad():
            move = net(before).argmax(1)
        move = torch.where(torch.rand(config.games) < epsilon, torch.randint(3, (config.games,)), move)
        reward, over = game.play(move)
        at = (update - 1) % size
        kept[0, at], kept[1, at] = before, game.picture()
        told[:, at] = torch.stack([move.float(), reward, over.float()])
        pick, one = torch.randint(min(update, size), (config.batch,)), torch.randint(config.games, (config.batch,))
        (x, x_next), (a, r, end) = kept[:, pick, one], told[:, pick, one]
        with torch.no_grad():
            # y_j = r_j, or r_j + gamma max_a' Q(phi_{j+1}, a'; theta^-) where the game goes on
            y = r + config.gamma * (1 - end) * target(x_next).max(1).values
        # (3)   grad_theta L = E (y - Q(s, a; theta)) grad_theta Q(s, a; theta)
        loss = F.smooth_l1_loss(net(x).gather(1, a.long()[:, None])[:, 0], y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update % config.hold == 0:
            target.load_state_dict(net.state_dict())
        if update % max(1, config.updates // 12) == 0 or update == config.updates:
            metrics = {"balls caught": caught(net, config), "loss": float(loss.detach()), "baseline": baseline}
            picture = (game.picture()[:6, 0] * 255).byte().permute(1, 0, 2).flatten(1).numpy()
            yield Step(update, config.updates, metrics, picture=picture.repeat(6, 0).repeat(6, 1))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
