r"""Hidden Markov model: a chain of states that nobody sees, each of which utters a symbol.

L. Baum, T. Petrie, "Statistical Inference for Probabilistic Functions of Finite State Markov Chains", 1966; the
algorithms and equation numbers are those of L. Rabiner, "A Tutorial on Hidden Markov Models and Selected Applications
in Speech Recognition", Proceedings of the IEEE 77(2), 1989, section III (A: forward, B: Viterbi, C: Baum-Welch) and
V.A (scaling). The demonstration is R. Cave and L. Neuwirth's, "Hidden Markov Models for English", 1980.

What it changes against A. Markov's chain of vowels and consonants in Onegin, 1913: nobody tells it which letters are
vowels. Whatever the states are, the text has to teach it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import text

METADATA = {
    "node": "hmm",
    "title": {"en": "Hidden Markov model", "zh": "隐马尔可夫模型"},
    "year": 1966,
    "paper": {
        "title": "A Tutorial on Hidden Markov Models and Selected Applications in Speech Recognition",
        "doi": "10.1109/5.18626",
        "sections": "III.A to III.C, equations 13 to 40, V.A (scaling)",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "Two hidden states find out by themselves which letters of our articles are vowels",
            "zh": "两个隐藏状态自己从本库英文文章中分出元音和辅音",
        },
        "metric": "letters right",
        "target": 0.9,
        "baseline": "taking every letter for a consonant",
        "margin": 0.2,
    },
    "presets": {},
}

SYMBOLS = "abcdefghijklmnopqrstuvwxyz "


@dataclass(frozen=True)
class Config:
    states: int = 2  # N
    symbols: int = len(SYMBOLS)  # M: the letters and the space
    characters: int = 30_000  # of text to learn from
    length: int = 100  # T, characters of one sequence
    starts: int = 10  # random beginnings, for the climb may end on a lower hill
    first: int = 20  # rounds of Baum-Welch from each of them; the likeliest goes on
    iterations: int = 80  # further rounds


TINY = Config(characters=2000, starts=2, first=5, iterations=5)
PRESETS: dict[str, Config] = {}


class Messages(NamedTuple):
    """Scaled forward and backward variables (B, T, N) and the scale (B, T), P(o_t | o_1 .. o_t-1)."""

    alpha: np.ndarray
    beta: np.ndarray
    scale: np.ndarray


class HMM:
    """Start pi (N,), transitions a (N, N) from row to column, emissions b (N, M): lambda = (A, B, pi)."""

    def __init__(self, states: int, symbols: int, random: np.random.Generator) -> None:
        # random: from equal states no learning could tell them apart
        self.pi, self.a, self.b = (
            _rows(0.2 + random.random(shape)) for shape in (states, (states, states), (states, symbols))
        )

    def messages(self, o: np.ndarray) -> Messages:
        """Observations o (B, T) -> forward and backward variables, each step divided by its sum."""
        B, T = o.shape
        emit = self.b.T[o]  # (B, T, N), b_j(o_t)
        alpha, beta, scale = np.empty(emit.shape), np.ones(emit.shape), np.empty((B, T))
        for t in range(T):
            # (19), (20)   alpha_1(i) = pi_i b_i(o_1),   alpha_t+1(j) = [sum_i alpha_t(i) a_ij] b_j(o_t+1)
            alpha[:, t] = (self.pi if t == 0 else alpha[:, t - 1] @ self.a) * emit[:, t]
            scale[:, t] = alpha[:, t].sum(1)
            alpha[:, t] /= scale[:, t, None]
        for t in reversed(range(T - 1)):
            # (25)   beta_t(i) = sum_j a_ij b_j(o_t+1) beta_t+1(j)
            beta[:, t] = (emit[:, t + 1] * beta[:, t + 1]) @ self.a.T / scale[:, t + 1, None]
        return Messages(alpha, beta, scale)

    def log_probability(self, o: np.ndarray) -> np.ndarray:
        """Logarithms of P(o | lambda), (B,), of observations (B, T): (103), the sum of the scales' logarithms."""
        return np.log(self.messages(o).scale).sum(1)

    def viterbi(self, o: np.ndarray) -> tuple[np.ndarray, float]:
        """The likeliest states (T,) behind one sequence (T,), and the logarithm of their joint probability."""
        with np.errstate(divide="ignore"):
            a, emit, delta = np.log(self.a), np.log(self.b.T[o]), np.log(self.pi)
        back = np.zeros(emit.shape, int)
        delta = delta + emit[0]
        for t in range(1, len(o)):
            # (33)   delta_t(j) = max_i [delta_t-1(i) a_ij] b_j(o_t), in logarithms;   psi_t(j) = the i it came from
            reach = delta[:, None] + a  # (N, N)
            back[t] = reach.argmax(0)
            delta = reach.max(0) + emit[t]
        path = [int(delta.argmax())]
        for t in range(len(o) - 1, 0, -1):
            path.append(int(back[t, path[-1]]))
        return np.array(path[::-1]), float(delta.max())

    def learn(self, o: np.ndarray) -> float:
        """One round of Baum-Welch on observations (B, T); log P per symbol before it, which no round can lower."""
        alpha, beta, scale = self.messages(o)
        # (27)   gamma_t(i) = P(state i at t | o) = alpha_t(i) beta_t(i) / P(o); the scales have divided already
        gamma = alpha * beta  # (B, T, N)
        # (37)   xi_t(i, j) = alpha_t(i) a_ij b_j(o_t+1) beta_t+1(j) / P(o), here summed over t and sequences
        later = self.b.T[o[:, 1:]] * beta[:, 1:] / scale[:, 1:, None]  # (B, T - 1, N)
        xi = np.einsum("bti,btj->ij", alpha[:, :-1], later) * self.a
        # (40)   pi_i, a_ij and b_j(k) become the expected shares of starts, moves and utterances
        self.pi, self.a = _rows(gamma[:, 0].sum(0)), _rows(xi)
        counts = np.zeros_like(self.b.T)  # (M, N)
        np.add.at(counts, o.ravel(), gamma.reshape(-1, gamma.shape[-1]))
        self.b = _rows(counts.T)
        return float(np.log(scale).mean())


def _rows(x: np.ndarray) -> np.ndarray:
    return x / x.sum(-1, keepdims=True)


def build(config: Config, random: np.random.Generator | None = None) -> HMM:
    return HMM(config.states, config.symbols, random or np.random.default_rng(0))


def letters(config: Config) -> np.ndarray:
    """Our English articles in small letters and single spaces, as sequences (B, T) of ids."""
    plain = "".join(c if c in SYMBOLS else " " for c in text("en", 2 * config.characters).lower())
    ids = np.array([SYMBOLS.index(c) for c in " ".join(plain.split())[: config.characters]])
    return ids[: len(ids) // config.length * config.length].reshape(-1, config.length)


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random, o = np.random.default_rng(seed), letters(config)
    vowel, space = np.isin(o, [SYMBOLS.index(c) for c in "aeiou"]), o == SYMBOLS.index(" ")
    baseline = float((~vowel[~space]).mean())
    frequency = _rows(np.bincount(o.ravel(), minlength=config.symbols) + 1.0)
    alone = {"frequencies alone": float(-np.log(frequency[o]).mean())}
    models, total = [build(config, random) for _ in range(config.starts)], config.starts * config.first
    found = []
    for start, model in enumerate(models, 1):
        found.append([-model.learn(o) for _ in range(config.first)][-1])
        yield Step(start * config.first, total + config.iterations, alone | {"nats a character": found[-1]})
    best = models[int(np.argmin(found))]
    for iteration in range(1, config.iterations + 1):
        metrics = alone | {"nats a character": -best.learn(o)}
        if iteration % 5 == 0 and iteration < config.iterations:
            yield Step(total + iteration, total + config.iterations, metrics)
    # name the states: the one that is likelier to say "e" is the vowels'
    speaker = int(best.b[:, SYMBOLS.index("e")].argmax())
    paths = np.stack([best.viterbi(line)[0] for line in o])  # (B, T)
    right = float(((paths == speaker) == vowel)[~space].mean())
    shown, marks = o[0, :70], paths[0, :70] == speaker
    sample = "".join(SYMBOLS[i] for i in shown) + "\n" + "".join("^" if mark else " " for mark in marks)
    own = "".join(c for i, c in enumerate(SYMBOLS) if best.b[:, i].argmax() == speaker)
    metrics |= {"letters right": right, "baseline": baseline}
    total += config.iterations
    yield Step(total, total, metrics, sample=f"{sample}\nsymbols of the vowels' state: {own!r}")


if __name__ == "__main__":
    raise SystemExit(main(__file__))
