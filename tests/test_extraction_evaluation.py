from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ailineage import extraction_evaluation as evaluation
from ailineage.cli import cli
from ailineage.corpus.documents import Document
from ailineage.errors import DocumentError
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.vocabulary import Kind, Relation

TEXT = "RoBERTa, released in 2019-07-26, builds on BERT. It has 355M parameters. GPT-2 came before GPT-3. More follows."
NODES = (
    Node("bert", Kind.MODEL, {"en": "BERT"}),
    Node("roberta", Kind.MODEL, {"en": "RoBERTa"}),
    Node("gpt2", Kind.MODEL, {"en": "GPT-2"}),
    Node("gpt3", Kind.TECHNIQUE, {"en": "GPT-3"}),
    Node("vit", Kind.MODEL, {"en": "ViT"}),
)


def claim(subject: str, relation: Relation, goal: str | None = None, value: str | None = None, start: int = 0) -> Claim:
    said = TEXT[start : start + 10]
    return Claim.make(
        subject=subject, relation=relation, object=goal, value=value, document="notes/a.txt",
        start=start, end=start + 10, text=said, extractor="test", confidence=0.8,
    )  # fmt: skip


@pytest.fixture
def graph() -> KnowledgeGraph:
    claims = [
        claim("roberta", Relation.VARIANT_OF, "bert"),
        claim("roberta", Relation.PUBLISHED_ON, value="2019-07-26"),
        claim("roberta", Relation.HAS_PARAMETERS, value="355000000"),
        claim("gpt2", Relation.SUCCEEDED_BY, "gpt3"),
        claim("vit", Relation.USES, "bert"),
        claim("vit", Relation.USES, "gpt2", start=TEXT.index("More")),
    ]
    return KnowledgeGraph(NODES, claims, [Document("notes/a.txt", "a", TEXT, "en", "a.txt", "0")])


def gold(folder: Path, nodes: str, edges: str) -> evaluation.Gold:
    (folder / "n.csv").write_text(nodes, encoding="utf-8")
    (folder / "e.csv").write_text(edges, encoding="utf-8")
    return evaluation.load(folder / "n.csv", folder / "e.csv")


ENTITIES = """name,aliases,kind,document,core
RoBERTa,,model,a.txt,1
BERT,Bert|bidirectional encoder,model,a.txt,0
Generative Pre-trained Transformer 2,GPT 2;GPT2,model,a.txt,0
GPT-3,,model,a.txt,0
LSTM,,model,a.txt,1
ResNet,,model,elsewhere.txt,1
"""
RELATIONS = """source,relation,target,evidence,document,core
RoBERTa,builds_on,Bert,builds on BERT,a.txt,1
RoBERTa,published_on,2019-07,released in 2019,a.txt,1
RoBERTa,has_parameters,355000000,355M parameters,a.txt,0
GPT-3,builds_on,GPT-2,GPT-2 came before GPT-3,a.txt,1
GPT2,succeeded_by,GPT-3,GPT-2 came before GPT-3,a.txt,1
GPT-2,succeeded_by,RoBERTa,GPT-2 came before GPT-3,a.txt,1
RoBERTa,published_on,2018,released in,a.txt,0
"""


def test_what_is_found_and_what_is_missed(graph: KnowledgeGraph, tmp_path: Path) -> None:
    report = evaluation.measure(graph, gold(tmp_path, ENTITIES, RELATIONS))
    assert report["documents"] == 1
    assert report["absent"] == ["elsewhere.txt"]
    assert report["entities"] == {"right": 4, "of": 5, "percent": 80.0}
    assert report["core_entities"]["percent"] == 50.0
    assert report["kinds_right"] == {"right": 3, "of": 4, "percent": 75.0}  # GPT-3 has another kind
    assert [row["name"] for row in report["missed_entities"]] == ["LSTM"]
    assert report["relations"]["right"] == 5
    assert report["core_relations"] == {"right": 4, "of": 5, "percent": 80.0}
    assert {(row["source"], row["target"]) for row in report["missed_relations"]} == {
        ("GPT-2", "RoBERTa"),
        ("RoBERTa", "2018"),
    }
    assert report["relations_by_language"] == {"en": report["relations"]}
    assert report["by_relation"]["published_on"]["of"] == 2


def test_precision_counts_claims_up_to_the_last_annotated_sentence(graph: KnowledgeGraph, tmp_path: Path) -> None:
    report = evaluation.measure(graph, gold(tmp_path, ENTITIES, RELATIONS))
    assert report["claims_annotated"] == {"right": 4, "of": 5, "percent": 80.0}
    assert [(row["subject"], row["object"]) for row in report["not_annotated"]] == [("ViT", "BERT")]


def test_without_a_document_column_all_documents_count(graph: KnowledgeGraph, tmp_path: Path) -> None:
    report = evaluation.measure(
        graph,
        gold(
            tmp_path,
            "name,aliases,kind\nBERT,,model\n",
            "source,relation,target,evidence\nRoBERTa,builds_on,BERT,builds\n",
        ),
    )
    assert report["relations"]["percent"] == report["entities"]["percent"] == 100.0
    assert report["core_entities"]["of"] == report["claims_annotated"]["of"] == 0


@pytest.mark.parametrize(
    ("nodes", "edges", "says"),
    [
        ("name,kind\nBERT,model\n", RELATIONS, "no column aliases"),
        ("name,aliases,kind\n", RELATIONS, "no annotation"),
        (ENTITIES, "source,relation,target,evidence\nA,made,B,c\n", "line 2: 'made' is none of"),
    ],
)
def test_annotations_of_another_form_are_refused(tmp_path: Path, nodes: str, edges: str, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        gold(tmp_path, nodes, edges)


def test_annotations_of_documents_that_are_not_there_are_refused(graph: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="none of the annotated documents"):
        evaluation.measure(graph, gold(tmp_path, ENTITIES.replace("a.txt", "b.txt"), RELATIONS))


def test_the_command_reads_documents_and_writes_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AILINEAGE_HOME", str(tmp_path / "home"))
    (tmp_path / "a.txt").write_text("RoBERTa builds on BERT. GPT-2 has 1.5B parameters.", encoding="utf-8")
    gold(
        tmp_path,
        "name,aliases,kind,document,core\nRoBERTa,,model,a.txt,1\nBERT,,model,a.txt,1\n",
        "source,relation,target,evidence,document,core\nRoBERTa,builds_on,BERT,RoBERTa builds on BERT,a.txt,1\n",
    )
    files = [str(tmp_path / name) for name in ("n.csv", "e.csv")]
    options = ["--document", str(tmp_path / "a.txt"), "--out", str(tmp_path / "r.json")]
    result = CliRunner().invoke(cli, ["eval", "extraction", *files, *options])
    assert result.exit_code == 0, result.output
    assert "relations found" in result.output
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert report["relations"]["percent"] == report["core_entities"]["percent"] == 100.0
