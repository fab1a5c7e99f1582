"""Learn which sentences of the evidence answer a question, and measure it on families of nodes that are held out.

    python benchmarks/ranking.py            # measure the trees that are in use
    python benchmarks/ranking.py --learn    # learn them anew and write models/decoder/ranking.txt

The questions are those written by hand in models/decoder/training/questions; a sentence is right if the answer quotes
it. Evidence is retrieved as for any question, with its misses. `across` is cross-validation over the families that
are learned from, five at a time left out.
"""

# ruff: noqa: T201
from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

import ailineage
from ailineage.engine import Engine
from ailineage.models.decoder import selection
from ailineage.models.decoder.knowledge import Knowledge
from ailineage.models.decoder.training import written
from ailineage.retrieval.follow_up import Turn, in_full

FOLDS = 5
ROUNDS = 300
SETTINGS = {
    "objective": "lambdarank", "lambdarank_truncation_level": 6, "num_leaves": 12, "learning_rate": 0.025,
    "min_data_in_leaf": 30, "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5.0,
    "seed": 0, "deterministic": True, "num_threads": 1, "verbose": -1,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A question's candidate sentences: features (P, F) and which are right (P,)."""

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
        ranked = selection.candidates(bundle, knowledge)
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


def learn(training: Sequence[Case]) -> lgb.Booster:
    """LambdaMART over the sentences of each question."""
    cases = [case for case in training if case.right.any()]
    rows = lgb.Dataset(
        np.concatenate([case.features for case in cases]),
        np.concatenate([case.right for case in cases]).astype(int),
        group=[len(case.right) for case in cases],
        feature_name=list(selection.FEATURES),
    )
    return lgb.train(SETTINGS, rows, ROUNDS)


def scored(cases: Sequence[Case], trees: lgb.Booster) -> list[np.ndarray]:
    """The scores (P,) of each case's sentences."""
    return [np.asarray(trees.predict(case.features, raw_score=True)) for case in cases]


def across(training: Sequence[Case]) -> list[np.ndarray]:
    """The scores of cases by trees that did not learn from their families."""
    families = sorted({case.family for case in training})
    part = {family: number % FOLDS for number, family in enumerate(families)}
    found: dict[int, np.ndarray] = {}
    for fold in range(FOLDS):
        trees = learn([case for case in training if part[case.family] != fold])
        left = [number for number, case in enumerate(training) if part[case.family] == fold]
        found.update(zip(left, scored([training[number] for number in left], trees), strict=True))
    return [found[number] for number in range(len(training))]


def chance(cases: Sequence[Case], scores: Sequence[np.ndarray]) -> tuple[float, float]:
    """Slope and offset of the chance that a sentence is right, by its score."""
    model = LogisticRegression().fit(np.concatenate(scores)[:, None], np.concatenate([case.right for case in cases]))
    return round(float(model.coef_[0, 0]), 3), round(float(model.intercept_[0]), 3)


def report(name: str, measured: Sequence[Case], scores: Sequence[np.ndarray]) -> None:
    """Print how often a right sentence is among the first, and how much of the evidence was there at all."""
    groups: dict[str, list[tuple[Case, np.ndarray]]] = defaultdict(list)
    for case, said in zip(measured, scores, strict=True):
        for key in ("all", case.language, case.group):
            groups[key].append((case, said))
    for group, chosen in groups.items():
        hits = {k: [] for k in (1, 2, 3, 5)}
        for case, said in chosen:
            order = np.argsort(-said, kind="stable")
            for k, values in hits.items():
                values.append(bool(case.right[order[:k]].any()))
        values = "  ".join(f"first {k} {100 * np.mean(v):5.1f}" for k, v in hits.items())
        covered = 100 * np.mean([case.covered for case, _ in chosen])
        print(f"{name:9} {group:11} {len(chosen):5}  {values}  evidence there {covered:5.1f}")


def main(arguments: list[str]) -> None:
    """Measure, or learn and measure."""
    found = cases(ailineage.open())
    training = [case for case in found if case.family not in written.HELD_OUT]
    test = [case for case in found if case.family in written.HELD_OUT]
    trees = selection.trees() if selection.TREES.exists() else None
    if "--learn" in arguments:
        if trees is not None:
            report("before", test, scored(test, trees))
        apart = across(training)
        report("across", training, apart)
        print("slope and offset of the chance, for selection.py:", *chance(training, apart))
        trees = learn(training)
        selection.TREES.write_text(trees.model_to_string(), encoding="utf-8")
    if trees is not None:
        report("held out", test, scored(test, trees))


if __name__ == "__main__":
    main(sys.argv[1:])
