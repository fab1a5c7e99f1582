"""Learn when evidence on the subject holds no answer all the same, and measure it on families that are held out.

    python benchmarks/doubt.py            # measure the weights that are in use
    python benchmarks/doubt.py --learn    # learn them anew and write models/decoder/doubt.json

The questions are those written by hand (models/decoder/training/questions), less those that are refused by rule. For
shares of answerable questions that are wrongly refused, the share of the others that is refused. `across` is
cross-validation over the families that are learned from.
"""

# ruff: noqa: T201
from __future__ import annotations

import json
import sys
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

import ailineage
from ailineage.engine import Engine
from ailineage.models.decoder import doubt, selection
from ailineage.models.decoder.doubt import Regression
from ailineage.models.decoder.knowledge import Knowledge
from ailineage.models.decoder.support import refusal
from ailineage.models.decoder.training import written
from ailineage.retrieval.follow_up import Turn, in_full

FOLDS = 5


@dataclass(frozen=True)
class Cases:
    """Features (Q, F), whether there is no answer (Q,), and the families (Q,)."""

    features: np.ndarray
    empty: np.ndarray
    families: np.ndarray

    def where(self, chosen: np.ndarray) -> Cases:
        """Some of them."""
        return Cases(self.features[chosen], self.empty[chosen], self.families[chosen])


def cases(engine: Engine) -> Cases:
    """Every question that no rule refuses."""
    graph = engine.graph
    knowledge = Knowledge(graph.nodes, graph.claims, graph.lexicon)
    rows = []
    asked = [question for path in sorted(written.FOLDER.glob("*.jsonl")) for question in written.read(path, graph)]
    for question in tqdm(asked, desc="questions", disable=None):
        text = in_full(question.question, [Turn(before) for before in question.before], graph)
        bundle = engine.retriever.bundle(text, question.language)
        ranked = selection.pieces(bundle, knowledge)
        if refusal(bundle, ranked, knowledge) is None:
            rows.append((doubt.features(bundle, ranked, knowledge), question.refuse is not None, question.family))
    return Cases(np.array([row[0] for row in rows]), np.array([row[1] for row in rows]), np.array([r[2] for r in rows]))


def learn(found: Cases) -> Regression:
    """A regression for some cases."""
    scaler = StandardScaler().fit(found.features)
    model = LogisticRegression(C=0.1, max_iter=5000).fit(scaler.transform(found.features), found.empty)
    lists = [np.round(values, 5).tolist() for values in (scaler.mean_, scaler.scale_, model.coef_[0])]
    return Regression(*map(tuple, lists), offset=round(float(model.intercept_[0]), 5))


def chances(learned: Regression, features: np.ndarray) -> np.ndarray:
    """The chance (Q,) that there is no answer."""
    scores = ((features - learned.means) / learned.scales) @ np.array(learned.weights) + learned.offset
    return 1 / (1 + np.exp(-scores))


def report(name: str, given: np.ndarray, empty: np.ndarray) -> None:
    """How well chances tell the two apart."""
    parts = [f"{name:9} {len(empty):5}  {empty.mean():4.0%} empty  area {roc_auc_score(empty, given):.3f}"]
    for wrongly in (0.01, 0.02, 0.04):
        bar = np.quantile(given[~empty], 1 - wrongly)
        parts.append(f"at {wrongly:.0%} wrongly ({bar:.2f}) {np.mean(given[empty] > bar):4.0%}")
    print("  ".join(parts))


def main() -> None:
    """Learn or measure."""
    found = cases(ailineage.open())
    held = np.isin(found.families, sorted(written.HELD_OUT))
    if "--learn" in sys.argv:
        mine = found.where(~held)
        across = np.zeros(len(mine.empty))
        families = np.random.default_rng(0).permutation(np.unique(mine.families))
        for fold in range(FOLDS):
            out = np.isin(mine.families, families[fold::FOLDS])
            across[out] = chances(learn(mine.where(~out)), mine.features[out])
        report("across", across, mine.empty)
        learned = learn(mine)
        doubt.WEIGHTS.write_text(
            json.dumps(
                {
                    "means": learned.means,
                    "scales": learned.scales,
                    "weights": learned.weights,
                    "offset": learned.offset,
                },
                indent=1,
            )
            + "\n",
            encoding="utf-8",
        )
        doubt.regression.cache_clear()
    report("held out", chances(doubt.regression(), found.features[held]), found.empty[held])


if __name__ == "__main__":
    main()
