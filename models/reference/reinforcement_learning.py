r"""Reinforcement learning: from reward alone, a prediction is corrected by the next prediction.

R. S. Sutton, "Learning to Predict by the Methods of Temporal Differences", Machine Learning 3, 1988; C. Watkins,
"Learning from Delayed Rewards", thesis, Cambridge, 1989; numbers of equations and examples are those of R. S. Sutton
and A. G. Barto, "Reinforcement Learning: An Introduction", 1998 and second edition 2018, chapter 6.

Nobody tells the learner the right action. TD(0) learns what a policy is worth, Sarsa the worth of each action under
the policy that is followed, Q-learning the worth under the best policy, whatever is followed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main

METADATA = {
    "node": "reinforcement-learning",
    "title": {"en": "Reinforcement learning", "zh": "强化学习"},
    "year": 1989,
    "paper": {
        "title": "Learning from Delayed Rewards",
        "url": "https://www.cs.rhul.ac.uk/~chrisw/thesis.html",
        "sections": "Sutton and Barto, equations 6.2, 6.7 and 6.8, examples 6.2 and 6.6",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "Cliff walking: Q-learning finds the shortest path along the edge, from rewards alone",
            "zh": "悬崖行走：只凭奖励，Q 学习找到紧贴悬崖的最短路",
        },
        "metric": "return of the greedy path",
        "target": -13.0,
        "baseline": "mean return of wandering at random",
        "margin": 100.0,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    episodes: int = 500  # walks over the grid for each of the two methods
    rate: float = 0.2  # alpha
    discount: float = 1.0  # gamma: the task ends, nothing needs discounting
    explore: float = 0.1  # epsilon: how often the action is a random one
    walks: int = 100  # episodes of the prediction task
    walk_rate: float = 0.05  # alpha of the prediction task
    longest: int = 100_000  # steps after which a random walker is left alone


TINY = Config(episodes=300, longest=5000)
PRESETS: dict[str, Config] = {}
MOVES = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])  # north, east, south, west
ARROWS = "^>v<"


class Cliff:
    """Example 6.6: 4 x 12 cells; -1 a step, -100 and back to the start for the cliff along the lower edge."""

    shape = (4, 12)
    start, goal = 36, 47

    def step(self, cell: int, action: int) -> tuple[int, float, bool]:
        """Cell and action to the next cell, the reward and whether the goal is reached."""
        row, column = np.clip(np.array(divmod(cell, 12)) + MOVES[action], 0, (3, 11))
        if row == 3 and 0 < column < 11:
            return self.start, -100.0, False
        after = int(12 * row + column)
        return after, -1.0, after == self.goal


def choose(q: np.ndarray, explore: float, random: np.random.Generator) -> int:
    """An epsilon-greedy action for the values q (A,); ties are broken at random."""
    if random.random() < explore:
        return int(random.integers(len(q)))
    return int(random.choice(np.flatnonzero(q == q.max())))


def learn(q: np.ndarray, world: Cliff, config: Config, random: np.random.Generator, off_policy: bool) -> float:
    """One episode that improves the table q (S, A) in place; returns the sum of its rewards."""
    cell, ended, total = world.start, False, 0.0
    action = choose(q[cell], config.explore, random)
    while not ended:
        after, reward, ended = world.step(cell, action)
        next_action = choose(q[after], config.explore, random)
        if off_policy:
            # (6.8) Q-learning   Q(S, A) <- Q(S, A) + alpha (R + gamma max_a Q(S', a) - Q(S, A))
            target = reward + config.discount * (not ended) * q[after].max()
        else:
            # (6.7) Sarsa        Q(S, A) <- Q(S, A) + alpha (R + gamma Q(S', A') - Q(S, A))
            target = reward + config.discount * (not ended) * q[after, next_action]
        q[cell, action] += config.rate * (target - q[cell, action])
        cell, action, total = after, next_action, total + reward
    return total


def follow(q: np.ndarray, world: Cliff) -> tuple[list[int], float]:
    """The cells of the greedy path and its return; it is cut where it has not arrived after 100 steps."""
    path, total, ended = [world.start], 0.0, False
    while not ended and len(path) < 100:
        cell, reward, ended = world.step(path[-1], int(q[path[-1]].argmax()))
        path.append(cell)
        total += reward
    return path, total


def wander(world: Cliff, steps: int, random: np.random.Generator) -> float:
    """Mean return of the episodes that a random walker completes in so many steps (of its only one, if none ends)."""
    cell, totals = world.start, [0.0]
    for _ in range(steps):
        cell, reward, ended = world.step(cell, int(random.integers(4)))
        totals[-1] += reward
        if ended:
            cell = world.start
            totals.append(0.0)
    return float(np.mean(totals[:-1] or totals))


def random_walk(config: Config, random: np.random.Generator) -> float:
    """Example 6.2: five states in a row, reward 1 at the right end; root mean square error of what TD(0) believes."""
    v, true = np.full(7, 0.5), np.arange(7) / 6
    v[[0, 6]] = 0.0
    for _ in range(config.walks):
        s = 3
        while s not in (0, 6):
            after = s + int(random.choice([-1, 1]))
            # (6.2) TD(0)   V(S) <- V(S) + alpha (R + gamma V(S') - V(S)),   R = 1 at the right end
            v[s] += config.walk_rate * (float(after == 6) + v[after] - v[s])
            s = after
    return float(np.sqrt(np.mean((v[1:6] - true[1:6]) ** 2)))


def chart(q: np.ndarray, world: Cliff, path: list[int]) -> str:
    """The grid as text: the greedy path's arrows, the cliff as #."""
    cells = ["#" if 36 < cell < 47 else "." for cell in range(48)]
    for cell in path[:-1]:
        cells[cell] = ARROWS[int(q[cell].argmax())]
    cells[world.goal] = "G"
    return "\n".join("".join(cells[row : row + 12]) for row in range(0, 48, 12))


def build(config: Config) -> np.ndarray:
    """The table Q(s, a): 48 cells, four moves, all zero."""
    return np.zeros((48, 4))


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    world = Cliff()
    fixed = {"baseline": wander(world, config.longest, random), "error of TD(0)": random_walk(config, random)}
    q, sarsa = build(config), build(config)
    online = np.zeros((config.episodes, 2))
    for episode in range(1, config.episodes + 1):
        online[episode - 1] = [learn(table, world, config, random, table is q) for table in (q, sarsa)]
        if episode % (config.episodes // 10) == 0:
            path, total = follow(q, world)
            recent = online[max(0, episode - 100) : episode].mean(0)
            metrics = {"return of the greedy path": total, "Sarsa's greedy path": follow(sarsa, world)[1], **fixed}
            # while exploring, Sarsa earns more: it has learned to keep away from the edge
            metrics |= {"earned meanwhile, Q": float(recent[0]), "earned meanwhile, Sarsa": float(recent[1])}
            safe = chart(sarsa, world, follow(sarsa, world)[0])
            sample = f"Q-learning\n{chart(q, world, path)}\nSarsa\n{safe}"
            yield Step(episode, config.episodes, metrics, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
