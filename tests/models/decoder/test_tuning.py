"""Tuning on a model of a few thousand weights; what the real base learns is measured by benchmarks/answers.py."""

import json
from dataclasses import replace

import pytest

from ailineage.errors import WeightsError
from ailineage.models.decoder.training.examples import Example
from ailineage.models.decoder.training.tuning import Settings, tune

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

TEXTS = [
    ("Evidence:\n[1] (BERT) BERT reads.\nQuestion: what does BERT do?\nAnswer:", " BERT reads. [1]\n"),
    ("Evidence:\n[1] (GPT) GPT writes.\nQuestion: what does GPT do?\nAnswer:", " GPT writes. [1]\n"),
    ("Evidence:\n[1] (GPT) GPT writes.\nQuestion: how old is GPT?\nAnswer:", " Not in the evidence.\n"),
]
EXAMPLES = [Example(p, a, "en", "encoders", p, a.startswith(" Not")) for p, a in TEXTS] * 8
SETTINGS = Settings(rank=8, rate=2e-2, epochs=4, batch=4, evaluate_every=6, patience=99)


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> str:
    """A tiny Gemma 3 with random weights and a tokenizer of characters."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast

    letters = sorted(set("".join(p + a for p, a in TEXTS)) | set("0123456789"))
    words = ["<pad>", "<eos>", "<bos>", *letters]
    tokenizer = Tokenizer(models.WordLevel({word: id for id, word in enumerate(words)}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    folder = tmp_path_factory.mktemp("base")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=512, pad_token_id=0, eos_token_id=1, bos_token_id=2,
        initializer_range=0.3,
    )  # fmt: skip
    Gemma3ForCausalLM(config).save_pretrained(folder)
    return str(folder)


def test_the_held_out_loss_falls_and_the_best_adapter_stays(base, tmp_path) -> None:
    measures = tune(base, EXAMPLES, EXAMPLES[:3], tmp_path, SETTINGS)
    assert measures[-1].loss < 0.9 * measures[0].loss
    assert measures[-1].step == 24
    assert measures[-1].seen == 96
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert report["examples"] == {"training": 24, "held_out": 3}
    assert min(m["loss"] for m in report["measures"]) == min(m.loss for m in measures)
    assert (tmp_path / "adapter_model.safetensors").is_file()


def test_a_run_that_is_resumed_ends_as_one_that_was_not(base, tmp_path) -> None:
    whole = tune(base, EXAMPLES, EXAMPLES[:3], tmp_path / "whole", SETTINGS)
    tune(base, EXAMPLES, EXAMPLES[:3], tmp_path / "parts", replace(SETTINGS, minutes=1e-9))
    first = json.loads((tmp_path / "parts" / "report.json").read_bytes())["measures"]
    assert first[-1]["step"] < 24
    rest = tune(base, EXAMPLES, EXAMPLES[:3], tmp_path / "parts", SETTINGS, resume=True)
    assert rest[-1].loss == pytest.approx(whole[-1].loss, abs=2e-3)


def test_batches_that_are_padded_give_the_same_loss(base, tmp_path) -> None:
    short = replace(SETTINGS, epochs=0.5)
    one = tune(base, EXAMPLES, EXAMPLES[:3], tmp_path / "one", replace(short, at_once=1))
    four = tune(base, EXAMPLES, EXAMPLES[:3], tmp_path / "four", replace(short, at_once=4))
    assert four[-1].loss == pytest.approx(one[-1].loss, abs=2e-3)


def test_an_adapter_can_be_begun_with(base, tmp_path) -> None:
    first = tune(base, EXAMPLES, EXAMPLES[:3], tmp_path / "first", SETTINGS)
    more = tune(
        base, EXAMPLES, EXAMPLES[:3], tmp_path / "more", replace(SETTINGS, epochs=0.2), start=tmp_path / "first"
    )
    assert more[0].training_loss < first[0].training_loss


def test_what_cannot_be_loaded_is_said_in_a_line(base, tmp_path) -> None:
    with pytest.raises(WeightsError, match="cannot be loaded"):
        tune(str(tmp_path), EXAMPLES, EXAMPLES, tmp_path / "out", SETTINGS)
    with pytest.raises(WeightsError, match="no run to resume"):
        tune(base, EXAMPLES, EXAMPLES, tmp_path / "none", SETTINGS, resume=True)
