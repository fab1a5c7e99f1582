"""Learn which sentences of the evidence answer a question, and measure it on families of nodes that are held out.

    python benchmarks/ranking.py            # measure the weights that are in use
    python benchmarks/ranking.py --learn    # learn them anew and write models/decoder/ranking.json

The questions are those written by hand in models/decoder/training/questions; a sentence is right if the answer quotes
it. Evidence is retrieved as for any question, with its misses.
"""

# ruff: noqa: T201
from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

import ailineage
from ailineage.engine import Engine
from ailineage.models.decoder import selection
from ailineage.models.decoder.knowledge import Knowledge
from ailineage.models.decoder.training import written
from ailineage.retrieval.follow_up import Turn, in_full

HELD_OUT = frozenset({"perception", "alignment", "foundations", "speech", "organization"})
_SHARED = 0.3
"""Weight of the questions of other groups when the weights of one group are learned."""


@dataclass(frozen=True)
class Case:
    """A question's candidate sentences: features (P, F), which are right (P,), and the weights they are ranked by."""

    family: str
    language: str
    group: str
    features: np.ndarray
    right: np.ndarray
    covered: float


def cases(engine: Engine) -> list[Case]:
    """Every answerable question with its retrieved sentences."""
    graph = engine.graph
    knowledge = Knowledge(graph.nodes, graph.claims, graph.lexicon)
    found = []
    asked = [q for path in sorted(written.FOLDER.glob("*.jsonl")) for q in written.read(path, graph) if not q.refuse]
    for question in tqdm(asked, desc="questions", disable=None):
        text = in_full(question.question, [Turn(before) for before in question.before], graph)
        bundle = engine.retriever.bundle(text, question.language)
        ranked = selection.pieces(bundle, knowledge)
        spans = [span for said in question.answer for span in said.spans]
        right = [any(_overlap(piece, span) for span in spans) for piece in ranked]
        covered = [any(_overlap(piece, span) for piece in ranked for span in said.spans) for said in question.answer]
        group = selection.group(text)
        features = np.array([piece.features for piece in ranked]).reshape(-1, len(selection.FEATURES))
        found.append(
            Case(question.family, question.language, group, features, np.array(right, bool), float(np.mean(covered)))
        )
    return found


def _overlap(piece: selection.Piece, span: tuple[str, int, int]) -> bool:
    evidence, (document, start, end) = piece.evidence, span
    return evidence.document == document and evidence.start < end and start < evidence.end


def learn(training: Sequence[Case]) -> dict[str, list[float]]:
    """The weights of each group: its own questions count whole, those of the others a little."""
    table = {}
    for group in selection.GROUPS:
        rows = np.concatenate([case.features for case in training])
        labels = np.concatenate([case.right for case in training])
        each = [(1.0 if case.group == group else _SHARED) / max(len(case.right), 1) for case in training]
        weight = np.concatenate([np.full(len(c.right), w) for c, w in zip(training, each, strict=True)])
        model = LogisticRegression(C=1.0, max_iter=2000).fit(rows, labels, sample_weight=weight * 20)
        table[group] = [round(float(value), 3) for value in (*model.coef_[0], model.intercept_[0])]
    return table


def report(name: str, measured: Sequence[Case], table: dict[str, list[float]]) -> None:
    """Print how often a right sentence is among the first, and how much of the evidence was there at all."""
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in measured:
        groups["all"].append(case)
        groups[case.language].append(case)
        groups[case.group].append(case)
    for group, chosen in groups.items():
        hits = {k: [] for k in (1, 2, 3, 5)}
        for case in chosen:
            scores = case.features @ np.array(table[case.group][:-1])
            order = np.argsort(-scores, kind="stable")
            for k, values in hits.items():
                values.append(bool(case.right[order[:k]].any()))
        values = "  ".join(f"first {k} {100 * np.mean(v):5.1f}" for k, v in hits.items())
        covered = 100 * np.mean([case.covered for case in chosen])
        print(f"{name:9} {group:11} {len(chosen):5}  {values}  evidence there {covered:5.1f}")


def main(arguments: list[str]) -> None:
    """Measure, or learn and measure."""
    found = cases(ailineage.open())
    training = [case for case in found if case.family not in HELD_OUT]
    test = [case for case in found if case.family in HELD_OUT]
    table = selection.weights()
    if "--learn" in arguments:
        report("before", test, table)
        table = learn(training)
        selection._WEIGHTS.write_bytes(orjson.dumps(table, option=orjson.OPT_INDENT_2) + b"\n")
    report("training", training, table)
    report("held out", test, table)


if __name__ == "__main__":
    main(sys.argv[1:])
