r"""Whisper: speech to text by a plain Transformer, told by tokens which task to do.

A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", arXiv:2212.04356, sections 2.2 and
2.3, figure 1, table 1.

What it changes against the Transformer: the source is sound, a log-mel spectrogram that two convolutions shorten; the
layers are those of GPT-2 with attention to the sound. One decoder does every task, and tokens before the text say
which: here whether the digits are written as they are or translated into Chinese.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded
from ailineage.models.reference.transformer import Layer, causal

METADATA = {
    "node": "whisper",
    "title": {"en": "Whisper", "zh": "Whisper"},
    "year": 2022,
    "paper": {
        "title": "Robust Speech Recognition via Large-Scale Weak Supervision",
        "arxiv": "2212.04356",
        "sections": "2.2, 2.3, figure 1, table 1",
    },
    "parents": ["transformer", "gpt2"],
    "demo": {
        "task": {
            "en": "Noisy dial tones are written down as a number, in digits or in Chinese as a token demands",
            "zh": "把带噪声的电话拨号音写成号码，按标记的要求写成数字或汉字",
        },
        "metric": "exact match",
        "target": 0.9,
        "baseline": "the same model after the same training, listening to silence",
        "margin": 0.5,
    },
    # the released checkpoints: transformers' counts less the encoder's 1500 x width sinusoids, a parameter there and
    # a buffer in openai/whisper as here. Table 1 prints 39M, 74M, 244M, 769M and 1550M, all a little more than that
    "presets": {
        "tiny": 37_184_640,
        "base": 71_825_920,
        "small": 240_582_912,
        "medium": 762_321_920,
        "large": 1_541_384_960,
        "large-v3": 1_541_570_560,
    },
}


@dataclass(frozen=True)
class Config:
    mels: int = 80  # bands of the spectrogram
    frames: int = 44  # states of the encoder, one for every 20 ms
    symbols: int = 24  # vocabulary: ten digits, ten Chinese ones, the two tasks, the begin and the end
    context: int = 8  # longest text with its marks
    width: int = 64  # C
    heads: int = 4  # of each layer
    layers: int = 1  # of the encoder and of the decoder
    clips: int = 2000  # of training sound
    updates: int = 300  # training steps
    rate: float = 4e-3  # highest learning rate


TINY = Config(width=16, clips=64, updates=10)
PRESETS = {
    "tiny": Config(80, 1500, 51_865, 448, 384, 6, 4),
    "base": Config(80, 1500, 51_865, 448, 512, 8, 6),
    "small": Config(80, 1500, 51_865, 448, 768, 12, 12),
    "medium": Config(80, 1500, 51_865, 448, 1024, 16, 24),
    "large": Config(80, 1500, 51_865, 448, 1280, 20, 32),
    "large-v3": Config(128, 1500, 51_866, 448, 1280, 20, 32),
}
RATE, WINDOW, HOP = 16_000, 400, 160  # samples a second, in a window of 25 ms, and in a step of 10 ms


def mel_filters(mels: int) -> Tensor:
    """Triangles (mels, WINDOW / 2 + 1) over the frequencies, even on the mel scale, each of one area."""
    # Slaney's scale: linear, 200/3 Hz a mel, up to 1 kHz = 15 mel, then 27 mel for a factor of 6.4
    top = 15 + 27 * math.log(RATE / 2 / 1000) / math.log(6.4)
    m = np.linspace(0, top, mels + 2)
    hertz = np.where(m < 15, m * 200 / 3, 1000 * np.exp((m - 15) * math.log(6.4) / 27))
    f = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    left, middle, right = hertz[:-2, None], hertz[1:-1, None], hertz[2:, None]
    triangles = np.minimum((f - left) / (middle - left), (right - f) / (right - middle)).clip(0)
    return torch.tensor(triangles * 2 / (right - left), dtype=torch.float32)


def log_mel(sound: Tensor, mels: int) -> Tensor:
    """Sound (B, N) at 16 kHz -> spectrogram (B, mels, N / 160), section 2.2."""
    z = torch.stft(sound, WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True)[..., :-1]
    power = mel_filters(mels) @ z.abs() ** 2  # (B, mels, T)
    x = power.clamp(min=1e-10).log10()
    x = x.maximum(x.amax((1, 2), keepdim=True) - 8)  # no more than 80 dB below the loudest
    return (x + 4) / 4


def waves(length: int, width: int) -> Tensor:
    """The Transformer's sinusoids (T, C), sines first, with wave lengths from 2 pi to 10,000 * 2 pi."""
    speed = torch.exp(-math.log(10_000) / (width // 2 - 1) * torch.arange(width // 2))
    angle = torch.arange(length)[:, None] * speed
    return torch.cat([angle.sin(), angle.cos()], 1)


def layer(width: int, heads: int, cross: bool) -> Layer:
    made = Layer(width, heads, 4 * width, cross=cross, pre_norm=True, activation=F.gelu)
    for attention in (made.attention, made.cross):
        if attention is not None:
            attention.k = nn.Linear(width, width, bias=False)  # a bias of the keys would leave the softmax as it is
    return made


class Whisper(nn.Module):
    """Spectrograms (B, mels, 2 S) and ids (B, T) -> logits of the next id (B, T, V)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.conv1 = nn.Conv1d(c.mels, c.width, 3, padding=1)
        self.conv2 = nn.Conv1d(c.width, c.width, 3, stride=2, padding=1)
        self.register_buffer("waves", waves(c.frames, c.width))
        self.encoder = nn.ModuleList(layer(c.width, c.heads, cross=False) for _ in range(c.layers))
        self.norm_sound = nn.LayerNorm(c.width)
        self.tokens = nn.Embedding(c.symbols, c.width)
        self.positions = nn.Parameter(torch.randn(c.context, c.width) * 0.01)
        self.decoder = nn.ModuleList(layer(c.width, c.heads, cross=True) for _ in range(c.layers))
        self.norm_text = nn.LayerNorm(c.width)
        nn.init.normal_(self.tokens.weight, std=0.02)
        for conv in (self.conv1, self.conv2):
            nn.init.kaiming_normal_(conv.weight)  # else the sinusoids drown the sound for long

    def encode(self, mel: Tensor) -> Tensor:
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)  # (B, mels, 2 S) -> (B, C, S) -> (B, S, C)
        x = x + self.waves
        for block in self.encoder:
            x = block(x)
        return self.norm_sound(x)

    def decode(self, ids: Tensor, sound: Tensor) -> Tensor:
        _, T = ids.shape
        x = self.tokens(ids) + self.positions[:T]  # (B, T, C)
        for block in self.decoder:
            x = block(x, causal(T).to(x.device), sound)
        return self.norm_text(x) @ self.tokens.weight.T  # (B, T, V), tied as in GPT-2

    def forward(self, mel: Tensor, ids: Tensor) -> Tensor:
        return self.decode(ids, self.encode(mel))

    @torch.no_grad()
    def transcribe(self, mel: Tensor, prompt: Tensor, length: int) -> Tensor:
        """The likeliest id at each step, after the prompt (B, P): (B, length)."""
        sound, ids = self.encode(mel), prompt
        for _ in range(length):
            ids = torch.cat([ids, self.decode(ids, sound)[:, -1:].argmax(-1)], 1)
        return ids[:, prompt.shape[1] :]


def build(config: Config) -> Whisper:
    return Whisper(config)


WRITE, TRANSLATE, BEGIN, END = 20, 21, 22, 23
SYMBOLS = [*"0123456789", *"零一二三四五六七八九", "<write>", "<translate>", "<begin>", ""]
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)  # hertz: ITU-T Q.23, keys 123 456 789 *0#
KEYS = "123456789*0#"


def dial(count: int, frames: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Clips (count, samples) of two to five dialled digits in noise, and their ids (count, 8) after begin and task."""
    rng = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
    length = frames * 2 * HOP
    sound, ids = np.zeros((count, length)), np.full((count, 8), END)
    for clip, line in zip(sound, ids, strict=True):
        number = rng.integers(10, size=rng.integers(2, 6))
        line[:2], chinese = (BEGIN, (WRITE, TRANSLATE)[word := rng.integers(2)]), word * 10
        line[2 : 2 + len(number)] = number + chinese
        start, loudness = rng.integers(200, 800), rng.uniform(0.2, 1.0)
        for digit in number:
            row, column = divmod(KEYS.index(str(digit)), 3)
            t = np.arange(rng.integers(1120, 1760)) / RATE  # 70 to 110 ms
            tone = np.sin(2 * np.pi * ROWS[row] * t) + np.sin(2 * np.pi * COLUMNS[column] * t)
            clip[start : start + len(t)] = loudness * tone
            start += len(t) + rng.integers(480, 800)  # a pause of 30 to 50 ms
        clip += rng.normal(size=length) * 0.3 * loudness
    return torch.tensor(sound, dtype=torch.float32), torch.tensor(ids)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    generator = torch.Generator().manual_seed(seed)
    (sound, ids), (sound_test, ids_test) = (dial(n, config.frames, generator) for n in (config.clips, 200))
    mel, mel_test = log_mel(sound, config.mels), log_mel(sound_test, config.mels)  # (N, mels, 2 S)
    silent = log_mel(torch.zeros_like(sound_test), config.mels)
    # section 2.2: scaled to about [-1, 1] with about zero mean over the training data
    middle, spread = mel.mean(), mel.std()
    mel, mel_test, silent = ((x - middle) / spread for x in (mel, mel_test, silent))
    model = build(config)
    optimizer = torch.optim.AdamW(model.parameters(), config.rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates, pct_start=0.15)

    def exact(heard: Tensor) -> tuple[float, str]:
        guess = model.transcribe(heard, ids_test[:, :2], 6)  # (N, 6)
        ended = (guess == END).cumsum(1) > 0
        guess = guess.masked_fill(ended, END)
        text = ["".join(SYMBOLS[i] for i in line) for line in (ids_test[0], [*ids_test[0, :2], *guess[0]])]
        return float((guess == ids_test[:, 2:]).all(1).float().mean()), f"{text[0]} -> {text[1]}"

    for update in range(1, config.updates + 1):
        index = torch.randint(len(mel), (48,))
        logits = model(mel[index], ids[index, :-1])[:, 1:]  # (B, 6, V): what follows the task
        loss = F.cross_entropy(logits.flatten(0, 1), ids[index, 2:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if update % max(1, config.updates // 12) == 0 or update == config.updates:
            share, sample = exact(mel_test)
            picture = (mel_test[0].flip(0).clamp(-2, 2) * 63 + 128).to(torch.uint8).numpy().repeat(3, 0).repeat(3, 1)
            metrics = {"exact match": share, "loss": float(loss.detach()), "baseline": exact(silent)[0]}
            yield Step(update, config.updates, metrics, sample=sample, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
