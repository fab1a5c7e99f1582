"""Fine-tune a causal language model with LoRA on examples: seeded, resumable, stopped early.

The loss is the cross-entropy of the answer's tokens alone; scores are computed at their places only, so that a large
vocabulary costs nothing over the prompt. LoRA: Hu et al., arXiv 2106.09685.

    <out>/adapter_model.safetensors, adapter_config.json    the best adapter so far (peft)
    <out>/report.json                                       settings, and the measures at every evaluation
    <out>/state.pt                                          what a resumed run starts from
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from ailineage.errors import WeightsError
from ailineage.models.decoder.runtime.base import DECLINED
from ailineage.models.decoder.training.examples import Example

if TYPE_CHECKING:
    import torch

STATE = "state.pt"
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
T = TypeVar("T")
_LONGEST = 1024
"""Tokens of an example; a longer one is left out."""


@dataclass(frozen=True)
class Settings:
    """How to tune.

    `batch` examples make one step of the optimizer, `at_once` of them pass through the model together (None: one, on
    a GPU sixteen); `patience`
    evaluations without a better held-out loss end the run, as does `minutes`.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    rate: float = 3e-4
    warmup: float = 0.05
    epochs: float = 3.0
    batch: int = 8
    at_once: int | None = None
    evaluate_every: int = 40
    patience: int = 4
    minutes: float | None = None
    seed: int = 0


@dataclass
class Measure:
    """What an evaluation on held-out examples gave, with the right answer's tokens before each place.

    `loss` is the mean cross-entropy of a token in nats; `declined` the share of examples whose first token rightly
    answers or declines; `cited` the share of citations that are right.
    """

    step: int
    seen: int
    loss: float
    declined: float
    cited: float
    training_loss: float
    minutes: float


@dataclass
class _State:
    """Where a run stands."""

    step: int = 0
    best: float = float("inf")
    since: int = 0
    minutes: float = 0.0
    measures: list[Measure] = field(default_factory=list)


def tune(
    base: str,
    training: Sequence[Example],
    held_out: Sequence[Example],
    out: Path,
    settings: Settings,
    *,
    device: str = "cpu",
    start: Path | None = None,
    resume: bool = False,
) -> list[Measure]:
    """Train an adapter and keep the one with the lowest held-out loss.

    Args:
        base: folder or hub name of a causal language model with safetensors.
        training: examples to learn from.
        held_out: examples to judge by; never learned from.
        out: folder of the adapter.
        settings: of the run.
        device: cpu (float32) or cuda (bfloat16).
        start: an adapter to begin with; a new one if None.
        resume: go on from the state in `out`.

    Raises:
        WeightsError: if the base cannot be loaded or there is no state to resume.
    """
    return _Run(base, training, held_out, out, settings, device, start).go(resume)


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in order, `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


class _Run:
    def __init__(
        self,
        base: str,
        training: Sequence[Example],
        held_out: Sequence[Example],
        out: Path,
        settings: Settings,
        device: str,
        start: Path | None = None,
    ) -> None:
        try:
            import torch
            from peft import LoraConfig, PeftModel, get_peft_model
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise WeightsError(
                f"training needs torch, transformers and peft ({error}); run `pip install peft`"
            ) from None
        torch.manual_seed(settings.seed)
        self.settings, self.device, self.out, self.base = settings, device, out, base
        self.at_once = settings.at_once or (16 if device == "cuda" else 1)
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(base)
            dtype = torch.bfloat16 if device == "cuda" else torch.float32
            model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
        except (OSError, ValueError) as error:
            raise WeightsError(f"{base}: cannot be loaded: {str(error).splitlines()[0]}") from None
        if start is not None:
            self.model: Any = PeftModel.from_pretrained(model.to(device), str(start), is_trainable=True)
        else:
            config = LoraConfig(
                r=settings.rank,
                lora_alpha=settings.alpha,
                lora_dropout=settings.dropout,
                target_modules=list(TARGETS),
                task_type="CAUSAL_LM",
            )
            self.model = get_peft_model(model.to(device), config)
        self.weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        for weight in self.weights:  # the adapter itself is always kept in float32
            weight.data = weight.data.float()
        self.training = [pair for example in training if (pair := self._encoded(example))]
        self.held_out = [pair for example in held_out if (pair := self._encoded(example))]
        self.total = max(int(settings.epochs * len(self.training) / settings.batch), 1)
        self.optimizer = torch.optim.AdamW(self.weights, lr=settings.rate, weight_decay=0.0)
        self.state = _State()

    def _encoded(self, example: Example) -> tuple[list[int], int] | None:
        """Ids of prompt and answer together, and how many are the answer's; None if they are too many."""
        prompt = self.tokenizer(example.prompt)["input_ids"]
        whole = self.tokenizer(example.prompt + example.answer)["input_ids"]
        same = next((n for n, (a, b) in enumerate(zip(prompt, whole, strict=False)) if a != b), len(prompt))
        return (whole, len(whole) - same) if len(whole) <= _LONGEST else None

    def go(self, resume: bool) -> list[Measure]:
        """Train to the end."""
        import torch
        from tqdm import tqdm

        self.out.mkdir(parents=True, exist_ok=True)
        if resume:
            self._load()
        before, began = self.state.minutes, time.monotonic()
        losses: list[float] = []
        with tqdm(total=self.total, initial=self.state.step, desc="tuning", unit="step", disable=None) as bar:
            for batch in self._batches():
                self.model.train()
                loss = self._step(batch)
                losses.append(loss)
                self.state.step += 1
                self.state.minutes = before + (time.monotonic() - began) / 60
                bar.update()
                bar.set_postfix(loss=f"{loss:.3f}", held_out=f"{self.state.best:.3f}")
                limit = self.settings.minutes
                last = self.state.step == self.total or (limit is not None and self.state.minutes >= limit)
                if last or self.state.step % self.settings.evaluate_every == 0:
                    self._evaluate(sum(losses) / len(losses))
                    losses = []
                    bar.write(str(self.state.measures[-1]))
                    if last or self.state.since >= self.settings.patience:
                        break
        torch.manual_seed(self.settings.seed)
        return self.state.measures

    def _batches(self) -> Iterator[list[tuple[list[int], int]]]:
        """The batches of the steps that are still to come; their order depends on the seed and the epoch alone."""
        step = epoch = 0
        while step < self.total:
            order = list(range(len(self.training)))
            random.Random(f"{self.settings.seed} {epoch}").shuffle(order)
            for chosen in _parts(order, self.settings.batch):
                if step >= self.state.step and step < self.total:
                    yield [self.training[n] for n in chosen]
                step += 1
            epoch += 1

    def _step(self, batch: list[tuple[list[int], int]]) -> float:
        import torch

        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate * self._schedule(self.state.step)
        tokens = sum(length for _, length in batch)
        said = 0.0
        for part in _parts(batch, self.at_once):
            loss, _, _ = self._loss(part)
            (loss / tokens).backward()
            said += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return said / tokens

    def _schedule(self, step: int) -> float:
        """The share of the learning rate at a step: linear warm-up, then a cosine down to a tenth."""
        import math

        warm = max(int(self.settings.warmup * self.total), 1)
        if step < warm:
            return (step + 1) / warm
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - warm) / max(self.total - warm, 1)))

    def _loss(self, part: Sequence[tuple[list[int], int]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of B examples: summed cross-entropy, most likely tokens (B, A), right ones (B, A; -100 where none is)."""
        import torch
        from torch.nn.functional import cross_entropy

        longest, answers = max(len(ids) for ids, _ in part), max(length for _, length in part)
        pad = self.tokenizer.pad_token_id or 0
        ids = torch.full((len(part), longest), pad)
        mask = torch.zeros((len(part), longest), dtype=torch.long)
        wanted = torch.full((len(part), answers), -100)
        for row, (one, length) in enumerate(part):  # padded on the left, so that all answers end together
            ids[row, longest - len(one) :] = torch.tensor(one)
            mask[row, longest - len(one) :] = 1
            wanted[row, answers - length :] = torch.tensor(one[-length:])
        ids, mask, wanted = ids.to(self.device), mask.to(self.device), wanted.to(self.device)
        places = (mask.cumsum(1) - 1).clamp(min=0)
        out = self.model(
            input_ids=ids, attention_mask=mask, position_ids=places, logits_to_keep=answers + 1, use_cache=False
        )
        scores = out.logits[:, :-1].float()
        loss = cross_entropy(scores.reshape(-1, scores.shape[-1]), wanted.reshape(-1), reduction="sum")
        return loss, scores.argmax(-1), wanted

    def _evaluate(self, training_loss: float) -> None:
        import torch

        self.model.eval()
        loss = tokens = 0.0
        decided: list[bool] = []
        cited: list[bool] = []
        with torch.inference_mode():
            for part in _parts(self.held_out, self.at_once):
                summed, likely, wanted = self._loss(part)
                loss += float(summed)
                tokens += float((wanted != -100).sum())
                for guess, right in zip(likely.tolist(), wanted.tolist(), strict=True):
                    first = next(place for place, id in enumerate(right) if id != -100)
                    decided.append(self._declines(guess[first]) == self._declines(right[first]))
                    opened = [n for n in range(first + 1, len(right)) if self._text(right[n - 1]).endswith("[")]
                    cited += [guess[n] == right[n] for n in opened]
        state = self.state
        measure = Measure(
            step=state.step,
            seen=state.step * self.settings.batch,
            loss=round(loss / max(tokens, 1), 4),
            declined=round(sum(decided) / max(len(decided), 1), 4),
            cited=round(sum(cited) / max(len(cited), 1), 4),
            training_loss=round(training_loss, 4),
            minutes=round(state.minutes, 1),
        )
        state.measures.append(measure)
        state.since = 0 if measure.loss < state.best else state.since + 1
        if state.since == 0:
            state.best = measure.loss
            self.model.save_pretrained(self.out)
        self._save()

    def _text(self, id: int) -> str:
        return str(self.tokenizer.decode([id]))

    def _declines(self, id: int) -> bool:
        """Whether a first token opens a line that declines."""
        said = self._text(id).strip()
        return bool(said) and any(line.startswith(said) for line in DECLINED.values())

    def _save(self) -> None:
        import torch
        from peft import get_peft_model_state_dict

        beside = self.out / ".state.pt"
        saved = {
            "adapter": get_peft_model_state_dict(self.model),
            "optimizer": self.optimizer.state_dict(),
            "state": asdict(self.state),
        }
        torch.save(saved, beside)
        beside.replace(self.out / STATE)
        report = {
            "base": Path(self.base).parent.name if Path(self.base).is_dir() else self.base,
            "settings": asdict(self.settings),
            "examples": {"training": len(self.training), "held_out": len(self.held_out)},
            "steps": self.total,
            "device": self.device,
            "measures": [asdict(measure) for measure in self.state.measures],
        }
        (self.out / "report.json").write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")

    def _load(self) -> None:
        import torch
        from peft import set_peft_model_state_dict

        if not (self.out / STATE).is_file():
            raise WeightsError(f"{self.out}: there is no run to resume")
        saved = torch.load(self.out / STATE, map_location=self.device, weights_only=True)
        set_peft_model_state_dict(self.model, saved["adapter"])
        self.optimizer.load_state_dict(saved["optimizer"])
        state = saved["state"]
        measures = [Measure(**measure) for measure in state.pop("measures")]
        self.state = _State(**state, measures=measures)
