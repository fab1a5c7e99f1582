r"""InstructGPT: a model that continues text is taught to do what it is told, by examples and by rankings.

L. Ouyang et al., "Training language models to follow instructions with human feedback", arXiv:2203.02155, section 3.5
(equations 1 and 2), appendix C.

What it changes against GPT-3: three more stages of training, no new net. Supervised fine-tuning on demonstrations, a
reward model from rankings of K answers, PPO against that reward with a price on leaving the supervised model and with
pretraining gradients mixed in (PPO-ptx).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, gpt3, main, ppo
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "instructgpt",
    "title": {"en": "InstructGPT", "zh": "InstructGPT"},
    "year": 2022,
    "paper": {
        "title": "Training language models to follow instructions with human feedback",
        "arxiv": "2203.02155",
        "sections": "3.5, equations 1 and 2",
    },
    "parents": ["gpt3", "rlhf", "ppo"],
    "nearest_to": ["chatgpt", "claude-opus"],
    "demo": {
        "task": {
            "en": "Copy, reverse or advance two letters as told, by a model whose reading obeyed only now and then",
            "zh": "按指令把两个字母复制、倒置或各进一位，而预训练语料只是偶尔照做",
        },
        "metric": "instructions followed",
        "target": 0.62,
        "baseline": "the supervised model that PPO starts from",
        "margin": 0.12,
    },
    # the policies are GPT-3's nets. 175B and 6B: the published shapes of GPT-3 (table 2.1; "6B" is its 6.7B) summed as
    # in gpt3.py. 1.3B: 24 layers of 2048 with heads of 128, of which 16 fit, give
    # 24 (12 * 2,048^2 + 13 * 2,048) + (50,257 + 2,048 + 2) 2,048, the paper's 1.3 billion; the reward model is the 6B
    # with 4,096 + 1 numbers of a scalar output (appendix C.2)
    "presets": {"1.3B": 1_315_723_264, "6B": 6_658_404_352, "6B reward": 6_658_408_449, "175B": 174_604_259_328},
}


DEMO = gpt3.Config(symbols=7, context=5, width=48, heads=4, layers=2)


@dataclass(frozen=True)
class Config:
    model: gpt3.Config = DEMO  # of all the nets
    reward: bool = False  # build the reward model
    pretraining: int = 240  # updates on text that obeys `obedient` of its instructions
    obedient: float = 0.2
    demonstrations: int = 10  # shown in the first stage
    supervised: int = 10  # updates of the first stage
    ranked: int = 600  # prompts whose answers are ranked
    answers: int = 4  # K; 4 to 9 in the paper
    reward_updates: int = 200  # updates of the second stage
    updates: int = 100  # of the third stage
    batch: int = 96  # prompts an update
    kl: float = 0.02  # beta
    pretrain_weight: float = 0.01  # gamma of PPO-ptx; the paper has 27.8 for its own scales
    clip: float = 0.2  # epsilon of PPO
    rate: float = 1e-3  # of Adam in the last stage; three times as much in the second


_SMALL = gpt3.Config(symbols=7, context=5, width=16, heads=2, layers=1)
TINY = Config(_SMALL, pretraining=20, supervised=5, ranked=30, reward_updates=5, updates=5, batch=16)
PRESETS = {
    "1.3B": Config(gpt3.Config(50_257, 2048, 2048, 16, 24)),
    "6B": Config(gpt3.PRESETS["6.7B"]),
    "6B reward": Config(gpt3.PRESETS["6.7B"], reward=True),
    "175B": Config(gpt3.PRESETS["175B"]),
}
LETTERS, LENGTH, TASKS = 4, 2, ("copy", "reverse", "next")


def obey(prompts: Tensor) -> Tensor:
    """The answers (B, 2) to prompts (B, 3): the task's symbol, then two letters."""
    task, letters = prompts[:, :1] - LETTERS, prompts[:, 1:]
    done = torch.stack([letters, letters.flip(1), (letters + 1) % LETTERS], 1)  # (B, 3, 2)
    return done.gather(1, task[..., None].expand(-1, 1, LENGTH))[:, 0]


def ask(count: int) -> Tensor:
    """Random prompts (count, 3)."""
    return torch.cat([torch.randint(LETTERS, LETTERS + 3, (count, 1)), torch.randint(LETTERS, (count, LENGTH))], 1)


def pretraining_text(count: int, obedient: float) -> Tensor:
    """Sequences (count, 5) in which the answer obeys the instruction only sometimes, else any of the three."""
    prompts = ask(count)
    other = torch.cat([torch.randint(LETTERS, LETTERS + 3, (count, 1)), prompts[:, 1:]], 1)
    heard = (torch.rand(count, 1) < obedient).long()
    return torch.cat([prompts, obey(heard * prompts + (1 - heard) * other)], 1)


def right(texts: Tensor) -> Tensor:
    """How many of the two letters are as told (B,): what the labelers rank by."""
    return (texts[:, 3:] == obey(texts[:, :3])).sum(1)


class Scored(nn.Module):
    """A GPT-3 whose unembedding is replaced by one number at each place: ids (B, T) -> (B, T)."""

    def __init__(self, body: gpt3.GPT3) -> None:
        super().__init__()
        self.body, self.head = body, nn.Linear(body.norm.normalized_shape[0], 1)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.body.tokens(ids) + self.body.positions.weight[: ids.shape[1]]  # (B, T, C)
        for block in self.body.blocks:
            x = block(x)
        return self.head(self.body.norm(x))[..., 0]


@torch.no_grad()
def answer(model: gpt3.GPT3, prompts: Tensor) -> Tensor:
    """Prompts (B, 3) with sampled answers (B, 5)."""
    texts = prompts
    for _ in range(LENGTH):
        texts = torch.cat([texts, torch.multinomial(model(texts)[:, -1].softmax(-1), 1)], 1)
    return texts


def log_probs(model: gpt3.GPT3, texts: Tensor) -> Tensor:
    """Log probability of each letter of the answers (B, 2)."""
    return model(texts)[:, 2:-1].log_softmax(-1).gather(2, texts[:, 3:, None])[..., 0]


def imitate(model: gpt3.GPT3, optimizer: torch.optim.Optimizer, texts: Tensor) -> None:
    """One step of cross-entropy on whole answers."""
    loss = -log_probs(model, texts).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def ranking_loss(scores: Tensor, ranks: Tensor) -> Tensor:
    """Scores and labelers' marks (P, K) of K answers to each prompt; ties are dropped."""
    # (1)   loss(theta) = -1 / (K choose 2) E[log sigmoid(r(x, y_w) - r(x, y_l))]
    pairs = torch.tensor(list(combinations(range(scores.shape[1]), 2)))
    gap = scores[:, pairs[:, 0]] - scores[:, pairs[:, 1]]  # (P, K choose 2)
    sign = (ranks[:, pairs[:, 0]] - ranks[:, pairs[:, 1]]).sign()
    return -F.logsigmoid(gap * sign)[sign != 0].mean()


def build(config: Config) -> nn.Module:
    model = gpt3.build(config.model)
    return Scored(model) if config.reward else model


def learn_reward(config: Config, policy: gpt3.GPT3) -> tuple[Scored, float]:
    """Stage 2: rank K answers of the supervised model to each prompt, fit; and the share of unseen pairs right."""
    model = Scored(copy.deepcopy(policy))
    optimizer = torch.optim.Adam(model.parameters(), 3 * config.rate)
    K = config.answers
    texts = answer(policy, ask(config.ranked).repeat_interleave(K, 0))
    groups, marks = texts.reshape(-1, K, 5), right(texts).reshape(-1, K)
    for _ in range(config.reward_updates):
        index = torch.randint(config.ranked, (48,))  # all pairs of a prompt in one batch, as section 3.5 says
        loss = ranking_loss(model(groups[index].flatten(0, 1))[:, -1].reshape(-1, K), marks[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        test = answer(policy, ask(300).repeat_interleave(2, 0))
        gap, truth = model(test)[:, -1].reshape(-1, 2).diff(dim=1), right(test).reshape(-1, 2).diff(dim=1)
    return model, float(((gap > 0) == (truth > 0))[truth != 0].float().mean())


def improve(
    policy: gpt3.GPT3,
    value: Scored,
    start: gpt3.GPT3,
    reward: Scored,
    optimizer: torch.optim.Optimizer,
    config: Config,
) -> float:
    """One step of stage 3; returns the mean KL from the supervised model, in nats an answer."""
    texts = answer(policy, ask(config.batch))
    with torch.no_grad():
        old = log_probs(policy, texts)
        divergence = old - log_probs(start, texts)  # (B, 2)
        # (2)   objective = E[r(x, y) - beta log(pi_RL(y | x) / pi_SFT(y | x))] + gamma E[log pi_RL(x_pretrain)]
        rewards = -config.kl * divergence
        rewards[:, -1] += reward(texts)[:, -1]
        values = F.pad(value(texts)[:, 2:-1], (0, 1))  # (B, 3), nothing follows the last letter
        advantages = ppo.gae(rewards.T, values.T, torch.zeros(LENGTH, len(texts)), 1.0, 0.95).T
        returns = advantages + values[:, :-1]
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-6)
    for _ in range(2):
        gain = ppo.clipped(log_probs(policy, texts), old, advantages, config.clip).mean()
        miss = (value(texts)[:, 2:-1] - returns).square().mean()
        kept = log_probs(policy, pretraining_text(config.batch, config.obedient)).mean()
        loss = 0.5 * miss - gain - config.pretrain_weight * kept
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(divergence.sum(1).mean())


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    policy = build(config)
    test, total = ask(400), config.updates + 10
    optimizer = torch.optim.Adam(policy.parameters(), 3e-3)
    for update in range(1, config.pretraining + 1):
        imitate(policy, optimizer, pretraining_text(64, config.obedient))
        if update % max(1, config.pretraining // 8) == 0:
            followed = float((right(answer(policy, test)) == LENGTH).float().mean())
            yield Step(min(8, update * 8 // config.pretraining), total, {"pretrained": followed})
    prompts = ask(config.demonstrations)
    shown = torch.cat([prompts, obey(prompts)], 1)
    optimizer = torch.optim.Adam(policy.parameters(), 5e-4)
    for _ in range(config.supervised):
        imitate(policy, optimizer, shown)
    baseline = float((right(answer(policy, test)) == LENGTH).float().mean())
    fixed = {"pretrained": followed, "baseline": baseline}
    yield Step(9, total, dict(fixed))
    reward, pairs = learn_reward(config, policy)
    fixed["pairs ranked right"] = pairs
    yield Step(10, total, dict(fixed))
    start, value = copy.deepcopy(policy), copy.deepcopy(reward)  # section 3.5: the value starts from the reward model
    optimizer = torch.optim.Adam([*policy.parameters(), *value.parameters()], config.rate)
    for update in range(1, config.updates + 1):
        away = improve(policy, value, start, reward, optimizer, config)
        if update % max(1, config.updates // 10) == 0:
            texts = answer(policy, test)
            followed = float((right(texts) == LENGTH).float().mean())
            first = texts[0].tolist()
            asked, said = ("".join("abcd???"[i] for i in part) for part in (first[1:3], first[3:]))
            sample = f"{TASKS[first[0] - LETTERS]} {asked} -> {said}"
            yield Step(10 + update, total, {"instructions followed": followed, "KL": away, **fixed}, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
