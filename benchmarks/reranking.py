"""Learn in what order the library's best passages answer a question, and measure it on other questions.

    python benchmarks/reranking.py            # measure the weights that are in use
    python benchmarks/reranking.py --learn    # learn them anew and write retrieval/reranking.json

Learned from the questions in models/decoder/training/questions; measured on benchmarks/library_questions.jsonl, with
and without.
"""

# ruff: noqa: T201
from __future__ import annotations

import sys

import numpy as np
import orjson
from benchmarks.retrieval import QUESTIONS
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

import ailineage
from ailineage import retrieval_evaluation as evaluation
from ailineage.engine import Engine
from ailineage.models.decoder.training import written
from ailineage.retrieval import reranking
from ailineage.retrieval.follow_up import Turn, in_full


def learn(engine: Engine) -> dict[str, float]:
    """The weights of the features."""
    retriever = engine.retriever
    tables, labels = [], []
    paths = sorted(written.FOLDER.glob("*.jsonl"))
    questions = [q for path in paths for q in written.read(path, engine.graph) if not q.refuse]
    for question in tqdm(questions, desc="questions", disable=None):
        text = in_full(question.question, [Turn(before) for before in question.before], engine.graph)
        asked = retriever.understand(text, question.language)
        ranking = retriever.fused_ranking(asked)
        rows = ranking.best(reranking.CANDIDATES)
        spans = [span for said in question.answer for span in said.spans]
        tables.append(reranking.features(retriever, asked, ranking.vector, ranking, rows))
        for row in rows:
            at = retriever.rows[row]
            labels.append(any(at.document == d and at.start < end and start < at.end for d, start, end in spans))
    features = np.concatenate(tables)
    spread = features.std(0) + 1e-6
    model = LogisticRegression(C=1.0, max_iter=3000).fit((features - features.mean(0)) / spread, labels)
    pairs = zip(reranking.FEATURES, model.coef_[0] / spread, strict=True)
    return {name: round(float(weight), 4) for name, weight in pairs}


def main(arguments: list[str]) -> None:
    """Measure, or learn and measure."""
    engine = ailineage.open()
    if "--learn" in arguments:
        table = learn(engine)
        reranking._WEIGHTS.write_bytes(orjson.dumps(table, option=orjson.OPT_INDENT_2) + b"\n")
        reranking.weights.cache_clear()
    task = evaluation.over_workspace(engine, QUESTIONS)
    report = evaluation.measure(task)
    kept = {name: row for name, row in report["signals"].items() if name in ("hybrid", "hybrid without reranking")}
    print(evaluation.table({**report, "signals": kept}))


if __name__ == "__main__":
    main(sys.argv[1:])
