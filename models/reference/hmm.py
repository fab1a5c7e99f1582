r"""Hidden Markov model: a chain of states that is seen only through what each of them emits.

L. E. Baum, T. Petrie, G. Soules and N. Weiss, "A Maximization Technique Occurring in the Statistical Analysis of
Probabilistic Functions of Markov Chains", Annals of Mathematical Statistics 41(1), 1970; notation and equation numbers
of L. R. Rabiner, "A Tutorial on Hidden Markov Models", Proceedings of the IEEE 77(2), 1989, section III.

The demonstration is R. L. Cave and L. P. Neuwirth's (1980): two states that have seen only letters find vowels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import text

METADATA = {
    "node": "hmm",
    "title": {"en": "Hidden Markov model", "zh": "隐马尔可夫模型"},
    "year": 1966,
    "paper": {
        "title": "Statistical Inference for Probabilistic Functions of Finite State Markov Chains",
        "doi": "10.1214/aoms/1177699147",
        "sections": "Baum et al. 1970; Rabiner 1989, section III",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "Two hidden states fitted to English letters by Baum-Welch tell vowels from consonants",
            "zh": "用 Baum-Welch 拟合英文字母的两个隐状态，自己分出元音和辅音",
        },
        "metric": "letters in the right class",
        "target": 0.88,
        "baseline": "every letter a consonant",
        "margin": 0.04,
    },
    "presets": {},
}

LETTERS = " abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Config:
    states: int = 2  # N
    length: int = 6000  # T, letters read
    rounds: int = 60  # of Baum-Welch
    starts: int = 6  # random starts, of which the likeliest goes on: Baum-Welch finds a local maximum only
    trial: int = 20  # rounds of each start


TINY = Config(length=1500, rounds=8, starts=2, trial=4)
PRESETS: dict[str, Config] = {}


class HMM:
    """Start pi (N,), transitions a (N, N), emissions b (N, M)."""

    def __init__(self, states: int, symbols: int, random: np.random.Generator) -> None:
        self.pi = random.dirichlet(np.full(states, 20.0))
        self.a = random.dirichlet(np.full(states, 20.0), states)
        self.b = random.dirichlet(np.full(symbols, 20.0), states)

    def forward(self, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scaled alpha (T, N) and the scales c (T,); log P(O) = sum_t log c_t."""
        alpha, scale = np.empty((len(seen), len(self.pi))), np.empty(len(seen))
        # (19)   alpha_1(i) = pi_i b_i(O_1)
        row = self.pi * self.b[:, seen[0]]
        for t in range(len(seen)):
            if t:
                # (20)   alpha_{t+1}(j) = (sum_i alpha_t(i) a_ij) b_j(O_{t+1})
                row = alpha[t - 1] @ self.a * self.b[:, seen[t]]
            scale[t] = row.sum()
            alpha[t] = row / scale[t]
        return alpha, scale

    def backward(self, seen: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Scaled beta (T, N)."""
        beta = np.ones((len(seen), len(self.pi)))
        for t in range(len(seen) - 2, -1, -1):
            # (25)   beta_t(i) = sum_j a_ij b_j(O_{t+1}) beta_{t+1}(j)
            beta[t] = self.a @ (self.b[:, seen[t + 1]] * beta[t + 1]) / scale[t + 1]
        return beta

    def learn(self, seen: np.ndarray) -> float:
        """One round of Baum-Welch; returns log P(O) before it, which never falls from round to round."""
        alpha, scale = self.forward(seen)
        beta = self.backward(seen, scale)
        # (27)   gamma_t(i) = alpha_t(i) beta_t(i) / P(O)
        gamma = alpha * beta
        # (37)   xi_t(i, j) = alpha_t(i) a_ij b_j(O_{t+1}) beta_{t+1}(j) / P(O), here summed over t
        xi = self.a * (alpha[:-1].T @ (self.b[:, seen[1:]].T * beta[1:] / scale[1:, None]))
        self.pi = gamma[0] / gamma[0].sum()
        # (40b)   a_ij = sum_t xi_t(i, j) / sum_t gamma_t(i)
        self.a = xi / xi.sum(1, keepdims=True)
        # (40c)   b_j(k) = sum_{t: O_t = k} gamma_t(j) / sum_t gamma_t(j)
        self.b = np.stack([np.bincount(seen, column, self.b.shape[1]) for column in gamma.T])
        self.b /= self.b.sum(1, keepdims=True)
        return float(np.log(scale).sum())

    def viterbi(self, seen: np.ndarray) -> np.ndarray:
        """The most probable states (T,), in logarithms."""
        with np.errstate(divide="ignore"):
            log_a, log_b, best = np.log(self.a), np.log(self.b), np.log(self.pi) + np.log(self.b[:, seen[0]])
        came = np.zeros((len(seen), len(self.pi)), int)
        for t in range(1, len(seen)):
            # (33a)   delta_t(j) = max_i (delta_{t-1}(i) a_ij) b_j(O_t)
            step = best[:, None] + log_a
            came[t] = step.argmax(0)
            best = step.max(0) + log_b[:, seen[t]]
        path = [int(best.argmax())]
        for t in range(len(seen) - 1, 0, -1):
            path.append(int(came[t, path[-1]]))
        return np.array(path[::-1])


def build(config: Config) -> HMM:
    return HMM(config.states, len(LETTERS), np.random.default_rng(0))


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    letters = "".join(c if c in LETTERS else " " for c in text("en", 4 * config.length).lower())
    seen = np.array([LETTERS.index(c) for c in " ".join(letters.split())[: config.length]])
    random = np.random.default_rng(seed)
    vowels = np.array([c in "aeiou" for c in LETTERS[1:]])
    total = config.starts + config.rounds
    tried = []
    for start in range(1, config.starts + 1):
        model = HMM(config.states, len(LETTERS), random)
        tried.append((max(model.learn(seen) for _ in range(config.trial)), start, model))
        yield Step(start, total, {"bits a letter": -tried[-1][0] / len(seen) / np.log(2)})
    model = max(tried)[2]
    for done in range(config.starts + 1, total + 1):
        log_likelihood = model.learn(seen)
        # which state each letter prefers; the state that prefers `e` is called the vowels'
        prefers = model.b.argmax(0) == model.b[:, LETTERS.index("e")].argmax()
        right = float((prefers[1:] == vowels).mean())
        found = "".join(c for c, is_vowel in zip(LETTERS, prefers, strict=True) if is_vowel)
        metrics = {"letters in the right class": right, "bits a letter": -log_likelihood / len(seen) / np.log(2)}
        metrics["baseline"] = float((~vowels).mean())
        yield Step(done, total, metrics, sample=f"state of e: {found!r}" if done == total else None)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
