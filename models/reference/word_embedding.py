r"""Neural probabilistic language model: words become vectors, and similar words lend each other their statistics.

Y. Bengio, R. Ducharme, P. Vincent and C. Jauvin, "A Neural Probabilistic Language Model", Journal of Machine Learning
Research 3, 2003, section 2 (equation 1). N-grams treat each word as a symbol of its own and fall silent on sequences
they have not seen; here a matrix C of word vectors is learned together with the network that reads them.

What it changes against the multilayer perceptron: its first layer is one table, shared by all places of the window.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import minibatches, seeded, text, unigram

METADATA = {
    "node": "word-embedding",
    "title": {"en": "Word embedding (neural language model)", "zh": "词嵌入（神经概率语言模型）"},
    "year": 2003,
    "paper": {
        "title": "A Neural Probabilistic Language Model",
        "url": "https://www.jmlr.org/papers/v3/bengio03a.html",
        "sections": "2, equation 1, table 2",
    },
    "parents": ["mlp", "softmax"],
    "demo": {
        "task": {
            "en": "Four words of our articles foretell the fifth; held-out words cost fewer nats",
            "zh": "根据我们条目中的前四个词预测第五个词，使未见文本的每词奈特数更低",
        },
        "metric": "nats a word",
        "target": 5.1,
        "baseline": "word frequencies",
        "margin": 0.3,
        "lower": True,
    },
    # section 2: |V| (1 + n m + h) + h (1 + (n - 1) m) free parameters; table 2, AP News, MLP10 with direct connections:
    # |V| = 17,964, n = 6, h = 60, m = 100
    "presets": {"AP News MLP10": 11_904_264},
}


@dataclass(frozen=True)
class Config:
    words: int = 1500  # |V|, with one for all rarer words
    order: int = 5  # n: n - 1 words are read
    width: int = 40  # m, numbers a word
    hidden: int = 60  # h
    direct: bool = False  # the optional connections W from the word vectors to the output
    characters: int = 220_000  # of our articles
    epochs: int = 4  # passes
    rate: float = 3e-3  # of Adam, falls to zero; the paper used SGD at 1e-3


TINY = Config(words=200, characters=20_000, epochs=1)
PRESETS = {"AP News MLP10": Config(17_964, 6, 100, 60, direct=True)}


class Model(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        window = (c.order - 1) * c.width
        self.table = nn.Embedding(c.words, c.width)  # C
        self.hidden, self.out = nn.Linear(window, c.hidden), nn.Linear(c.hidden, c.words)  # H and d, U and b
        self.direct = nn.Linear(window, c.words, bias=False) if c.direct else None  # W

    def forward(self, ids: Tensor) -> Tensor:  # (B, n - 1) -> (B, |V|)
        # x = (C(w_{t-1}), C(w_{t-2}), ..., C(w_{t-n+1}))
        x = self.table(ids).flatten(1)
        # (1)   y = b + W x + U tanh(d + H x)
        y = self.out(torch.tanh(self.hidden(x)))
        return y if self.direct is None else y + self.direct(x)

    def nearest(self, word: int, count: int = 4) -> list[int]:
        """The words whose vectors have the largest cosine with a word's."""
        table = F.normalize(self.table.weight.detach(), dim=1)
        return (table @ table[word]).topk(count + 1).indices.tolist()[1:]


def build(config: Config) -> Model:
    return Model(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    prose = re.sub(r"\]\(node:[^)]*\)", "]", text("en", config.characters)).lower()
    words = re.findall(r"[a-z]+(?:-[a-z]+)*|[.,;:]|\d+", prose)
    words = ["0" if word.isdigit() else word for word in words]
    vocabulary = ["?", *(word for word, _ in Counter(words).most_common(config.words - 1))]
    number = {word: n for n, word in enumerate(vocabulary)}
    ids = torch.tensor([number.get(word, 0) for word in words])
    windows = ids.unfold(0, config.order, 1)  # (N, n)
    train, held_out = windows[: len(windows) * 9 // 10], windows[len(windows) * 9 // 10 :]
    baseline = unigram(train[:, -1], held_out[:, -1], config.words)
    model = build(config)
    optimizer = torch.optim.AdamW(model.parameters(), config.rate, weight_decay=0.1)
    batches = -(-len(train) // 128)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, config.epochs * batches)
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(train), 128):
            loss = F.cross_entropy(model(train[index, :-1]), train[index, -1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            nats = float(F.cross_entropy(model(held_out[:, :-1]), held_out[:, -1]))
        shown = [word for word in ("image", "two", "was", "translation") if word in number]
        near = "; ".join(f"{word}: {' '.join(vocabulary[n] for n in model.nearest(number[word]))}" for word in shown)
        metrics = {"nats a word": nats, "loss": float(loss.detach()), "baseline": baseline}
        yield Step(epoch, config.epochs, metrics, sample=near)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
