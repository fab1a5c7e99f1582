r"""AlphaZero: a network proposes moves, a tree search improves on them, and the network learns what the search found.

D. Silver et al., "Mastering Chess and Shogi by Self-Play with a General Reinforcement Learning Algorithm",
arXiv:1712.01815 (equation 1; the search, the noise and the exploration constant under "Methods" and in table S3), with
the residual net of D. Silver et al., "Mastering the Game of Go without Human Knowledge", Nature 550, 2017.

What it changes against self-play: no move is learned from directly. Each position is searched first, by a tree that
follows the network's prior and the values it has found, and the counts of its visits are the lesson.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import Board, outcome, perfect, placed, score_games, seeded

METADATA = {
    "node": "alphazero",
    "title": {"en": "AlphaZero", "zh": "AlphaZero"},
    "year": 2017,
    "paper": {
        "title": "Mastering Chess and Shogi by Self-Play with a General Reinforcement Learning Algorithm",
        "arxiv": "1712.01815",
        "sections": "equation 1, Methods, table S3",
    },
    "parents": ["self_play", "resnet"],
    "demo": {
        "task": {
            "en": "Noughts and crosses from the rules alone: games against a perfect player that are not lost",
            "zh": "只凭规则学下井字棋：与完美棋手对弈而不输的比例",
        },
        "metric": "games not lost to a perfect player",
        "target": 0.7,
        "baseline": "the same search with the network untrained",
        "margin": 0.3,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    width: int = 64  # units of each layer; 256 maps in the paper
    blocks: int = 2  # residual blocks; 19 in the paper
    rounds: int = 24  # of playing and learning
    games: int = 20  # self-play games a round
    searches: int = 24  # simulations a move; 800 in the paper
    weight: float = 1.5  # c_puct
    noise: float = 0.25  # epsilon, share of Dirichlet noise at the root
    updates: int = 60  # gradient steps a round
    rate: float = 3e-3  # of Adam; the paper used SGD
    matches: int = 40  # test games


TINY = Config(width=16, blocks=1, rounds=2, games=2, searches=6, updates=4, matches=4)
PRESETS: dict[str, Config] = {}


class Net(nn.Module):
    """Boards (B, 9) of 1 mine, -1 the other's, 0 free -> move logits (B, 9) and value for who is to move (B,)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        w = config.width
        self.first = nn.Linear(18, w)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(w, w), nn.ReLU(), nn.Linear(w, w)) for _ in range(config.blocks)
        )
        self.policy, self.value = nn.Linear(w, 9), nn.Linear(w, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = F.relu(self.first(torch.cat([(x > 0).float(), (x < 0).float()], 1)))  # (B, w)
        for block in self.blocks:
            h = F.relu(h + block(h))
        # (p, v) = f_theta(s)
        return self.policy(h), torch.tanh(self.value(h))[:, 0]


class Search:
    """A tree over positions, each seen by who is to move: priors P, visits N and sums of values W of its moves (9,)."""

    def __init__(self, net: Net, config: Config, random: np.random.Generator) -> None:
        self.net, self.config, self.random = net, config, random
        self.nodes: dict[tuple[Board, int], tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    @torch.no_grad()
    def expand(self, board: Board, player: int) -> float:
        """Ask the network about a new position; returns its value for who is to move."""
        logits, value = self.net(torch.tensor([board], dtype=torch.float32) * player)
        free = np.array([not cell for cell in board])
        prior = np.where(free, np.exp(logits[0].numpy() - float(logits.max())), 0)
        self.nodes[board, player] = prior / prior.sum(), np.zeros(9), np.zeros(9)
        return float(value)

    def simulate(self, board: Board, player: int) -> float:
        """One walk down the tree to a new position; returns its value for who is to move here."""
        if (result := outcome(board)) is not None:
            return player * result
        if (board, player) not in self.nodes:
            return self.expand(board, player)
        p, n, w = self.nodes[board, player]
        # U(s, a) = c_puct P(s, a) sqrt(sum_b N(s, b)) / (1 + N(s, a)),   a = argmax_a Q(s, a) + U(s, a)
        q = np.divide(w, n, out=np.zeros(9), where=n > 0)
        u = self.config.weight * p * np.sqrt(n.sum() + 1) / (1 + n)
        move = int(np.where(p > 0, q + u, -np.inf).argmax())
        value = -self.simulate(placed(board, move, player), -player)
        n[move] += 1
        w[move] += value
        return value

    def visits(self, board: Board, player: int, explore: bool) -> np.ndarray:
        """How often the search tried each move, pi (9,)."""
        if (board, player) not in self.nodes:
            self.expand(board, player)
        p, n, w = self.nodes[board, player]
        if explore:
            # P(s, a) = (1 - epsilon) p_a + epsilon eta_a,   eta ~ Dir(alpha)
            free = np.flatnonzero([not cell for cell in board])
            mixed = np.zeros(9)
            mixed[free] = self.random.dirichlet(np.full(len(free), 1.0))
            self.nodes[board, player] = (1 - self.config.noise) * p + self.config.noise * mixed, n, w
        for _ in range(self.config.searches):
            self.simulate(board, player)
        return n / n.sum()

    def choose(self, board: Board, player: int) -> int:
        """The move tried most."""
        return int(self.visits(board, player, explore=False).argmax())


Lesson = tuple[Board, int, np.ndarray, float]


def self_play(net: Net, config: Config, random: np.random.Generator) -> list[Lesson]:
    """One game against itself: positions, who was to move, the search's visits, and the outcome for that player."""
    search, board, player = Search(net, config, random), (0,) * 9, 1
    seen: list[tuple[Board, int, np.ndarray]] = []
    while outcome(board) is None:
        pi = search.visits(board, player, explore=True)
        seen.append((board, player, pi))
        board, player = placed(board, int(random.choice(9, p=pi)), player), -player
    z = outcome(board) or 0
    return [(board, player, pi, player * z) for board, player, pi in seen]


def learn(net: Net, optimizer: torch.optim.Optimizer, lessons: list[Lesson], config: Config) -> float:
    """Gradient steps on lessons drawn at random; returns the last loss."""
    boards = torch.tensor([[cell * player for cell in board] for board, player, _, _ in lessons], dtype=torch.float32)
    pi = torch.tensor(np.stack([visits for _, _, visits, _ in lessons]), dtype=torch.float32)
    z = torch.tensor([result for *_, result in lessons], dtype=torch.float32)
    for _ in range(config.updates):
        index = torch.randint(len(lessons), (64,))
        logits, v = net(boards[index])
        # (1)   l = (z - v)^2 - pi^T log p + c ||theta||^2
        loss = F.mse_loss(v, z[index]) - (pi[index] * logits.log_softmax(1)).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(loss.detach())


def build(config: Config) -> Net:
    return Net(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random, net = np.random.default_rng(seed), build(config)

    def judged() -> float:
        """Share of games not lost, with a third of the searches, so that the network has to know."""
        few = replace(config, searches=config.searches // 3)
        search = Search(net, few, random)
        return score_games(
            search.choose, lambda board, player: int(random.choice(perfect(board, player)[1])), config.matches
        )[1]

    baseline = judged()
    optimizer = torch.optim.Adam(net.parameters(), config.rate, weight_decay=1e-4)
    lessons: list[Lesson] = []
    for done in range(1, config.rounds + 1):
        for _ in range(config.games):
            lessons += self_play(net, config, random)
        lessons = lessons[-2500:]
        loss = learn(net, optimizer, lessons, config)
        metrics = {"games not lost to a perfect player": judged(), "loss": loss, "baseline": baseline}
        yield Step(done, config.rounds, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
