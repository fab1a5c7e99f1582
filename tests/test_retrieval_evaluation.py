from __future__ import annotations

import json
from pathlib import Path

import pytest

from ailineage import retrieval_evaluation as evaluation
from ailineage.engine import Engine
from ailineage.errors import DocumentError
from ailineage.workspace import Workspace
from tests.killed_build import Letters

CORPUS = {
    "Mount Alder": ["Mount Alder is a mountain in Norland. ", "It was first climbed by Ada Brenn."],
    "Ada Brenn": ["Ada Brenn was a climber born in the village of Tollen."],
    "Tollen": ["Tollen is a village known for its cheese."],
    "Cheese": ["Cheese is made from milk, and there are many kinds of it."],
    "Rivers": ["Rivers run to the sea."],
    "Norland": ["Norland is a country with many mountains and villages."],
    "Milk": ["Milk comes from cows, goats and sheep."],
}
QUESTIONS = [
    {
        "question": "Where was the first climber of Mount Alder born?",
        "supporting_facts": [["Mount Alder", 1], ["Ada Brenn", 0]],
        "type": "bridge",
    },
    {"question": "What is Tollen known for?", "supporting_facts": [["Tollen", 0]], "type": "single"},
]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    opened = Engine(Workspace(tmp_path / "home"))
    opened.__dict__["embedder"] = Letters()
    return opened


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    questions, corpus = tmp_path / "questions.json", tmp_path / "corpus.json"
    questions.write_text(json.dumps(QUESTIONS), encoding="utf-8")
    corpus.write_text(json.dumps(CORPUS), encoding="utf-8")
    return questions, corpus


def test_recall_over_a_corpus_of_titles(engine: Engine, files: tuple[Path, Path]) -> None:
    task = evaluation.over_corpus(engine, *files)
    assert len(task.asked) == 2
    assert [len(question.gold) for question in task.asked] == [2, 1]
    report = evaluation.measure(task)
    assert report["signals"]["hybrid"]["recall@10"] == 100.0  # there are seven documents
    assert set(report["by_kind"]) == {"bridge", "single"}
    assert {"dense", "bm25", "graph", "hybrid without bridge"} <= set(report["signals"])
    assert "95% of recall@5" in evaluation.table(report)


def test_figures_follow_their_definitions() -> None:
    import numpy as np

    asked = [
        evaluation.Asked("one", (frozenset({1}), frozenset({2, 3}))),
        evaluation.Asked("two", (frozenset({9}),)),
    ]
    orders = [np.array([5, 3, 6, 7, 8, 1]), np.array([0, 4, 5])]
    figures = evaluation.figures(asked, orders)
    assert figures["recall@2"] == 25.0
    assert figures["recall@5"] == 25.0
    assert figures["recall@10"] == 50.0
    assert figures["all_recall@5"] == 0.0
    assert figures["mrr"] == 25.0


def test_lines_with_gold_documents_and_a_line_without(engine: Engine, tmp_path: Path) -> None:
    corpus, questions = tmp_path / "c.jsonl", tmp_path / "q.jsonl"
    lines = [{"id": f"d{n}", "title": title, "text": "".join(text)} for n, (title, text) in enumerate(CORPUS.items())]
    corpus.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    asked = [{"question": "What is Tollen known for?", "gold": ["d2"]}, {"question": "What is lost?", "gold": ["gone"]}]
    questions.write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    task = evaluation.over_corpus(engine, questions, corpus)
    assert task.unfound == ("What is lost?",)
    assert [question.text for question in task.asked] == ["What is Tollen known for?"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "JSON"), ('[{"no": 1}]', "question"), ('[{"question": "x"}]', "supporting_facts")],
)
def test_a_question_file_of_another_form_is_refused(
    engine: Engine, files: tuple[Path, Path], text: str, says: str
) -> None:
    files[0].write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError, match=says):
        evaluation.over_corpus(engine, *files)


def test_a_corpus_that_is_missing_or_of_another_form_is_refused(engine: Engine, files: tuple[Path, Path]) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        evaluation.over_corpus(engine, files[0], files[1].with_name("none.json"))
    files[1].write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(DocumentError, match="title"):
        evaluation.over_corpus(engine, *files)


def test_our_own_questions_have_their_evidence_in_the_library(shipped) -> None:
    folder = Path(__file__).parents[1] / "benchmarks"
    texts: dict[str, str] = {}
    for document in shipped.documents:
        node = document.id.rpartition(".")[0]
        texts[node] = texts.get(node, "") + "\n" + document.text.casefold()
    for line in (folder / "library_questions.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        for wanted in (entry, *entry.get("also", ())):
            assert any(string.casefold() in texts[wanted["node"]] for string in wanted["says"]), entry["question"]
