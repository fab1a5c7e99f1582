r"""word2vec: a word is known by the company it keeps, as a vector.

T. Mikolov, K. Chen, G. Corrado and J. Dean, "Efficient Estimation of Word Representations in Vector Space",
arXiv:1301.3781 (skip-gram); T. Mikolov et al., "Distributed Representations of Words and Phrases and their
Compositionality", arXiv:1310.4546, section 2.2 (equation 4, negative sampling) and 2.3 (equation 5, subsampling).

What it changes against neural language models: no hidden layer and no softmax over the vocabulary. Two tables of
vectors are trained to tell true neighbours from random words, fast enough for billions of words.
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
from ailineage.models.reference.data import minibatches, seeded, text

METADATA = {
    "node": "word2vec",
    "title": {"en": "word2vec", "zh": "word2vec 词向量"},
    "year": 2013,
    "paper": {
        "title": "Distributed Representations of Words and Phrases and their Compositionality",
        "arxiv": "1310.4546",
        "sections": "2, 2.2, 2.3; equations 4 and 5; 1301.3781 section 3.2",
    },
    "parents": ["mlp"],
    "demo": {
        "task": {
            "en": "Word vectors from our English articles: tell unseen neighbours from random words",
            "zh": "由本库英文文章学习词向量：在未读过的文章里区分真正的邻词与随机词",
        },
        "metric": "loss on unseen neighbours",
        "target": 3.1,
        "baseline": "the untrained vectors, 6 ln 2 for five negatives",
        "margin": 0.8,
        "lower": True,
    },
    "presets": {},  # the released GoogleNews vectors are one table of 3,000,000 x 300; the papers count no parameters
}


@dataclass(frozen=True)
class Config:
    width: int = 64  # of a vector
    window: int = 4  # c: neighbours up to so many words away
    negatives: int = 5  # k random words for each true neighbour
    least: int = 5  # a word must occur so often
    threshold: float = 1e-3  # t of the subsampling of frequent words
    epochs: int = 5  # passes over the pairs
    rate: float = 1e-2  # of Adam; the paper used plain SGD
    limit: int = 200_000  # characters of text read


TINY = Config(width=8, epochs=1, limit=20_000)
PRESETS: dict[str, Config] = {}


class SkipGram(nn.Module):
    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.inputs, self.outputs = nn.Embedding(words, width), nn.Embedding(words, width)
        nn.init.uniform_(self.inputs.weight, -0.5 / width, 0.5 / width)
        nn.init.zeros_(self.outputs.weight)

    def forward(self, centre: Tensor, near: Tensor, far: Tensor) -> Tensor:
        """Centres and neighbours (B,), random words (B, K): the loss of each pair (B,)."""
        v = self.inputs(centre)[:, :, None]  # (B, D, 1)
        true = (self.outputs(near)[:, None] @ v)[:, 0, 0]  # (B, 1, D) @ (B, D, 1) -> (B,)
        false = (self.outputs(far) @ v)[..., 0]  # (B, K, D) @ (B, D, 1) -> (B, K)
        # (4)   log sigma(v'_O . v_I) + sum_k log sigma(-v'_k . v_I)
        return -F.logsigmoid(true) - F.logsigmoid(-false).sum(1)

    def neighbours(self, word: int, count: int) -> list[int]:
        table = F.normalize(self.inputs.weight.detach(), dim=1)  # (V, D)
        return (table @ table[word]).topk(count + 1).indices.tolist()[1:]


def pairs(ids: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """All (centre, neighbour) at distances up to a random one for each centre, both (P,)."""
    reach, found = torch.randint(1, window + 1, ids.shape), []
    for distance in range(1, window + 1):
        for a, b in ((slice(None, -distance), slice(distance, None)), (slice(distance, None), slice(None, -distance))):
            inside = reach[a] >= distance
            found.append(torch.stack([ids[a][inside], ids[b][inside]]))
    centre, near = torch.cat(found, 1)
    return centre, near


def build(config: Config) -> SkipGram:
    return SkipGram(3000, config.width)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    words = re.findall(r"[a-z]+", re.sub(r"\(node:[^)]*\)", "", text("en", config.limit).lower()))
    counts = Counter(words)
    known = sorted(word for word, n in counts.items() if n >= config.least)
    number = {word: i for i, word in enumerate(known)}
    ids = torch.tensor([number[word] for word in words if word in number])
    cut = len(ids) * 19 // 20
    train, held_out = ids[:cut], ids[cut:]
    frequency = torch.tensor([float(counts[word]) for word in known])
    # (5)   P(w is dropped) = 1 - sqrt(t / f(w))
    keep = (config.threshold / (frequency / frequency.sum())).sqrt().clamp(max=1)
    noise = frequency**0.75  # section 2.2: the unigram distribution to the power 3/4
    model = SkipGram(len(known), config.width)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    test = pairs(held_out, config.window)
    test_far = torch.multinomial(noise, len(test[0]) * config.negatives, replacement=True).reshape(len(test[0]), -1)
    with torch.no_grad():
        baseline = float(model(*test, test_far).mean())
    for epoch in range(1, config.epochs + 1):
        centre, near = pairs(train[torch.rand(len(train)) < keep[train]], config.window)
        for group in optimizer.param_groups:
            group["lr"] = config.rate * (1 - (epoch - 1) / config.epochs)
        for index in minibatches(len(centre), 1024):
            far = torch.multinomial(noise, len(index) * config.negatives, replacement=True).reshape(len(index), -1)
            loss = model(centre[index], near[index], far).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            unseen = float(model(*test, test_far).mean())
        sample = "\n".join(
            f"{word}: {', '.join(known[i] for i in model.neighbours(number[word], 5))}"
            for word in ("encoder", "image", "translation", "words")
            if word in number
        )
        metrics = {"loss on unseen neighbours": unseen, "loss": float(loss.detach()), "baseline": baseline}
        yield Step(epoch, config.epochs, metrics, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
