r"""Mark I Perceptron: a camera of 400 photocells, randomly wired units, and learning by motor-driven potentiometers.

J. C. Hay, B. E. Lynch and D. R. Smith, "Mark I Perceptron Operators' Manual", Cornell Aeronautical Laboratory, Report
VG-1196-G-5, 1960; F. Rosenblatt, "Principles of Neurodynamics", 1962, chapter 5.

What it changes against the perceptron: it is the machine. 20x20 sensory units feed 512 association units through random
fixed wires, and only the weights from these to the response units are learned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ailineage.models.reference import Step, main
from ailineage.models.reference.perceptron import Perceptron

METADATA = {
    "node": "mark1-perceptron",
    "title": {"en": "Mark I Perceptron", "zh": "Mark I 感知机"},
    "year": 1960,
    "paper": {
        "title": "Mark I Perceptron Operators' Manual",
        "url": "https://apps.dtic.mil/sti/citations/AD0236965",
        "sections": "general description; Principles of Neurodynamics, chapter 5",
    },
    "parents": ["perceptron"],
    "demo": {
        "task": {
            "en": "The letters E and F, shifted, a twentieth of the photocells wrong, told apart on unseen examples",
            "zh": "区分平移且有二十分之一光电池出错的字母 E 与 F，在未见样例上评测",
        },
        "metric": "test accuracy",
        "target": 0.9,
        "baseline": "always the more frequent letter",
        "margin": 0.3,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    units: int = 512  # association units
    excite: int = 20  # wires from photocells that excite each of them
    inhibit: int = 20  # wires that inhibit it
    examples: int = 600  # letters shown for training
    epochs: int = 30  # passes over them
    noise: float = 0.05  # share of photocells that report the opposite
    shift: int = 2  # a letter is moved by up to so many cells in each direction


TINY = Config(examples=60, epochs=3)
PRESETS: dict[str, Config] = {}


class MarkI:
    """Retina (N, 400) -> association units (N, A) -> one response unit."""

    def __init__(self, config: Config, random: np.random.Generator) -> None:
        self.wires = np.zeros((400, config.units))
        for unit in range(config.units):
            places = random.permutation(400)[: config.excite + config.inhibit]
            self.wires[places[: config.excite], unit] = 1
            self.wires[places[config.excite :], unit] = -1
        self.thresholds = np.zeros(config.units)
        self.response = Perceptron(config.units, 1.0)

    def associate(self, retina: np.ndarray) -> np.ndarray:
        # a_j = 1 if sum_i c_ij s_i > theta_j, else 0;   c_ij in {-1, 0, 1} is never changed
        return (retina @ self.wires > self.thresholds).astype(float)  # (N, 400) -> (N, A)

    def __call__(self, retina: np.ndarray) -> np.ndarray:
        # r = 1 if sum_j v_j a_j + b > 0; the v_j are the motor-driven potentiometers
        return self.response(self.associate(retina))


def letters(config: Config, count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Retinas (count, 400) of 0 and 1 with an E (1) or an F (0)."""
    labels = random.integers(0, 2, count)
    retina = np.zeros((count, 20, 20))
    for picture, label in zip(retina, labels, strict=True):
        y, x = (3 + random.integers(-config.shift, config.shift + 1) for _ in range(2))
        picture[y : y + 14, x + 2 : x + 5] = 1
        for top in (0, 6, 11)[: 2 + label]:
            picture[y + top : y + top + 3, x + 2 : x + 12] = 1
    wrong = random.random(retina.shape) < config.noise
    return np.where(wrong, 1 - retina, retina).reshape(count, 400), labels


def build(config: Config) -> MarkI:
    return MarkI(config, np.random.default_rng(0))


def run(config: Config, seed: int = 0) -> Iterator[Step]:
    random = np.random.default_rng(seed)
    machine = MarkI(config, random)
    x, t = letters(config, config.examples, random)
    x_test, t_test = letters(config, 500, random)
    a = machine.associate(x)
    baseline = float((t_test == round(t.mean())).mean())
    picture = (x_test[:8].reshape(8, 20, 20).transpose(1, 0, 2).reshape(20, 160) * 255).astype(np.uint8)
    for epoch in range(1, config.epochs + 1):
        mistakes = machine.response.learn(a, t)
        accuracy = float((machine(x_test) == t_test).mean())
        metrics = {"test accuracy": accuracy, "mistakes": mistakes, "baseline": baseline}
        yield Step(epoch, config.epochs, metrics, picture=picture.repeat(3, 0).repeat(3, 1))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
