"""Batches of questions and what they score, by the protocol of the question sets.

A question may lean on those `before` it, a list of questions or of objects with question and answer.

A question set is JSON lines: id, lang, question, type, answer_must (of each inner list one string must occur,
case-insensitively), answer_must_not, must_refuse. An answerable question is right if every list is met, no forbidden
string occurs and it is not refused; one that must be refused is right if it is refused.
"""

from __future__ import annotations

import statistics
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ailineage.errors import DocumentError, UsageError

if TYPE_CHECKING:
    from ailineage.engine import Engine
    from ailineage.models.decoder.answer import Answer
    from ailineage.retrieval.follow_up import Turn


def answer_batch(engine: Engine, questions: Path, out: Path, *, language: str | None, model: bool) -> None:
    """Answer the questions of a file into another; a question that is no question gets an `error` line."""
    _write(out, _answers(engine, list(_lines(questions)), language, model))


def search_batch(engine: Engine, questions: Path, out: Path, *, k: int, mode: str) -> None:
    """Search for the questions of a file."""

    def results() -> Iterator[dict[str, Any]]:
        for entry in _progress(list(_lines(questions)), "searching"):
            found = engine.search(entry["question"], k=k, mode=mode)
            yield {
                "id": entry["id"],
                "results": [
                    {"document": e.document, "title": e.title, "score": e.score, "text": e.text} for e in found
                ],
            }

    _write(out, results())


MODES = ("answers", "base", "extractive", "unverified")
"""As the product answers; with the base alone; without a model; without the check of what the decoder writes."""


def evaluate_answers(engine: Engine, questions: Path, out: Path, *, modes: Sequence[str] = MODES[:1]) -> dict[str, Any]:
    """Answer a question set, score it and write the report.

    Args:
        engine: who answers.
        questions: the file of the set.
        out: the file of the report.
        modes: of `MODES`; the first is the report, the others stand beside it.

    Returns:
        accuracy of the answerable, refusal precision and recall, the share of answer sentences with a citation and of
        those that the verifier finds supported by it, latency in ms, each also by language and type, and every answer
        with its verdict; `beside` holds the figures of the other modes.
    """
    entries = list(_lines(questions))
    rows = {mode: _asked(engine, entries, mode) for mode in modes}
    first = rows[modes[0]]
    report: dict[str, Any] = {"questions": len(first), **_figures(first)}
    for key in ("lang", "type"):
        report[f"by_{key}"] = _groups(first, key)
    report["beside"] = {mode: {**_figures(rows[mode]), "by_lang": _groups(rows[mode], "lang")} for mode in modes[1:]}
    report["answers"] = first
    try:
        out.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise UsageError(f"{out}: cannot be written: {error.strerror}") from None
    return report


def _asked(engine: Engine, entries: list[dict[str, Any]], mode: str) -> list[dict[str, Any]]:
    if mode == "base":
        engine = replace(engine, adapter_name="none")
    rows = []
    for entry in _progress(entries, mode):
        answer = engine.ask(
            entry["question"], model=mode != "extractive", before=_before(entry), verified=mode != "unverified"
        )
        rows.append({**_row(entry, answer, engine), "right": right(entry, answer.answer, answer.refused)})
    return rows


def _groups(rows: list[dict[str, Any]], key: str) -> dict[str, Any]:
    groups = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return {name: {"questions": len(group), **_figures(group)} for name, group in sorted(groups.items())}


def right(entry: dict[str, Any], answer: str, refused: bool) -> bool:
    """Whether an answer is right by the protocol above."""
    if entry.get("must_refuse"):
        return refused
    said = _folded(answer)
    met = all(any(_folded(option) in said for option in options) for options in entry.get("answer_must", ()))
    forbidden = any(_folded(option) in said for option in _flat(entry.get("answer_must_not", ())))
    return met and not forbidden and not refused


def _figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    answerable = [row for row in rows if not row["must_refuse"]]
    refused = [row for row in rows if row["refused"]]
    must = [row for row in rows if row["must_refuse"]]
    sentences = [cited for row in rows if not row["refused"] for cited in row["cited"]]
    return {
        "accuracy": _share(row["right"] for row in answerable),
        "wrongly_refused": _share(row["refused"] for row in answerable),
        "refusal_recall": _share(row["refused"] for row in must),
        "refusal_precision": _share(row["must_refuse"] for row in refused),
        "sentences_cited": _share(sentences),
        "citations_hold": _share(holds for row in rows for holds in row["holds"]),
        "written": _share(written for row in rows for written in row["written"]),
        "first_token_ms_p50": round(statistics.median(row["first_ms"] for row in rows)) if rows else None,
        "latency_ms_p50": round(statistics.median(row["ms"] for row in rows)) if rows else None,
    }


def _row(entry: dict[str, Any], answer: Answer, engine: Engine) -> dict[str, Any]:
    return {
        "id": entry["id"],
        "lang": entry.get("lang", answer.language),
        "type": entry.get("type", "fact"),
        "question": entry["question"],
        "answer": answer.answer,
        "refused": answer.refused,
        "must_refuse": bool(entry.get("must_refuse")),
        "cited": [bool(sentence.citations) for sentence in answer.sentences],
        "holds": _hold(answer, engine),
        "written": [sentence.written for sentence in answer.sentences if sentence.citations],
        "first_ms": answer.timings_ms["first_token"],
        "ms": answer.timings_ms["total"],
    }


def _hold(answer: Answer, engine: Engine) -> list[bool]:
    """For each cited sentence of an answer whether the verifier finds it supported by the spans it cites."""
    from ailineage.models.decoder.knowledge import Knowledge
    from ailineage.models.decoder.verification import verify

    if answer.refused:
        return []
    graph = engine.graph
    knowledge = Knowledge(graph.nodes, graph.claims, graph.lexicon)
    spans = {citation.n: citation.evidence for citation in answer.citations}
    return [
        verify(sentence.text, [e for n in sentence.citations for e in spans[n]], knowledge).supported
        for sentence in answer.sentences
        if sentence.citations
    ]


def _answers(
    engine: Engine, entries: list[dict[str, Any]], language: str | None, model: bool
) -> Iterator[dict[str, Any]]:
    for entry in _progress(entries, "answering"):
        try:
            answer = engine.ask(entry["question"], language=language, model=model, before=_before(entry))
        except UsageError as error:
            yield {"id": entry["id"], "error": str(error)}
            continue
        yield {"id": entry["id"], **answer.to_json()}


def _before(entry: dict[str, Any]) -> list[Turn]:
    """The turns before a question: `before` holds questions, or objects with question and answer."""
    from ailineage.retrieval.follow_up import Turn

    turns = entry.get("before", ())
    return [Turn(t) if isinstance(t, str) else Turn(t["question"], t.get("answer", "")) for t in turns]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = orjson.loads(line)
            entry["id"], entry["question"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise DocumentError(
                f'{path}: line {number}: write one object a line: {{"id": ..., "question": ...}}'
            ) from None
        yield entry


def _write(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    try:
        with path.open("wb") as stream:
            for entry in entries:
                stream.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def _progress(entries: list[dict[str, Any]], what: str) -> Iterable[dict[str, Any]]:
    from tqdm import tqdm

    return tqdm(entries, desc=what, disable=None)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _flat(options: Iterable[Any]) -> Iterator[str]:
    for option in options:
        if isinstance(option, str):
            yield option
        else:
            yield from option


def _share(flags: Iterable[bool]) -> float | None:
    values = list(flags)
    return round(sum(map(bool, values)) / len(values), 4) if values else None
