r"""RLHF: a reward nobody could write down is learned from which of two short clips a person prefers.

P. Christiano, J. Leike, T. Brown, M. Martic, S. Legg and D. Amodei, "Deep Reinforcement Learning from Human
Preferences", arXiv:1706.03741, section 2.2 (equation 1, the choice of queries), section 3 (their synthetic annotator).

What it changes against PPO (the paper uses TRPO and A2C): the reward is not part of the world. Three processes run
together: the policy earns predicted reward, pairs of its clips are compared, the predictor is fitted to the answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main, ppo
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "rlhf",
    "title": {"en": "Reinforcement learning from human feedback", "zh": "基于人类反馈的强化学习"},
    "year": 2017,
    "paper": {
        "title": "Deep Reinforcement Learning from Human Preferences",
        "arxiv": "1706.03741",
        "sections": "2.2, equation 1",
    },
    "parents": ["actor_critic", "ppo"],
    "demo": {
        "task": {
            "en": "A body learns to circle anticlockwise, told only which of two clips circles more",
            "zh": "只被告知两段片段中哪段更像逆时针绕圈，便学会绕圈",
        },
        "metric": "true reward a step",
        "target": 0.5,
        "baseline": "the policy before any comparison",
        "margin": 0.4,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    rounds: int = 20  # of acting, asking and learning
    queries: int = 20  # comparisons a round; the first round asks three times as many
    clip: int = 15  # k steps of a clip
    ensemble: int = 3  # reward predictors; queries go where they disagree
    candidates: int = 3  # so many times more pairs are drawn than asked
    slips: float = 0.1  # chance that the person's answer is a random one
    fits: int = 40  # steps of each predictor a round
    hidden: int = 32  # units of a predictor's two layers
    episode: int = 60  # steps


TINY = Config(rounds=3, fits=10)
PRESETS: dict[str, Config] = {}
POLICY = ppo.Config(observations=4, actions=5, horizon=60, epochs=6, rate=3e-3, discount=0.95, entropy=0.01)
PUSHES = torch.tensor([[0.0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])


class Plane:
    """Bodies with place and speed in [-2, 2]^2 that are pushed in one of four directions or not at all."""

    def __init__(self, count: int) -> None:
        self.state = torch.rand(count, 4) * 2 - 1

    def step(self, actions: Tensor) -> None:
        place, speed = self.state.split(2, 1)
        speed = (0.95 * speed + 0.2 * PUSHES[actions]).clamp(-1, 1)
        self.state = torch.cat([(place + 0.2 * speed).clamp(-2, 2), speed], 1)


def true_reward(seen: Tensor) -> Tensor:
    """What the person wants and the learner never sees: turning about the origin, x v_y - y v_x, in [-1, 1]."""
    x, y, vx, vy = seen.unbind(-1)
    return (x * vy - y * vx).clamp(-1, 1)


class Rewards(nn.Module):
    """Several predictors of the reward of states and actions (..., 9), each with zero mean and unit deviation."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        h = config.hidden
        self.nets = nn.ModuleList(
            nn.Sequential(nn.Linear(9, h), nn.Tanh(), nn.Linear(h, h), nn.Tanh(), nn.Linear(h, 1))
            for _ in range(config.ensemble)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Steps (..., 9) to rewards (E, ...)."""
        return torch.stack([net(x)[..., 0] for net in self.nets])

    @torch.no_grad()
    def average(self, x: Tensor) -> Tensor:
        """Section 2.2.1: normalised predictions (B, 9) -> (B,), averaged over the ensemble."""
        r = self(x)
        return ((r - r.mean(1, keepdim=True)) / (r.std(1, keepdim=True) + 1e-6)).mean(0)


def preference(first: Tensor, second: Tensor) -> Tensor:
    """Log-odds that the first clip is preferred, from predicted rewards (..., k) of both."""
    # (1)   P[s1 > s2] = exp sum r(s1) / (exp sum r(s1) + exp sum r(s2)): the sigmoid of the difference of the sums
    return first.sum(-1) - second.sum(-1)


def person(first: Tensor, second: Tensor, slips: float) -> Tensor:
    """1.0 where clips (P, k, 9) `first` circle more, 0.0 where `second`; now and then a random answer."""
    answer = true_reward(first[..., :4]).sum(1) > true_reward(second[..., :4]).sum(1)
    return torch.where(torch.rand(len(answer)) < slips, torch.rand(len(answer)) < 0.5, answer).float()


def ask(steps: Tensor, rewards: Rewards, config: Config, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Compare `count` pairs of clips cut from steps (T, N, 9), those on which the predictors disagree most."""
    T, N, _ = steps.shape
    many = 2 * count * config.candidates
    start = torch.randint(T - config.clip + 1, (many, 1)) + torch.arange(config.clip)
    clips = steps[start, torch.randint(N, (many, 1))]  # (M, k, 9)
    first, second = clips.chunk(2)
    with torch.no_grad():
        # section 2.2.4: the variance of the predictions over the ensemble
        doubt = torch.sigmoid(preference(rewards(first), rewards(second))).var(0)
    chosen = doubt.topk(count).indices
    return first[chosen], second[chosen], person(first[chosen], second[chosen], config.slips)


def fit(rewards: Rewards, optimizer: torch.optim.Optimizer, asked: list[tuple[Tensor, ...]], config: Config) -> float:
    """Fit each predictor to random answers; the share of answers the ensemble agrees with."""
    first, second, answer = (torch.cat(parts) for parts in zip(*asked, strict=True))
    for _ in range(config.fits):
        odds = []
        for net in rewards.nets:  # each on a sample of its own, drawn with replacement
            index = torch.randint(len(answer), (64,))
            odds.append((preference(net(first[index])[..., 0], net(second[index])[..., 0]), answer[index]))
        # loss(r) = - sum mu(1) log P[s1 > s2] + mu(2) log P[s2 > s1]
        loss = torch.stack([F.binary_cross_entropy_with_logits(*pair) for pair in odds]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        guess = preference(rewards(first), rewards(second)).mean(0) > 0
    return float((guess == (answer > 0.5)).float().mean())


@torch.no_grad()
def act(agent: ppo.Agent, count: int, length: int) -> tuple[Tensor, Tensor, Tensor]:
    """Steps (T, N, 9), states then pushes as one-hot, with actions (T, N) and the last states (N, 4)."""
    world, seen, done = Plane(count), [], []
    for _ in range(length):
        actions = agent(world.state).sample()
        seen.append(torch.cat([world.state, F.one_hot(actions, 5).float()], 1))
        done.append(actions)
        world.step(actions)
    return torch.stack(seen), torch.stack(done), world.state


def tracks(steps: Tensor, size: int = 96) -> np.ndarray:
    """Where bodies (T, N, 9) have been, later places brighter."""
    picture = np.zeros((size, size), np.uint8)
    for t, places in enumerate(steps[..., :2].numpy()):
        x, y = np.clip((places.T + 2) / 4 * size, 0, size - 1).astype(int)
        picture[size - 1 - y, x] = 55 + 200 * (t + 1) // len(steps)
    return picture.repeat(3, 0).repeat(3, 1)


def build(config: Config) -> Rewards:
    return Rewards(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    agent, rewards = ppo.build(POLICY), build(config)
    learner = torch.optim.Adam(agent.parameters(), POLICY.rate, eps=1e-5)
    fitter = torch.optim.Adam(rewards.parameters(), 3e-3, weight_decay=1e-4)
    asked: list[tuple[Tensor, ...]] = []
    baseline = float(true_reward(act(agent, 100, config.episode)[0][..., :4]).mean())
    for done in range(1, config.rounds + 1):
        steps, actions, last = act(agent, POLICY.actors, config.episode)
        asked.append(ask(steps, rewards, config, config.queries * (3 if done == 1 else 1)))
        agreed = fit(rewards, fitter, asked, config)
        T, N, _ = steps.shape
        earned = rewards.average(steps.flatten(0, 1)).reshape(T, N)
        with torch.no_grad():
            seen = steps[..., :4]
            values = torch.cat([agent.value(seen)[..., 0], agent.value(last).T])  # (T + 1, N)
            log_prob = agent(seen.flatten(0, 1)).log_prob(actions.flatten())
        advantages = ppo.gae(earned, values, torch.zeros(T, N), POLICY.discount, POLICY.smoothing)
        returns = (advantages + values[:-1]).flatten()
        batch = ppo.Batch(seen.flatten(0, 1), actions.flatten(), log_prob, advantages.flatten(), returns)
        ppo.improve(agent, learner, batch, POLICY)
        if done % max(1, config.rounds // 10) == 0:
            shown = act(agent, 100, config.episode)[0]
            metrics = {"true reward a step": float(true_reward(shown[..., :4]).mean()), "baseline": baseline}
            metrics |= {"comparisons": sum(len(a[2]) for a in asked), "agreement": agreed}
            yield Step(done, config.rounds, metrics, picture=tracks(shown[:, :8]))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
