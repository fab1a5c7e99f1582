"""Answers on families of nodes that nothing was trained on: the tuned decoder beside its base, and without either.

    python benchmarks/answers.py [--count 60] [--modes extractive base tuned unverified] [--out FILE.jsonl]

Questions are those written by hand for the held-out families (models/decoder/training/written.py), with evidence as
it is retrieved. Of those that can be answered:

    right    not refused, and all dates, numbers and names of the reference's first sentence that the question does
             not hold are said, with half of its other content words
    source   the answer cites a span that the reference quotes
    refused  refused though there is an answer

of those that must be refused, `declined` are; `precise` is the share of sentences that the verifier finds supported
by what they cite, `written` the share that the decoder wrote. Sentences that the verifier would drop stay in the mode
`unverified`. Seconds are medians.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable

from tqdm import tqdm

import ailineage
from ailineage.engine import Engine
from ailineage.models.decoder.answer import Answer, Done, answer
from ailineage.models.decoder.knowledge import Knowledge, overlap
from ailineage.models.decoder.quantities import counted, dated, dates, numbers
from ailineage.models.decoder.training import written
from ailineage.models.decoder.training.written import Written
from ailineage.models.decoder.verification import verify
from ailineage.retrieval.follow_up import Turn, in_full

MODES = ("extractive", "base", "tuned", "unverified")


def ask(engine: Engine, asked: Written, mode: str) -> Answer:
    """One answer in a mode."""
    graph = engine.graph
    began = time.perf_counter()
    text = in_full(asked.question, [Turn(before) for before in asked.before], graph)
    bundle = engine.retriever.bundle(text, asked.language)
    decoder = None if mode == "extractive" else engine.decoder
    taken = (time.perf_counter() - began) * 1000
    events = answer(
        bundle, decoder, nodes=graph.nodes, claims=graph.claims, lexicon=graph.lexicon, retrieve_ms=taken,
        verified=mode != "unverified",
    )  # fmt: skip
    return next(event.answer for event in events if isinstance(event, Done))


def says(said: str, wanted: str, question: str, knowledge: Knowledge) -> bool:
    """Whether an answer says a sentence: its values and names, and half of its words."""
    known_dates, known_numbers = dates(said), numbers(said)
    values = all(dated(d, known_dates) for d in dates(wanted) - dates(question))
    values &= all(counted(n, known_numbers) for n in numbers(wanted) - numbers(question))
    names = knowledge.ids(wanted) - knowledge.ids(question) <= knowledge.ids(said)
    words = knowledge.bare_words(wanted) - knowledge.bare_words(question)
    return values and names and overlap(words, knowledge.words(said)) >= 0.5


def judge(asked: Written, given: Answer, knowledge: Knowledge) -> dict[str, object]:
    """A row of the report."""
    spans = {span for said in asked.answer for span in said.spans}
    cited = [evidence for citation in given.citations for evidence in citation.evidence]
    by_number = {citation.n: citation.evidence for citation in given.citations}
    stated = [sentence for sentence in given.sentences if sentence.citations]
    checks = [
        verify(s.text, [e for n in s.citations for e in by_number[n]], knowledge).supported
        for s in stated
        if s.written or not given.refused
    ]
    said = " ".join(sentence.text for sentence in given.sentences)
    return {
        "language": asked.language,
        "question": asked.question,
        "must": asked.refuse,
        "refused": given.refused,
        "right": bool(asked.answer)
        and not given.refused
        and says(said, asked.answer[0].text, asked.question, knowledge),
        "source": not given.refused
        and any(e.document == d and e.start < end and start < e.end for e in cited for d, start, end in spans),
        "precise": checks,
        "written": [sentence.written for sentence in stated],
        "first": given.timings_ms["first_token"] / 1000,
        "total": given.timings_ms["total"] / 1000,
        "answer": given.answer,
        "reference": " ".join(one.text for one in asked.answer),
    }


def figures(rows: list[dict]) -> str:
    """One line of the report."""

    def share(flags: Iterable[object]) -> str:
        values = [bool(flag) for flag in flags]
        return f"{100 * sum(values) / len(values):5.1f}" if values else "    -"

    open_, shut = [r for r in rows if not r["must"]], [r for r in rows if r["must"]]
    return (
        f"{len(open_):4}  right {share(r['right'] for r in open_)}  source {share(r['source'] for r in open_)}"
        f"  refused {share(r['refused'] for r in open_)}  |{len(shut):4}  declined {share(r['refused'] for r in shut)}"
        f"  |  precise {share(c for r in rows for c in r['precise'])}"
        f"  written {share(w for r in rows for w in r['written'])}"
        f"  first {statistics.median(r['first'] for r in rows):.2f} s"
        f"  whole {statistics.median(r['total'] for r in rows):.2f} s"
    )


def main() -> None:
    """Ask in every mode and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, help="so many questions, drawn with seed 0; all if left out")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--adapter")
    parser.add_argument("--out")
    options = parser.parse_args()
    engines = {
        mode: ailineage.open(adapter_name="none" if mode == "base" else options.adapter) for mode in options.modes
    }
    graph = engines[options.modes[0]].graph
    knowledge = Knowledge(graph.nodes, graph.claims, graph.lexicon)
    asked = [
        question
        for path in sorted(written.FOLDER.glob("*.jsonl"))
        for question in written.read(path, graph)
        if question.family in written.HELD_OUT
    ]
    random.Random(0).shuffle(asked)
    lines = []
    for mode, engine in engines.items():
        rows = [
            judge(q, ask(engine, q, mode), knowledge) for q in tqdm(asked[: options.count], desc=mode, disable=None)
        ]
        groups = defaultdict(list)
        for row in rows:
            groups["all"].append(row)
            groups[row["language"]].append(row)
            lines.append({"mode": mode, **row})
        for name, group in sorted(groups.items()):
            print(f"{mode:10} {name:3} {figures(group)}", flush=True)
    if options.out:
        with open(options.out, "w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


if __name__ == "__main__":
    main()
