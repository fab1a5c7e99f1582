r"""Proximal policy optimisation: a batch of experience is used several times, while the policy may move only a little.

J. Schulman, F. Wolski, P. Dhariwal, A. Radford and O. Klimov, "Proximal Policy Optimization Algorithms",
arXiv:1707.06347, section 3 (equations 6 and 7), section 5 (algorithm 1, equations 9 to 12), section 6.1 (the net).

What it changes against actor-critic: nets instead of boxes, advantages summed over many steps, and the ratio of new to
old probability clipped, so that ten passes of Adam over the same steps do not throw the policy away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import cart_pole, fallen, seeded

METADATA = {
    "node": "ppo",
    "title": {"en": "Proximal Policy Optimization", "zh": "近端策略优化"},
    "year": 2017,
    "paper": {
        "title": "Proximal Policy Optimization Algorithms",
        "arxiv": "1707.06347",
        "sections": "3, 5, 6.1, equations 6, 7 and 9 to 12",
    },
    "parents": ["actor_critic"],
    "nearest_to": ["openai-five"],
    "demo": {
        "task": {
            "en": "Sixteen carts learn to balance their poles for ten seconds",
            "zh": "十六辆小车学会把杆平衡十秒",
        },
        "metric": "steps balanced",
        "target": 350.0,
        "baseline": "the policy before training",
        "margin": 250.0,
    },
    # section 6.1: two hidden layers of 64 tanh units, a Gaussian of learned width, nothing shared with the value;
    # HalfCheetah sees 17 numbers and moves 6 joints: 17 * 64 + 64 + 64^2 + 64 + 64 * 6 + 6 + 6 = 5,708 for the policy,
    # 5,377 for the value; Hopper with 11 and 3: 5,126 and 4,993
    "presets": {"HalfCheetah": 11_085, "Hopper": 10_119},
}


@dataclass(frozen=True)
class Config:
    observations: int = 4  # numbers seen
    actions: int = 2  # to choose from, or numbers of a continuous action
    continuous: bool = False  # a Gaussian policy as in section 6.1
    hidden: int = 64  # units of each of two layers
    actors: int = 16  # N copies of the task
    horizon: int = 64  # T steps of each between updates
    updates: int = 40  # batches of N T steps
    epochs: int = 6  # K passes over a batch
    minibatch: int = 256  # M
    clip: float = 0.2  # epsilon
    discount: float = 0.99  # gamma
    smoothing: float = 0.95  # lambda
    entropy: float = 0.0  # c_2
    value: float = 0.5  # c_1
    rate: float = 3e-3  # of Adam; falls to zero
    longest: int = 500  # steps of an episode


TINY = Config(updates=3, longest=60)
PRESETS = {"HalfCheetah": Config(17, 6, continuous=True), "Hopper": Config(11, 3, continuous=True)}


def _net(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, outputs)
    )


class Agent(nn.Module):
    """A policy and a value net that share nothing."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.policy = _net(config.observations, config.hidden, config.actions)
        self.value = _net(config.observations, config.hidden, 1)
        self.log_std = nn.Parameter(torch.zeros(config.actions)) if config.continuous else None
        with torch.no_grad():
            self.policy[-1].weight *= 0.01  # at first every action is about as likely

    def forward(self, x: Tensor) -> torch.distributions.Distribution:
        """Observations (B, O) -> the distribution of actions."""
        out = self.policy(x)  # (B, A)
        if self.log_std is None:
            return torch.distributions.Categorical(logits=out)
        return torch.distributions.Independent(torch.distributions.Normal(out, self.log_std.exp()), 1)


class Batch(NamedTuple):
    """N T steps: observations (B, O), actions (B, ...), their log probabilities then, advantages and returns (B,)."""

    seen: Tensor
    actions: Tensor
    log_prob: Tensor
    advantages: Tensor
    returns: Tensor


def gae(rewards: Tensor, values: Tensor, ended: Tensor, discount: float, smoothing: float) -> Tensor:
    """Advantages (T, N) from rewards and ends (T, N) and values (T + 1, N); nothing flows past an end."""
    advantages, following = torch.zeros_like(rewards), torch.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        go_on = 1 - ended[t]
        # (12)   delta_t = r_t + gamma V(s_{t+1}) - V(s_t)
        delta = rewards[t] + discount * go_on * values[t + 1] - values[t]
        # (11)   A_t = delta_t + (gamma lambda) delta_{t+1} + ...
        following = delta + discount * smoothing * go_on * following
        advantages[t] = following
    return advantages


def clipped(log_prob: Tensor, old: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """The surrogate objective of each step (B,), to be maximised."""
    # r_t(theta) = pi_theta(a_t | s_t) / pi_old(a_t | s_t)
    ratio = (log_prob - old).exp()
    # (7)   L^CLIP = E[min(r_t A_t, clip(r_t, 1 - epsilon, 1 + epsilon) A_t)]
    return torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)


def improve(agent: Agent, optimizer: torch.optim.Optimizer, batch: Batch, config: Config) -> float:
    """K passes over the batch in minibatches; returns the share of ratios that were clipped at the end."""
    advantages = (batch.advantages - batch.advantages.mean()) / (batch.advantages.std() + 1e-8)
    for _ in range(config.epochs):
        for index in torch.randperm(len(advantages)).split(config.minibatch):
            chances = agent(batch.seen[index])
            log_prob = chances.log_prob(batch.actions[index])
            gain = clipped(log_prob, batch.log_prob[index], advantages[index], config.clip)
            miss = (agent.value(batch.seen[index])[:, 0] - batch.returns[index]).square()
            # (9)   L = E[L^CLIP - c_1 (V(s_t) - V_targ)^2 + c_2 S[pi](s_t)]
            loss = -(gain - config.value * miss + config.entropy * chances.entropy()).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()
    return float(((log_prob - batch.log_prob[index]).exp() - 1).abs().gt(config.clip).float().mean())


class Carts:
    """N carts with poles that start again when they fall or after `longest` steps; the reward is 1 a step."""

    def __init__(self, count: int, longest: int, seed: int) -> None:
        self.random, self.longest = np.random.default_rng(seed), longest
        self.state, self.age = self._fresh(count), np.zeros(count, int)

    def _fresh(self, count: int) -> np.ndarray:
        return self.random.uniform(-0.05, 0.05, (count, 4))

    def see(self) -> Tensor:
        return torch.tensor(self.state, dtype=torch.float32)

    def step(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Actions (N,) in {0, 1} -> rewards (N,) and whether an episode ended (N,)."""
        self.state = cart_pole(self.state, 20.0 * actions.numpy() - 10.0)
        self.age += 1
        down = fallen(self.state)
        over = down | (self.age >= self.longest)
        self.state[over], self.age[over] = self._fresh(int(over.sum())), 0
        return torch.tensor(~down).float(), torch.tensor(over).float()


@torch.no_grad()
def collect(agent: Agent, world: Carts, config: Config) -> Batch:
    """Run the N actors for T steps each: algorithm 1, lines 2 to 5."""
    kept: list[list[Tensor]] = [[], [], [], [], [], []]
    for _ in range(config.horizon):
        seen = world.see()  # (N, O)
        chances = agent(seen)
        actions = chances.sample()
        row = (seen, actions, chances.log_prob(actions), agent.value(seen)[:, 0], *world.step(actions))
        for column, item in zip(kept, row, strict=True):
            column.append(item)
    seen, actions, log_prob, values, rewards, ended = (torch.stack(column) for column in kept)  # (T, N, ...)
    values = torch.cat([values, agent.value(world.see()).T])  # (T + 1, N)
    advantages = gae(rewards, values, ended, config.discount, config.smoothing)
    returns = advantages + values[:-1]
    return Batch(*(x.flatten(0, 1) for x in (seen, actions, log_prob, advantages, returns)))


@torch.no_grad()
def balance(agent: Agent, longest: int) -> float:
    """Mean steps until the pole falls over 30 carts, each action drawn from the policy."""
    world = Carts(30, longest + 1, seed=12345)
    up, steps = torch.ones(30), torch.zeros(30)
    for _ in range(longest):
        up = up * world.step(agent(world.see()).sample())[0]
        steps += up
        if not up.any():
            break
    return float(steps.mean())


def build(config: Config) -> Agent:
    return Agent(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    agent, world = build(config), Carts(config.actors, config.longest, seed)
    optimizer = torch.optim.Adam(agent.parameters(), config.rate, eps=1e-5)
    baseline = balance(agent, config.longest)
    for update in range(1, config.updates + 1):
        for group in optimizer.param_groups:
            group["lr"] = config.rate * (1 - (update - 1) / config.updates)
        share = improve(agent, optimizer, collect(agent, world, config), config)
        if update % max(1, config.updates // 10) == 0 or update == config.updates:
            metrics = {"steps balanced": balance(agent, config.longest), "clipped": share, "baseline": baseline}
            yield Step(update, config.updates, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
