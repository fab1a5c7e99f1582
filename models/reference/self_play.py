r"""Self-play: a player that is its own opponent learns from nothing but who won.

A. L. Samuel, "Some Studies in Machine Learning Using the Game of Checkers", IBM Journal 3(3), 1959 (two copies, the
score of a position drawn towards that of a later one); in the form of G. Tesauro, "Practical Issues in Temporal
Difference Learning", Machine Learning 8, 1992, equation 1 (the way to TD-Gammon: TD(lambda), both sides its own). A
table, Samuel's rote learning, stands here where Tesauro has a net: the game has but 5478 positions.

What it changes against reinforcement learning in a fixed world: the world is the player itself and becomes harder as
the player improves, so that no teacher and no collection of good games is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import Board, outcome, perfect, placed, score_games

METADATA = {
    "node": "self-play",
    "title": {"en": "Self-play", "zh": "自我对弈"},
    "year": 1992,
    "paper": {
        "title": "Practical Issues in Temporal Difference Learning",
        "doi": "10.1007/BF00992697",
        "sections": "2, equation 1",
    },
    "parents": ["reinforcement_learning"],
    "demo": {
        "task": {
            "en": "Noughts and crosses learned from games against itself, then played against a random player",
            "zh": "通过与自己对弈学会井字棋，再与随机玩家比赛",
        },
        "metric": "score against a random player",
        "target": 0.92,
        "baseline": "the same player before its first game",
        "margin": 0.15,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    games: int = 8000  # against itself
    rate: float = 0.2  # alpha
    decay: float = 0.5  # lambda
    explore: float = 0.2  # share of random moves (backgammon's dice made them unnecessary)
    matches: int = 200  # games of each test


TINY = Config(games=200, matches=40)
PRESETS: dict[str, Config] = {}


class Memory:
    """What each position met so far is worth to the first player, in [0, 1]; 1/2 until it is known better."""

    def __init__(self) -> None:
        self.worth: dict[Board, float] = {}

    def __call__(self, board: Board) -> float:
        result = outcome(board)
        # at the end Y_{t+1} is the outcome z: 1, 1/2 or 0
        return self.worth.get(board, 0.5) if result is None else result / 2 + 0.5

    def choose(self, board: Board, player: int) -> int:
        """The move whose position is best for the player."""
        return max(
            (cell for cell in range(9) if not board[cell]), key=lambda c: player * self(placed(board, c, player))
        )


def play(memory: Memory, config: Config, random: np.random.Generator) -> None:
    """One game of the memory against itself, learning after every move."""
    board, player = (0,) * 9, 1
    traces: dict[Board, float] = {}
    while outcome(board) is None:
        before, wild = board, random.random() < config.explore
        free = [cell for cell in range(9) if not board[cell]]
        cell = int(random.choice(free)) if wild else memory.choose(board, player)
        board, player = placed(board, cell, player), -player
        # in a table the gradient of Y_t is one for the position itself: e = sum_k lambda^{t - k} grad_w Y_k
        traces = {key: config.decay * trace for key, trace in traces.items()} | {before: 1.0}
        if wild:
            traces = {}  # a slip says nothing about the worth of what led there
            continue
        change = memory(board) - memory(before)
        for key, trace in traces.items():
            # (1)   w_{t+1} - w_t = alpha (Y_{t+1} - Y_t) sum_k lambda^{t - k} grad_w Y_k
            memory.worth[key] = memory(key) + config.rate * change * trace


def build(config: Config) -> Memory:
    return Memory()


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    memory = build(config)

    def at_random(board: Board, player: int) -> int:
        return int(random.choice([cell for cell in range(9) if not board[cell]]))

    def perfectly(board: Board, player: int) -> int:
        return int(random.choice(perfect(board, player)[1]))

    baseline = score_games(memory.choose, at_random, 4 * config.matches)[0]
    for game in range(1, config.games + 1):
        play(memory, config, random)
        if game % (config.games // 10) == 0:
            score, safe = score_games(memory.choose, at_random, config.matches * (4 if game == config.games else 1))
            metrics = {"score against a random player": score, "not lost against it": safe}
            metrics["not lost against a perfect one"] = score_games(memory.choose, perfectly, config.matches)[1]
            opening = [memory(placed((0,) * 9, cell, 1)) for cell in range(9)]
            sample = "\n".join(" ".join(f"{v:.2f}" for v in opening[i : i + 3]) for i in (0, 3, 6))
            yield Step(game, config.games, metrics | {"baseline": baseline}, sample=f"worth of the openings\n{sample}")


if __name__ == "__main__":
    raise SystemExit(main(__file__))
