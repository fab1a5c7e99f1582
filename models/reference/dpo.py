r"""Direct preference optimization: a language model is its own reward model.

R. Rafailov, A. Sharma, E. Mitchell et al., "Direct Preference Optimization: Your Language Model is Secretly a Reward
Model", arXiv:2305.18290, sections 3 (equations 1 to 3) and 4 (equations 4 to 7).

What it changes against RLHF: no reward model is trained, nothing is sampled while training, and no reinforcement
learning takes place. The best policy under a KL penalty is known in closed form; solved for the reward and put into the
model of preferences it gives a loss of the policy itself, as plain as that of logistic regression.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, gpt2, main
from ailineage.models.reference.data import Characters, alphabet, seeded, text, windows

METADATA = {
    "node": "dpo",
    "title": {"en": "Direct preference optimization (DPO)", "zh": "直接偏好优化（DPO）"},
    "year": 2023,
    "paper": {
        "title": "Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
        "arxiv": "2305.18290",
        "sections": "3 and 4, equations 1 to 7",
    },
    "parents": ["gpt2", "logistic_regression", "reinforcement_learning"],
    "demo": {
        "task": {
            "en": "A net that continues our articles learns from pairs of its answers that short words are preferred",
            "zh": "续写本库文章的网络从自己的成对回答中学会：人们偏好短词",
        },
        "metric": "preferred to the reference",
        "target": 0.85,
        "baseline": "the reference's own answers against each other",
        "margin": 0.2,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    model: gpt2.Config = field(default=gpt2.Config(width=48, layers=1))  # the language model
    beta: float = 0.5  # weight of the KL penalty
    prompt: int = 12  # characters given
    answer: int = 20  # characters written
    pairs: int = 300  # of answers to compare, written once by the reference
    pretraining: int = 200  # training steps of the reference
    updates: int = 60  # training steps on preferences
    batch: int = 32  # pairs a step
    rate: float = 5e-3  # highest learning rate of the reference; on preferences a twentieth


TINY = Config(gpt2.Config(width=16, layers=1), pairs=20, pretraining=10, updates=10)
PRESETS: dict[str, Config] = {}


def log_probability(model: nn.Module, ids: Tensor, answer: int) -> Tensor:
    """Logarithms of pi(y | x), (B,), of the last `answer` ids of (B, T) after the ones before."""
    logs = model(ids[:, :-1]).log_softmax(-1)  # (B, T - 1, V)
    return logs.gather(-1, ids[:, 1:, None])[:, -answer:, 0].sum(1)


def dpo_loss(policy: tuple[Tensor, Tensor], reference: tuple[Tensor, Tensor], beta: float) -> Tensor:
    """The loss, from log pi of the preferred and of the other answers, (B,) each, by the policy and the reference."""
    # (4)   the best policy is  pi_r(y | x) = 1 / Z(x) pi_ref(y | x) exp(r(x, y) / beta)
    # (5)   so the reward is    r(x, y) = beta log(pi_r(y | x) / pi_ref(y | x)) + beta log Z(x)
    preferred, other = (beta * (p - r) for p, r in zip(policy, reference, strict=True))
    # (6)   p(y_w > y_l | x) = sigma(r(x, y_w) - r(x, y_l)): Z(x) cancels
    # (7)   L_DPO = -E log sigma(beta log pi(y_w)/pi_ref(y_w) - beta log pi(y_l)/pi_ref(y_l))
    return -F.logsigmoid(preferred - other).mean()


@torch.no_grad()
def write(model: nn.Module, prompts: Tensor, length: int) -> Tensor:
    """Prompts (B, P) -> the same with `length` sampled ids behind (B, P + length)."""
    ids = prompts
    for _ in range(length):
        ids = torch.cat([ids, torch.multinomial(model(ids)[:, -1].softmax(-1), 1)], 1)
    return ids


def taste(ids: Tensor, answer: int, characters: Characters) -> Tensor:
    """What the judge goes by, (B,): the number of words begun in the answer, a space that follows a letter each."""
    letter = torch.tensor([symbol.isalpha() for symbol in characters.symbols])[ids[:, -answer - 1 :]]  # (B, A + 1)
    space = ids[:, -answer:] == characters.ids[" "]
    return (letter[:, :-1] & space).sum(1)


def build(config: Config) -> nn.Module:
    return gpt2.build(config.model)


def pretrain(model: nn.Module, ids: Tensor, config: Config) -> Iterator[tuple[int, float]]:
    """Teach the reference to continue text; updates and the loss now and then."""
    c = config
    optimizer = torch.optim.AdamW(model.parameters(), c.rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, c.rate, total_steps=c.pretraining)
    for update in range(1, c.pretraining + 1):
        x, y = windows(ids, 24, c.model.context)
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if update % max(1, c.pretraining // 8) == 0:
            yield update, float(loss.detach())


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    source = text("en", 120_000)
    characters = alphabet(source)
    c = replace(config, model=replace(config.model, symbols=len(characters), context=config.prompt + config.answer))
    ids, total = characters.encode(source), c.pretraining + c.updates
    reference = build(c)
    for update, nats in pretrain(reference, ids[: len(ids) * 9 // 10], c):
        yield Step(update, total, {"loss of the reference": nats})
    # the preferences: the judge compares two answers to the same prompt and takes the one with more words
    prompts = windows(ids[: len(ids) * 9 // 10], c.pairs, c.prompt)[0]
    one, two = write(reference, prompts, c.answer), write(reference, prompts, c.answer)
    first, second = taste(one, c.answer, characters), taste(two, c.answer, characters)
    keep = first != second
    better = torch.where((first > second)[:, None], one, two)[keep]
    worse = torch.where((first > second)[:, None], two, one)[keep]
    with torch.no_grad():
        known = log_probability(reference, better, c.answer), log_probability(reference, worse, c.answer)
    policy = copy.deepcopy(reference)
    optimizer = torch.optim.Adam(policy.parameters(), c.rate / 20)
    new = windows(ids[len(ids) * 9 // 10 :], 200, c.prompt)[0]
    theirs, also_theirs = write(reference, new, c.answer), write(reference, new, c.answer)

    def wins(answers: Tensor) -> float:
        """How often the judge prefers them to the reference's, a draw counting half."""
        ours, others = taste(answers, c.answer, characters), taste(theirs, c.answer, characters)
        return float(((ours > others) + 0.5 * (ours == others)).mean())

    baseline = wins(also_theirs)
    for update in range(1, c.updates + 1):
        index = torch.randint(len(better), (c.batch,))
        now = tuple(log_probability(policy, answers[index], c.answer) for answers in (better, worse))
        loss = dpo_loss(now, (known[0][index], known[1][index]), c.beta)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        if update % max(1, c.updates // 6) == 0:
            ours = write(policy, new, c.answer)
            with torch.no_grad():
                distance = log_probability(policy, ours, c.answer) - log_probability(reference, ours, c.answer)
            metrics = {"preferred to the reference": wins(ours), "loss": float(loss.detach()), "baseline": baseline}
            metrics["KL from the reference"] = float(distance.mean())
            lines = [characters.decode(line[0]).replace("\n", " ") for line in (theirs, ours)]
            sample = "\n".join(f"{line[: c.prompt]}|{line[c.prompt :]}" for line in lines)
            yield Step(c.pretraining + update, total, metrics, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
