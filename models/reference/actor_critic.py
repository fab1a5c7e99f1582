r"""Actor-critic: one element acts, another predicts failure and tells the first at once how well it did.

A. G. Barto, R. S. Sutton and C. W. Anderson, "Neuronlike Adaptive Elements That Can Solve Difficult Learning Control
Problems", IEEE Transactions on Systems, Man, and Cybernetics 13(5), 1983, equations 1 to 6, section on the boxes.

What it changes against the BOXES system and against a lone adaptive element: the only signal, -1 when the pole falls,
comes too late to learn from. The critic learns to predict it and hands the actor the change of its prediction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import cart_pole, fallen

METADATA = {
    "node": "actor-critic",
    "title": {"en": "Actor-critic", "zh": "演员-评论家"},
    "year": 1983,
    "paper": {
        "title": "Neuronlike Adaptive Elements That Can Solve Difficult Learning Control Problems",
        "doi": "10.1109/TSMC.1983.6313077",
        "sections": "equations 1 to 6, appendix (the cart and the pole)",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "A pole is balanced on a cart, told only when it has fallen",
            "zh": "在小车上平衡一根杆，只在杆倒下时得到信号",
        },
        "metric": "steps balanced",
        "target": 800.0,
        "baseline": "the actor alone, learning from the failures without a critic",
        "margin": 600.0,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    trials: int = 100  # falls, as in the paper's figures
    steps: int = 60_000  # steps in all trials together (the paper: 500,000), for each of the two systems
    actor_rate: float = 1000.0  # alpha
    critic_rate: float = 0.5  # beta
    actor_decay: float = 0.9  # delta of the eligibility traces
    critic_decay: float = 0.8  # lambda of the traces of the boxes
    discount: float = 0.95  # gamma
    noise: float = 0.01  # sigma of the actor


TINY = Config(trials=10, steps=2000)
PRESETS: dict[str, Config] = {}
DEGREE = np.pi / 180


def box(state: np.ndarray) -> int:
    """Which of the 162 boxes of the paper's decoder a state (4,) falls into."""
    x, v, a, w = state.tolist()
    place = (x > -0.8) + (x > 0.8)
    speed = (v > -0.5) + (v > 0.5)
    angle = (a > -6 * DEGREE) + (a > -DEGREE) + (a > 0) + (a > DEGREE) + (a > 6 * DEGREE)
    turning = (w > -50 * DEGREE) + (w > 50 * DEGREE)
    return int(((place * 3 + speed) * 6 + angle) * 3 + turning)


class ActorCritic:
    """The associative search element (actor) and, where `critic`, the adaptive critic element, over 162 boxes."""

    def __init__(self, config: Config, critic: bool = True) -> None:
        self.config, self.critic = config, critic
        self.w, self.v = np.zeros(162), np.zeros(162)
        self.forget()

    def forget(self) -> None:
        """Begin a trial: traces and the last prediction are cleared, the weights stay."""
        self.e, self.trace, self.last = np.zeros(162), np.zeros(162), 0.0

    def act(self, place: int, random: np.random.Generator) -> float:
        """+1 or -1, with traces of the box and the action."""
        c = self.config
        # (1)   y(t) = f[sum_i w_i(t) x_i(t) + noise(t)],   f the sign
        y = 1.0 if self.w[place] + random.normal(scale=c.noise) >= 0 else -1.0
        # (3)   e_i(t + 1) = delta e_i(t) + (1 - delta) y(t) x_i(t)
        self.e *= c.actor_decay
        self.e[place] += (1 - c.actor_decay) * y
        # (6)   xbar_i(t + 1) = lambda xbar_i(t) + (1 - lambda) x_i(t)
        self.trace *= c.critic_decay
        self.trace[place] += 1 - c.critic_decay
        self.last = self.v[place]
        return y

    def learn(self, place: int, failed: bool) -> None:
        """Learn from where the action led."""
        c, reward = self.config, -float(failed)
        # (4)   p(t) = sum_i v_i(t) x_i(t), zero after a failure
        prediction = 0.0 if failed else self.v[place]
        # (5)   rhat(t) = r(t) + gamma p(t) - p(t - 1)
        change = reward + c.discount * prediction - self.last if self.critic else reward
        # (2)   w_i(t + 1) = w_i(t) + alpha rhat(t) e_i(t)
        self.w += c.actor_rate * change * self.e
        # (6)   v_i(t + 1) = v_i(t) + beta rhat(t) xbar_i(t)
        self.v += c.critic_rate * change * self.trace


def trial(system: ActorCritic, limit: int, random: np.random.Generator) -> int:
    """Steps until the pole falls, from rest in the middle, `limit` at most; the system learns all along."""
    state = np.zeros(4)
    system.forget()
    for step in range(1, limit + 1):
        state = cart_pole(state, np.asarray(10.0 * system.act(box(state), random)))
        failed = bool(fallen(state))
        system.learn(box(state), failed)
        if failed:
            return step
    return limit


def build(config: Config) -> ActorCritic:
    return ActorCritic(config)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    pairs = [(ActorCritic(config, critic=False), "baseline"), (build(config), "steps balanced")]
    metrics: dict[str, float] = {}
    for half, (system, name) in enumerate(pairs):
        lengths: list[int] = []
        left = config.steps
        while left > 0 and len(lengths) < config.trials:
            lengths.append(trial(system, left, random))
            left -= lengths[-1]
            # the mean of the last five trials, as the paper's curves average fives
            metrics[name] = float(np.mean(lengths[-5:]))
            over = left <= 0 or len(lengths) == config.trials
            if over or len(lengths) % max(1, config.trials // 10) == 0:
                done = config.trials * half + (config.trials if over else len(lengths))
                yield Step(done, 2 * config.trials, dict(metrics), sample=f"{name}: trials of {lengths[-5:]} steps")


if __name__ == "__main__":
    raise SystemExit(main(__file__))
