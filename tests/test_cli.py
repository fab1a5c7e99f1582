"""The contract of the command line: every command exists, errors are one line and exit code 2, JSON is one document."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ailineage import cli

COMMANDS = (
    "build add remove documents ask search node lineage claims export sparql validate implementations run diff eval"
    " train ui doctor"
).split()


def invoke(*arguments: str) -> tuple[int, str, str]:
    """Run the command as a user would, in this process: exit code, standard output, standard error."""
    runner = CliRunner()
    result: Result = runner.invoke(_Main(), list(arguments))
    return result.exit_code, result.stdout, result.stderr


class _Main(cli.click.Command):
    """`cli.main` as something that click's runner can call."""

    def __init__(self) -> None:
        super().__init__("ailineage")

    def main(self, args: list[str] | None = None, **_: object) -> None:  # type: ignore[override]
        saved, sys.argv = sys.argv, ["ailineage", *(args or [])]
        try:
            cli.main()
        finally:
            sys.argv = saved


def test_every_command_of_the_contract_exists() -> None:
    assert sorted(cli.cli.commands) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    code, out, _ = invoke(command, "--help")
    assert code == 0
    assert "Usage:" in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nonsense"], "No such command"),
        (["ask"], "give a question"),
        (["ask", "   "], "question is empty"),
        (["ask", "x" * 100_000], "100,000 characters"),
        (["ask", "--batch", "in.jsonl"], "--out"),
        (["search", "x", "-k", "0"], "at least 1"),
        (["search", "x", "--mode", "magic"], "magic"),
        (["build", "/no/such/file.md"], "no such file"),
        (["build", "--only"], "--only needs"),
        (["add"], "Missing argument"),
        (["remove", "nothing.md"], "no document is called"),
        (["node", "Zorblatt-9000"], "no node is called"),
        (["lineage", "BERT", "Zorblatt-9000"], "no node is called"),
        (["claims", "--document", "nothing.md"], "no document is called"),
        (["export", "--format", "excel", "-o", "x"], "known are"),
        (["sparql", "SELECT nonsense"], "SPARQL: "),
        (["sparql", "DROP ALL"], "read-only"),
        (["run", "warp_drive"], "no implementation is called"),
        (["diff", "perceptron", "warp_drive"], "no implementation is called"),
        (["train", "--resume", "--out", "/no/such/run"], "/no/such/run"),
        (["train", "--start", "/no/such/adapter"], "/no/such/adapter"),
        (["ask", "hi", "--workspace", __file__], "this is a file"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(built: Path, arguments: list[str], complaint: str) -> None:
    if "--workspace" not in arguments:
        arguments = [*arguments, "--workspace", str(built)]
    code, _, err = invoke(*arguments)
    assert code == 2
    lines = [line for line in err.splitlines() if line.startswith("ailineage: ")]
    assert len(lines) == 1
    assert complaint in lines[0]
    assert "Traceback" not in err


def test_a_failed_build_keeps_what_was_published(built: Path, tmp_path: Path) -> None:
    before = (built / "graph" / "current").read_text()
    (tmp_path / "bad.txt").write_bytes(b"\0\0")
    code, _, _ = invoke("add", str(tmp_path / "bad.txt"), "--workspace", str(built))
    assert code == 2
    assert (built / "graph" / "current").read_text() == before


def document(*arguments: str) -> object:
    code, out, err = invoke(*arguments)
    assert code == 0, err
    return json.loads(out)


@pytest.mark.parametrize(
    "question",
    ["How did the Transformer lead to SAM?", "BERT 和 GPT 有什么区别？", "who proposed the perceptron", "ViT是什么"],
)
def test_an_answer_cites_spans_that_exist(built: Path, question: str) -> None:
    answer = document("ask", question, "--no-model", "--json", "--workspace", str(built))
    assert isinstance(answer, dict)
    assert set(answer) >= {
        *("question", "language", "answer", "refused", "sentences", "citations", "path", "model", "timings_ms"),
    }
    assert answer["question"] == question
    assert not answer["refused"]
    assert answer["language"] == ("en" if question.isascii() else "zh")
    numbers = {citation["n"] for citation in answer["citations"]}
    documents = _texts(built)
    for sentence in answer["sentences"]:
        assert sentence["citations"]
        assert set(sentence["citations"]) <= numbers
    for citation in answer["citations"]:
        assert citation["evidence"]
        for evidence in citation["evidence"]:
            text = documents[evidence["document"]]
            assert text[evidence["start"] : evidence["end"]] == evidence["text"]
    assert set(answer["timings_ms"]) == {"retrieve", "first_token", "total"}


def _texts(workspace: Path) -> dict[str, str]:
    version = (workspace / "graph" / "current").read_text().strip()
    lines = (workspace / "graph" / version / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    return {entry["id"]: entry["text"] for entry in map(json.loads, lines)}


@pytest.mark.parametrize("question", ["how tall is mount everest?", "附近有什么好吃的火锅店"])
def test_what_is_out_of_the_field_is_refused(built: Path, question: str) -> None:
    answer = document("ask", question, "--no-model", "--json", "--workspace", str(built))
    assert isinstance(answer, dict)
    assert answer["refused"]
    assert answer["answer"]


def test_lineage_from_the_transformer_to_sam(built: Path) -> None:
    path = document("lineage", "Transformer", "SAM", "--json", "--workspace", str(built))
    assert isinstance(path, dict)
    assert path["hops"][0]["parent"] == "transformer"
    assert path["hops"][-1]["child"] == "sam"
    for left, right in zip(path["hops"], path["hops"][1:], strict=False):
        assert left["child"] == right["parent"]
    assert all(hop["changed"] and hop["claims"] for hop in path["hops"])


def test_the_other_commands_print_what_the_contract_says(built: Path, tmp_path: Path) -> None:
    at = ("--workspace", str(built))
    node = document("node", "BERT", "--json", *at)
    assert isinstance(node, dict)
    assert node["id"] == "bert"
    assert all({"id", "subject", "relation", "document", "start", "end", "text"} <= set(c) for c in node["claims"])
    results = document("search", "注意力机制", "-k", "3", "--json", *at)
    assert isinstance(results, list)
    assert len(results) == 3
    assert all({"document", "title", "score", "text"} <= set(r) for r in results)
    assert isinstance(document("claims", "--json", *at), list)
    assert isinstance(document("documents", "--json", *at), list)
    found = document("implementations", "--json", *at)
    assert isinstance(found, list)
    assert {"id", "node", "title", "year", "presets", "demo"} <= set(found[0])
    doctor = document("doctor", "--json", *at)
    assert isinstance(doctor, dict)
    assert doctor["workspace"]["folder"] == str(built)
    out = tmp_path / "graph.json"
    assert invoke("export", "--format", "json", "-o", str(out), *at)[0] == 0
    graph = json.loads(out.read_text(encoding="utf-8"))
    assert set(graph) == {"nodes", "edges", "claims"}
    claims = {claim["id"] for claim in graph["claims"]}
    assert all(edge["claims"] and set(edge["claims"]) <= claims for edge in graph["edges"])
    rows = document("sparql", "SELECT ?n WHERE { ?n ail:builds_on node:transformer } LIMIT 2", "--json", *at)
    assert isinstance(rows, list)
    assert len(rows) == 2


def test_batches(built: Path, tmp_path: Path) -> None:
    questions, answers, results = tmp_path / "in.jsonl", tmp_path / "answers.jsonl", tmp_path / "results.jsonl"
    questions.write_text('{"id": "1", "question": "What is BERT?"}\n{"id": "2", "question": "ViT 是什么？"}\n')
    at = ("--workspace", str(built))
    assert invoke("ask", "--batch", str(questions), "--out", str(answers), "--no-model", *at)[0] == 0
    assert [json.loads(line)["id"] for line in answers.read_text().splitlines()] == ["1", "2"]
    assert invoke("search", "--batch", str(questions), "--out", str(results), "-k", "2", *at)[0] == 0
    assert [len(json.loads(line)["results"]) for line in results.read_text().splitlines()] == [2, 2]


def test_documents_are_added_listed_and_removed(tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text("# A note\n\n- BERT 2017.1.1 a wrong date\n\nFooNet builds on BERT.", encoding="utf-8")
    at = ("--workspace", str(tmp_path / "ws"))
    assert invoke("add", str(note), *at)[0] == 0
    (listed,) = document("documents", "--json", *at)  # type: ignore[misc]
    assert listed["id"] == "note.md"
    conflicts = document("claims", "--conflicts", "--document", "note.md", "--json", *at)
    assert isinstance(conflicts, list)
    assert conflicts[0]["value"] == "2017-01-01"
    assert not conflicts[0]["preferred"]
    assert conflicts[0]["conflicts_with"]
    assert invoke("remove", "note.md", *at)[0] == 0
    assert document("documents", "--json", *at) == []
    assert invoke("remove", "bert.en", *at)[0] == 2


def test_the_command_itself_starts_fast_and_light() -> None:
    code = "import sys, ailineage.cli; print('torch' in sys.modules, 'faiss' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "False"]
