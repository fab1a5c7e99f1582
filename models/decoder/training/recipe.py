"""What the decoder is trained on, from the library alone: questions written by hand, and some made from the graph.

Families that are held out (`written.HELD_OUT`) are only measured on.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ailineage.models.decoder.training import generated, written
from ailineage.models.decoder.training.examples import Example, examples

if TYPE_CHECKING:
    from ailineage.retrieval.retriever import Retriever

GENERATED = 600
JUDGED = 80
"""Held-out examples of an evaluation while training."""


@dataclass(frozen=True)
class Data:
    """Examples to learn from, and others to judge by."""

    training: list[Example]
    held_out: list[Example]


def gather(
    retriever: Retriever, *, made: int = GENERATED, judged: int = JUDGED, only: int | None = None, seed: int = 0
) -> Data:
    """The examples, with the evidence this index finds.

    Args:
        retriever: over the library.
        made: questions made from the graph.
        judged: held-out examples.
        only: at most so many questions of each sort, for a trial; all if None.
        seed: of every choice.
    """
    from tqdm import tqdm

    graph = retriever.graph
    asked = [question for path in sorted(written.FOLDER.glob("*.jsonl")) for question in written.read(path, graph)]
    random.Random(seed).shuffle(asked)
    mine = [question for question in asked if question.family not in written.HELD_OUT][:only]
    other = [question for question in asked if question.family in written.HELD_OUT][:only]
    families = sorted({str(node.family or node.kind) for node in graph.nodes.values()} - written.HELD_OUT)
    mine += generated.questions(graph, families, made if only is None else min(made, only), seed)
    found = list(examples(retriever, tqdm(mine, desc="evidence", unit="question", disable=None), seed))
    judge = list(examples(retriever, other[: judged + judged // 4]))[:judged]
    return Data(found, judge)
