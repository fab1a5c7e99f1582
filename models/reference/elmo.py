r"""ELMo: a word's vector is the state of a two-way language model, so that it depends on the sentence.

M. E. Peters et al., "Deep contextualized word representations", arXiv:1802.05365, sections 3.1 (two-way language
model), 3.2 (equation 1) and 3.4 (the sizes); the reader of characters: R. Jozefowicz et al., arXiv:1602.02410, and Y.
Kim et al., arXiv:1508.06615; code allenai/bilm-tf.

What it changes against word2vec: no fixed vector a word. Its letters give the input, two stacks of LSTMs with smaller
outputs than cells read from the left and from the right, and a task weighs the layers it uses.
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
from ailineage.models.reference.data import seeded, text, unigram

METADATA = {
    "node": "elmo",
    "title": {"en": "ELMo", "zh": "ELMo 语境词向量"},
    "year": 2018,
    "paper": {
        "title": "Deep contextualized word representations",
        "arxiv": "1802.05365",
        "sections": "3.1, 3.2, 3.4; equation 1",
    },
    "parents": ["word2vec", "lstm"],
    "demo": {
        "task": {
            "en": "Guesses each word of unread articles from those on its left, and from those on its right",
            "zh": "在未读过的文章中，由左边的词、也由右边的词猜出每个词",
        },
        "metric": "nats a word",
        "target": 4.28,
        "baseline": "the words' frequencies alone",
        "margin": 0.08,
        "lower": True,
    },
    # allenai.org/allennlp/software/elmo gives 93.6 million for "original" (4096 cells, projected to 512, 2 highways),
    # 28.0 for "medium" (2048 / 256 / 1) and 13.6 for "small" (1024 / 128 / 1), rounded: without the softmax, with the
    # four weights of equation 1. By hand: 4 LSTMs 75,563,008, highways 16,785,408, projection 1,049,088, filters
    # 199,168, letters 4,192
    "presets": {"original": 93_600_868, "medium": 28_027_748, "small": 13_593_316},
}


@dataclass(frozen=True)
class Config:
    symbols: int = 262  # bytes, marks of word and sentence, and padding
    letters: int = 10  # of a word with its two marks; 50 in the paper
    letter_width: int = 8  # of a letter's vector
    filters: tuple[tuple[int, int], ...] = ((1, 8), (2, 16), (3, 40))  # width in letters, how many
    highways: int = 1  # layers between filters and projection
    cells: int = 64  # of an LSTM
    width: int = 32  # of its output, and of a word's vector in each direction
    layers: int = 2  # L, in each direction
    words: int = 0  # of the softmax, which is only needed to train
    known: int = 500  # words that are to be guessed; all others count as one
    length: int = 16  # words in a piece
    batch: int = 24  # pieces a step
    updates: int = 300  # training steps
    rate: float = 1.5e-2  # highest of Adam; the paper's code used Adagrad


_FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024))
TINY = Config(filters=((1, 4), (2, 4)), cells=8, width=8, known=50, updates=8)
PRESETS = {
    "original": Config(262, 50, 16, _FILTERS, 2, 4096, 512),
    "medium": Config(262, 50, 16, _FILTERS, 1, 2048, 256),
    "small": Config(262, 50, 16, _FILTERS, 1, 1024, 128),
}
PAD, BEGIN_WORD, END_WORD = 261, 258, 259


def letters(word: str, length: int) -> list[int]:
    """A word's bytes between its marks, padded."""
    ids = [BEGIN_WORD, *list(word.encode())[: length - 2], END_WORD]
    return ids + [PAD] * (length - len(ids))


class Spelling(nn.Module):
    """Letters (N, S) -> a word's vector (N, C): convolutions, the largest of each, highways, projection."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c, total = config, sum(count for _, count in config.filters)
        self.embed = nn.Embedding(c.symbols, c.letter_width)
        self.filters = nn.ModuleList(nn.Conv1d(c.letter_width, count, width) for width, count in c.filters)
        self.highways = nn.ModuleList(nn.Linear(total, 2 * total) for _ in range(c.highways))
        self.project = nn.Linear(total, c.width)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids).transpose(1, 2)  # (N, S) -> (N, D, S)
        x = torch.cat([F.relu(conv(x).amax(2)) for conv in self.filters], 1)  # (N, filters)
        for highway in self.highways:
            # y = g H(x) + (1 - g) x,   g = sigma(W_g x + b_g)
            h, g = highway(x).chunk(2, 1)
            x = torch.sigmoid(g) * F.relu(h) + (1 - torch.sigmoid(g)) * x
        return self.project(x)


class ProjectedLSTM(nn.Module):
    """(B, T, C) -> (B, T, C): an LSTM whose output and recurrent input are projected down, cut at 3."""

    def __init__(self, width: int, cells: int) -> None:
        super().__init__()
        self.cells = cells
        self.gates = nn.Linear(2 * width, 4 * cells)
        self.project = nn.Linear(cells, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        B, T, C = x.shape
        h, c, outputs = x.new_zeros(B, C), x.new_zeros(B, self.cells), []
        for t in range(T):
            i, g, f, o = self.gates(torch.cat([x[:, t], h], 1)).chunk(4, 1)  # each (B, cells)
            # c_t = sigma(f + 1) c_{t-1} + sigma(i) tanh(g);   h_t = W_p (sigma(o) tanh(c_t))
            c = (torch.sigmoid(f + 1) * c + torch.sigmoid(i) * torch.tanh(g)).clamp(-3, 3)
            h = self.project(torch.sigmoid(o) * torch.tanh(c)).clamp(-3, 3)
            outputs.append(h)
        return torch.stack(outputs, 1)


class ELMo(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.spelling = Spelling(c)
        self.forwards, self.backwards = (
            nn.ModuleList(ProjectedLSTM(c.width, c.cells) for _ in range(c.layers)) for _ in range(2)
        )
        self.mix, self.gamma = nn.Parameter(torch.zeros(c.layers + 1)), nn.Parameter(torch.ones(1))
        self.softmax = nn.Linear(c.width, c.words) if c.words else None  # Theta_s, of both directions

    def states(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Word vectors (B, T, C) -> for each layer, 0 first, the states (B, T, C) of both directions."""
        found = [(x, x)]
        for j, (left, right) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            a, b = found[-1]
            new_a, new_b = left(a), right(b.flip(1)).flip(1)
            # section 3.4: a residual connection from the first to the second layer
            found.append((new_a + a, new_b + b) if j else (new_a, new_b))
        return found

    def forward(self, ids: Tensor) -> Tensor:
        """Letters (B, T, S) -> vectors in context (B, T, 2C)."""
        B, T, _ = ids.shape
        layers = self.states(self.spelling(ids.flatten(0, 1)).reshape(B, T, -1))
        # (1)   ELMo_k = gamma sum_{j=0..L} s_j h_{k,j},   h_{k,j} = [forward; backward],   s = softmax(w)
        h = torch.stack([torch.cat(pair, -1) for pair in layers])  # (L + 1, B, T, 2C)
        return self.gamma * (self.mix.softmax(0)[:, None, None, None] * h).sum(0)

    def surprise(self, x: Tensor, targets: Tensor) -> Tensor:
        """Nats a word of the two-way model, for word vectors (B, T, C) and the words' numbers (B, T)."""
        assert self.softmax is not None
        left, right = self.states(x)[-1]
        # 3.1   sum_k log p(t_k | t_1, ..., t_{k-1}) + log p(t_k | t_{k+1}, ..., t_N)
        after = F.cross_entropy(self.softmax(left[:, :-1]).flatten(0, 1), targets[:, 1:].flatten())
        before = F.cross_entropy(self.softmax(right[:, 1:]).flatten(0, 1), targets[:, :-1].flatten())
        return (after + before) / 2


def build(config: Config) -> ELMo:
    return ELMo(config)


def spelled(model: ELMo, table: Tensor, ids: Tensor) -> Tensor:
    """Vectors (B, T, C) of words by number (B, T), each different word read once."""
    different, where = ids.unique(return_inverse=True)
    return model.spelling(table[different])[where]


@torch.no_grad()
def nearest_use(model: ELMo, table: Tensor, ids: Tensor, words: list[str], word: str) -> str:
    """A place where `word` stands and the other place where its vector is nearest, with their neighbours."""
    T = 12
    rows = ids[: len(ids) // T * T].reshape(-1, T)[:120]  # (B, T)
    vectors = model(table[rows])
    places = [(int(b), int(t)) for b, t in (rows == words.index(word)).nonzero() if 2 <= t < T - 2]
    if len(places) < 2:
        return ""
    v = F.normalize(torch.stack([vectors[b, t] for b, t in places]), dim=1)
    other = int((v @ v[0] - 2 * (torch.arange(len(v)) == 0).float()).argmax())
    return " ~ ".join(" ".join(words[int(i)] for i in rows[b, t - 2 : t + 3]) for b, t in (places[0], places[other]))


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    tokens = re.findall(r"[a-z]+|[.,;:]", re.sub(r"\(node:[^)]*\)", "", text("en", 150_000).lower()))
    words = [word for word, _ in Counter(tokens).most_common()]
    number = {word: i for i, word in enumerate(words)}
    table = torch.tensor([letters(word, config.letters) for word in words])  # (words, S)
    ids = torch.tensor([number[word] for word in tokens])
    train, held_out = ids[: len(ids) * 9 // 10], ids[len(ids) * 9 // 10 :]
    rare = config.known  # the number under which all words less frequent are to be guessed
    model = build(Config(**{**vars(config), "words": rare + 1}))
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], config.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates, pct_start=0.2)
    T = config.length
    test = held_out[: len(held_out) // T * T].reshape(-1, T)  # (N, T)
    test = test[torch.randperm(len(test))[:120]]
    baseline = unigram(train.clamp(max=rare), test.flatten().clamp(max=rare), rare + 1)
    for update in range(1, config.updates + 1):
        start = torch.randint(len(train) - T, (config.batch,))
        piece = train[start[:, None] + torch.arange(T)]  # (B, T)
        loss = model.surprise(spelled(model, table, piece), piece.clamp(max=rare))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        if update % max(1, config.updates // 10) == 0:
            with torch.no_grad():
                nats = float(model.surprise(spelled(model, table, test), test.clamp(max=rare)))
            metrics = {"nats a word": nats, "loss": float(loss.detach()), "baseline": baseline}
            yield Step(update, config.updates, metrics, nearest_use(model, table, held_out, words, "network") or None)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
