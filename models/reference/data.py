"""What the demonstrations share: data sets, the date task, a seeding wrapper, one plain training loop, pictures.

Everything here is deterministic: the split of the digits is always the same, generated tasks take a seed.
"""

from __future__ import annotations

import datetime
import functools
import importlib.resources
import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step

C = TypeVar("C")


def seeded(run: Callable[[C, int], Iterator[Step]]) -> Callable[..., Iterator[Step]]:
    """Give a demonstration its own torch random stream, and the caller's back to it at every yield."""

    @functools.wraps(run)
    def wrapper(config: C, seed: int = 0) -> Iterator[Step]:
        outer = torch.get_rng_state()
        torch.manual_seed(seed)
        steps = run(config, seed)
        while True:
            try:
                step = next(steps)
            except StopIteration:
                return
            finally:
                inner = torch.get_rng_state()
                torch.set_rng_state(outer)
            yield step
            outer = torch.get_rng_state()
            torch.set_rng_state(inner)

    return wrapper


class Split(NamedTuple):
    """Images (N, 1, S, S) in [0, 1] with labels (N,), for training and for testing."""

    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor

    def first(self, count: int) -> Split:
        """The same split with `count` training examples at most."""
        return Split(self.x[:count], self.y[:count], self.x_test, self.y_test)


@functools.cache
def digits(size: int = 8) -> Split:
    """The 1797 digits of scikit-learn, enlarged to `size` pixels: 1437 for training, 360 for testing."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    x = torch.tensor(data.images[order] / 16, dtype=torch.float32)[:, None]  # (N, 1, 8, 8)
    y = torch.tensor(data.target[order])
    if size != 8:
        x = F.interpolate(x, size=(size, size), mode="bilinear", align_corners=False)
    return Split(x[:1437], y[:1437], x[1437:], y[1437:])


def nearest_mean(split: Split) -> float:
    """Test accuracy of giving each image the class whose mean training image is nearest: a measured baseline."""
    means = torch.stack([split.x[split.y == c].mean(0).flatten() for c in range(int(split.y.max()) + 1)])
    guess = torch.cdist(split.x_test.flatten(1), means).argmin(1)
    return float((guess == split.y_test).float().mean())


def minibatches(count: int, size: int) -> Iterator[Tensor]:
    """Indices of one pass over `count` examples in random order, in batches of `size`."""
    yield from torch.randperm(count).split(size)


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor, batch: int = 256) -> float:
    """Share of the examples whose largest logit is the label's; the model is in evaluation mode meanwhile."""
    training = model.training
    model.eval()
    hits = sum(int((model(a).argmax(-1) == b).sum()) for a, b in zip(x.split(batch), y.split(batch), strict=True))
    model.train(training)
    return hits / len(y)


def classify(
    model: nn.Module, split: Split, epochs: int, optimizer: torch.optim.Optimizer, batch: int = 32
) -> Iterator[tuple[int, float, float]]:
    """Train on cross-entropy; after each pass the number of passes, mean training loss and test accuracy.

    A model that returns (logits, auxiliary logits...) while training has the auxiliaries weighted by 0.3.
    """
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for index in minibatches(len(split.x), batch):
            out, target = model(split.x[index]), split.y[index]
            first, *others = out if isinstance(out, tuple) else (out,)
            loss = F.cross_entropy(first, target)
            for other in others:
                loss = loss + 0.3 * F.cross_entropy(other, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach()) * len(index)
        yield epoch, total / len(split.x), accuracy(model, split.x_test, split.y_test)


@functools.cache
def oracle() -> nn.Module:
    """A small convolutional classifier of the 8x8 digits, trained once, that judges generated pictures."""
    outer = torch.get_rng_state()
    torch.manual_seed(0)
    conv = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU())
    model = nn.Sequential(conv, nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(512, 10))
    with torch.enable_grad():
        for _ in classify(model, digits(), 8, torch.optim.Adam(model.parameters(), 2e-3)):
            pass
    torch.set_rng_state(outer)
    return model.eval().requires_grad_(False)


def grid(images: Tensor, columns: int = 10, scale: int = 3) -> np.ndarray:
    """Images (N, H, W) in [0, 1] side by side as one (rows*H, columns*W) uint8 picture, enlarged `scale` times."""
    n, h, w = images.shape
    rows = -(-n // columns)
    cells = torch.zeros(rows * columns, h, w)
    cells[:n] = images.detach().clamp(0, 1)
    table = cells.reshape(rows, columns, h, w).permute(0, 2, 1, 3).reshape(rows * h, columns * w)
    return (table.numpy() * 255).astype(np.uint8).repeat(scale, 0).repeat(scale, 1)


@functools.cache
def text(language: str = "en", limit: int = 200_000) -> str:
    """The library's own articles in one language, in order of their names, cut at `limit` characters."""
    folder = importlib.resources.files("ailineage.corpus") / "articles"
    names = sorted(item.name for item in folder.iterdir() if (item / f"{language}.md").is_file())
    pieces, size = [], 0
    for name in names:
        pieces.append((folder / name / f"{language}.md").read_text(encoding="utf-8"))
        size += len(pieces[-1])
        if size >= limit:
            break
    return "\n".join(pieces)[:limit]


class Characters:
    """A vocabulary of single characters; one seen less than `least` times is written as the character with id 0."""

    def __init__(self, source: str, least: int = 1) -> None:
        counts = {c: source.count(c) for c in set(source)}
        self.symbols = ["�", *sorted(c for c, n in counts.items() if n >= least)]
        self.ids = {c: i for i, c in enumerate(self.symbols)}

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, source: str) -> Tensor:
        """Ids (T,) of a text."""
        return torch.tensor([self.ids.get(c, 0) for c in source])

    def decode(self, ids: Sequence[int] | Tensor) -> str:
        """The text of ids (T,)."""
        return "".join(self.symbols[int(i)] for i in ids)


def unigram(train: Tensor, held_out: Tensor, size: int) -> float:
    """Nats a symbol of the held-out ids under the training ids' frequencies, one added to each count."""
    counts = torch.bincount(train, minlength=size).double() + 1
    return float(-(counts / counts.sum()).log()[held_out].mean())


def windows(ids: Tensor, count: int, length: int) -> tuple[Tensor, Tensor]:
    """`count` random pieces (count, length) of ids and the same shifted by one: inputs and targets."""
    start = torch.randint(len(ids) - length - 1, (count,))[:, None] + torch.arange(length)
    return ids[start], ids[start + 1]


PAD, BEGIN, END = 0, 1, 2
_MONTHS = "january february march april may june july august september october november december".split()


class Dates(NamedTuple):
    """The date task as ids: sources (N, S) and targets (N, 12) that begin with BEGIN and end with END, 0-padded."""

    source: Tensor
    target: Tensor
    source_size: int
    target_size: int
    raw: tuple[str, ...]


_SOURCE = Characters("abcdefghijklmnopqrstuvwxyz0123456789 /.,年月日")
TARGET_SYMBOLS = "0123456789-"


def dates(count: int, seed: int) -> Dates:
    """Dates of 1900-2099 in five ways of writing, English and Chinese, with "1998-03-03" as their translation."""
    rng = random.Random(seed)
    day = datetime.date(1900, 1, 1).toordinal()
    raw, targets = [], []
    for _ in range(count):
        date = datetime.date.fromordinal(day + rng.randrange(73_000))
        y, m, d = date.year, date.month, date.day
        name = _MONTHS[m - 1]
        ways = (f"{d} {name} {y}", f"{name} {d}, {y}", f"{d:02}/{m:02}/{y}", f"{name[:3]} {d} {y}", f"{y}年{m}月{d}日")
        raw.append(ways[rng.randrange(5)])
        targets.append([BEGIN, *(3 + TARGET_SYMBOLS.index(c) for c in date.isoformat()), END])
    source = torch.zeros(count, 19, dtype=torch.long)
    for row, line in zip(source, raw, strict=True):
        ids = _SOURCE.encode(line) + 2
        row[: len(ids) + 1] = torch.cat([ids, torch.tensor([END])])
    return Dates(source, torch.tensor(targets), len(_SOURCE) + 2, 3 + len(TARGET_SYMBOLS), tuple(raw))


def date_text(ids: Tensor) -> str:
    """A target's ids as text, without the marks of begin and end."""
    return "".join(TARGET_SYMBOLS[int(i) - 3] for i in ids if i >= 3)


def translate_dates(
    model: nn.Module, greedy: Callable[[Tensor, int], Tensor], updates: int, batch: int, rate: float, seed: int
) -> Iterator[tuple[int, dict[str, float], str]]:
    """Train model(source, target so far) -> logits on dates; now and then (updates, metrics, sample) on 400 others.

    `greedy(source, length)` decodes (N, S) into (N, length) ids. The baseline is the share of exact matches of
    an untrained reader: the most frequent symbol at each place of the training targets.
    """
    train, test = dates(6000, seed), dates(400, 10_000 + seed)
    common = train.target.mode(0).values
    baseline = float((test.target == common).all(1).float().mean())
    optimizer = torch.optim.Adam(model.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=updates, pct_start=0.2)
    for update in range(1, updates + 1):
        index = torch.randint(len(train.source), (batch,))
        source, target = train.source[index], train.target[index]
        model.train()
        logits = model(source, target[:, :-1])  # (B, 11, V)
        loss = F.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if update % max(1, updates // 12) == 0 or update == updates:
            model.eval()
            with torch.no_grad():
                guess = greedy(test.source, 11)
            exact = float((guess == test.target[:, 1:]).all(1).float().mean())
            metrics = {"exact match": exact, "loss": float(loss.detach()), "baseline": baseline}
            yield update, metrics, f"{test.raw[0]} -> {date_text(guess[0])}"


def learn_text(
    model: nn.Module, source: str, updates: int, batch: int, length: int, rate: float, least: int = 20
) -> Iterator[tuple[int, dict[str, float], str]]:
    """Train model(ids (B, T)) -> logits (B, T, V) to continue our articles; now and then (updates, metrics, a sample).

    The last tenth of the text is held out; `nats a character` and the unigram `baseline` are measured on it. The
    model must have room for `alphabet(source, least)` symbols.
    """
    characters = alphabet(source, least)
    ids = characters.encode(source)
    train, held_out = ids[: len(ids) * 9 // 10], ids[len(ids) * 9 // 10 :]
    baseline = unigram(train, held_out, len(characters))
    optimizer = torch.optim.AdamW(model.parameters(), rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=updates, pct_start=0.15)
    x_test, y_test = windows(held_out, 60, length)
    for update in range(1, updates + 1):
        model.train()
        x, y = windows(train, batch, length)
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if update % max(1, updates // 10) == 0:
            model.eval()
            with torch.no_grad():
                nats = float(F.cross_entropy(model(x_test).flatten(0, 1), y_test.flatten()))
                line = x_test[:1, : length // 2]
                for _ in range(60):
                    chances = model(line[:, -length:])[:, -1].softmax(-1)
                    line = torch.cat([line, torch.multinomial(chances, 1)], 1)
            metrics = {"nats a character": nats, "loss": float(loss.detach()), "baseline": baseline}
            text_so_far = characters.decode(line[0]).replace("\n", " ")
            yield update, metrics, f"{text_so_far[: length // 2]}|{text_so_far[length // 2 :]}"


@functools.cache
def alphabet(source: str, least: int = 20) -> Characters:
    """The characters that occur `least` times in a text."""
    return Characters(source, least)


def shapes(count: int, seed: int, size: int = 32) -> tuple[Tensor, Tensor]:
    """Noisy pictures (count, 1, size, size) of three discs and boxes, and where they are (count, size, size) in {0, 1}.

    The shapes differ in brightness, some are darker than the ground, which slopes: no threshold separates them.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    pictures, masks = np.zeros((count, 1, size, size)), np.zeros((count, size, size), int)
    for i in range(count):
        image = 0.3 * (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1)) / size
        for _ in range(3):
            cx, cy, r = rng.uniform(4, size - 4), rng.uniform(4, size - 4), rng.uniform(3, 6)
            disc = (x - cx) ** 2 + (y - cy) ** 2 < r * r
            box = (abs(x - cx) < r) & (abs(y - cy) < r * 0.7)
            inside = disc if rng.random() < 0.5 else box
            image = np.where(inside, rng.choice([-1, 1]) * rng.uniform(0.6, 1.0), image)
            masks[i] |= inside
        pictures[i, 0] = image + rng.normal(size=(size, size), scale=0.2)
    return torch.tensor(pictures, dtype=torch.float32), torch.tensor(masks)


def overlap(guess: Tensor, mask: Tensor) -> float:
    """Intersection over union of two sets of pixels."""
    return float((guess & mask).sum() / (guess | mask).sum().clamp(min=1))


def segment(
    model: nn.Module, epochs: int, rate: float, seed: int
) -> Iterator[tuple[int, dict[str, float], np.ndarray]]:
    """Train model (B, 1, S, S) -> (B, 2, S, S) on shapes; after each pass (passes, metrics, a picture).

    The baseline is the best single threshold on the brightness, chosen on the training pictures.
    """
    (x, y), (x_test, y_test) = shapes(400, seed), shapes(100, 10_000 + seed)
    cuts = [float(c) for c in torch.linspace(-1, 1, 21)]
    best = max(cuts, key=lambda c: overlap(x[:, 0] > c, y == 1))
    baseline = overlap(x_test[:, 0] > best, y_test == 1)
    optimizer = torch.optim.Adam(model.parameters(), rate)
    for epoch in range(1, epochs + 1):
        model.train()
        for index in minibatches(len(x), 16):
            loss = F.cross_entropy(model(x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            guess = torch.cat([model(piece).argmax(1) for piece in x_test.split(50)])  # (N, S, S)
        rows = torch.cat([(x_test[:6, 0] + 1.5) / 3, y_test[:6].float(), guess[:6].float()])
        metrics = {"IoU": overlap(guess == 1, y_test == 1), "loss": float(loss.detach()), "baseline": baseline}
        yield epoch, metrics, grid(rows, columns=6, scale=2)


@torch.no_grad()
def judge(images: Tensor) -> tuple[float, int]:
    """Share of pictures (N, 1, 8, 8) that the oracle takes for some digit with more than 0.9; how many digits occur."""
    chances, classes = oracle()(images).softmax(1).max(1)
    sure = classes[chances > 0.9]
    counts = sure.bincount(minlength=10)
    return len(sure) / len(images), int((counts >= 0.02 * len(images)).sum())


class Balls(NamedTuple):
    """Balls of uniform fog that do not touch: centres (K, 3), radii (K,), densities (K,) and colours (K, 3)."""

    centres: Tensor
    radii: Tensor
    densities: Tensor
    colours: Tensor


def two_balls() -> Balls:
    """An orange ball and a smaller, thinner blue one: the scene of volume rendering, NeRF and Gaussian splatting."""
    centres = torch.tensor([[0.0, 0.0, 0.0], [0.9, 0.25, 0.3]])
    colours = torch.tensor([[1.0, 0.5, 0.1], [0.1, 0.4, 0.9]])
    return Balls(centres, torch.tensor([0.6, 0.35]), torch.tensor([6.0, 4.0]), colours)


def camera(azimuth: float, elevation: float = 0.4, distance: float = 4.0, size: int = 32) -> tuple[Tensor, Tensor]:
    """Origins and unit directions (size * size, 3) of the rays through the pixels of a camera that looks at 0.

    Angles are in radians; z points up; the picture shows 1.4 to each side of the origin.
    """
    a, e = torch.tensor(azimuth), torch.tensor(elevation)
    back = torch.stack([e.cos() * a.cos(), e.cos() * a.sin(), e.sin()])
    right = torch.stack([-a.sin(), a.cos(), torch.tensor(0.0)])
    up = torch.linalg.cross(back, right)
    places = (torch.arange(size) + 0.5) / size * 2.8 - 1.4
    y, x = torch.meshgrid(-places, places, indexing="ij")
    target = x.reshape(-1, 1) * right + y.reshape(-1, 1) * up
    directions = F.normalize(target - distance * back, dim=1)
    return (distance * back).expand_as(directions), directions


def see_balls(balls: Balls, origins: Tensor, directions: Tensor, background: float = 1.0) -> Tensor:
    """What rays (R, 3) see of the balls, exactly: colours (R, 3) by closed form, ball after ball as they are met."""
    to_centre = balls.centres - origins[:, None]  # (R, K, 3)
    middle = (to_centre * directions[:, None]).sum(-1)  # (R, K), how far along the ray each centre is passed
    squared = to_centre.square().sum(-1) - middle.square()
    chord = 2 * (balls.radii.square() - squared).clamp(min=0).sqrt()
    through = torch.exp(-balls.densities * chord)  # (R, K), Beer and Lambert
    order = middle.argsort(1)
    colour, light = torch.zeros_like(directions), torch.ones(len(directions))
    for k in order.T:
        pass_on = through.gather(1, k[:, None])[:, 0]
        colour = colour + (light * (1 - pass_on))[:, None] * balls.colours[k]
        light = light * pass_on
    return colour + light[:, None] * background


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio in decibels of two pictures in [0, 1]."""
    return float(-10 * (a - b).square().mean().log10())


def cart_pole(state: np.ndarray, force: np.ndarray) -> np.ndarray:
    """States (..., 4) of place, speed, angle, angular speed after 0.02 s of Euler steps under forces (...) in newtons.

    A. Barto, R. Sutton and C. Anderson, 1983, appendix: cart 1 kg, pole 0.1 kg and 1 m long, both with friction.
    """
    _, v, a, w = np.moveaxis(state, -1, 0)
    sin, cos = np.sin(a), np.cos(a)
    cart = (-force - 0.05 * w * w * sin + 0.0005 * np.sign(v)) / 1.1
    turn = (9.8 * sin + cos * cart - 0.000002 * w / 0.05) / (0.5 * (4 / 3 - 0.1 * cos * cos / 1.1))
    push = (force + 0.05 * (w * w * sin - turn * cos) - 0.0005 * np.sign(v)) / 1.1
    return state + 0.02 * np.stack([v, push, w, turn], -1)


def fallen(state: np.ndarray) -> np.ndarray:
    """Whether the pole leans by more than 12 degrees or the cart has left its 4.8 m of track."""
    return (np.abs(state[..., 0]) > 2.4) | (np.abs(state[..., 2]) > 12 * np.pi / 180)


Board = tuple[int, ...]
"""Noughts and crosses: nine cells, 1 where the first player has moved, -1 where the second, 0 where nobody."""
_LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))


def placed(board: Board, cell: int, player: int) -> Board:
    """The board after a move."""
    return (*board[:cell], player, *board[cell + 1 :])


@functools.cache
def outcome(board: Board) -> int | None:
    """1 or -1 for a won game, 0 for a full board, None while it goes on."""
    sums = [board[a] + board[b] + board[c] for a, b, c in _LINES]
    return 1 if 3 in sums else -1 if -3 in sums else None if 0 in board else 0


@functools.cache
def perfect(board: Board, player: int) -> tuple[int, tuple[int, ...]]:
    """What the game is worth to the first player if both play perfectly, and all the best moves of who is to move."""
    result = outcome(board)
    if result is not None:
        return result, ()
    worth = {cell: perfect(placed(board, cell, player), -player)[0] for cell in range(9) if not board[cell]}
    best = player * max(player * value for value in worth.values())
    return best, tuple(cell for cell, value in worth.items() if value == best)


def score_games(
    choose: Callable[[Board, int], int], opponent: Callable[[Board, int], int], games: int
) -> tuple[float, float]:
    """Mean score (1 a win, 1/2 a draw) against an opponent, moving first in half the games, and share not lost."""
    points = []
    for game in range(games):
        board, player, mine = (0,) * 9, 1, 1 - 2 * (game % 2)
        while outcome(board) is None:
            board = placed(board, (choose if player == mine else opponent)(board, player), player)
            player = -player
        points.append(mine * (outcome(board) or 0))
    return float(np.mean(points)) / 2 + 0.5, float(np.mean([p >= 0 for p in points]))
