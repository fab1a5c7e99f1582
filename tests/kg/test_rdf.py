from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ailineage.corpus.documents import Document
from ailineage.errors import QueryError, UsageError
from ailineage.kg import exports, rdf, sparql, store
from ailineage.kg.authored import Authored
from ailineage.kg.building import Parts
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.vocabulary import Kind, Relation


def test_the_ontology_names_every_term_in_both_languages() -> None:
    from rdflib import RDFS, URIRef

    ontology = rdf.ontology()
    for term in (*(kind.capitalize() for kind in Kind), *Relation):
        labels = {label.language for label in ontology.objects(URIRef(rdf.VOCABULARY + term), RDFS.label)}
        assert labels == {"en", "zh"}, term


def test_an_export_keeps_to_the_shapes(small_graph: KnowledgeGraph) -> None:
    assert rdf.check_shapes(rdf.to_rdf(small_graph)) == []


def test_the_shapes_find_what_is_wrong(small_graph: KnowledgeGraph) -> None:
    from rdflib import Literal, URIRef

    broken = rdf.to_rdf(small_graph)
    broken.add((rdf.iri_of("bert"), URIRef(rdf.VOCABULARY + "has_parameters"), Literal(-1)))
    assert any("positive whole number" in finding for finding in rdf.check_shapes(broken))


def test_turtle_is_read_by_an_independent_parser(small_graph: KnowledgeGraph, tmp_path: Path) -> None:
    import pyoxigraph

    path = tmp_path / "g.ttl"
    exports.write(small_graph, "turtle", path)
    triples = list(pyoxigraph.parse(path=path))
    assert len(triples) == len(rdf.to_rdf(small_graph))


def test_sparql_knows_the_prefixes_and_the_dates(small_graph: KnowledgeGraph) -> None:
    table = sparql.query(
        small_graph, 'SELECT ?n WHERE { ?n a ail:Model ; ail:published_on ?d . FILTER(STR(?d) < "2018") } ORDER BY ?d'
    )
    assert table.columns == ("n",)
    assert [row[0].rsplit("/", 1)[1] for row in table.rows if row[0]] == ["seq", "trans"]
    assert sparql.query(small_graph, "ASK { node:bert ail:builds_on node:trans }").rows == (("true",),)


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("SELECT ?n WHERE { ?n a }", "line 1, column 2"),
        ("SELECT ?n\nWHERE { ?n a", "line 2"),
        ("INSERT DATA { node:a ail:uses node:b }", "read-only"),
        ("DELETE WHERE { ?s ?p ?o }", "read-only"),
        ("\\u0044ROP ALL", "read-only"),
        ("SELECT * WHERE { \\u0053ERVICE <http://example.org/> { ?s ?p ?o } }", "SERVICE"),
        ("SELECT * { ?s ?p ?a FILTER(?a<1&&'x>'!='y') SERVICE <http://e/> {} FILTER('z'='z') }", "SERVICE"),
        ("SELECT * { SERVICE #\n SILENT ?where { ?s ?p ?o } }", "SERVICE"),
        ("SELECT * WHERE { SERVICE <http://example.org/> { ?s ?p ?o } }", "SERVICE"),
    ],
)
def test_bad_queries_are_refused_with_the_place(small_graph: KnowledgeGraph, query: str, complaint: str) -> None:
    with pytest.raises(QueryError, match=complaint):
        sparql.query(small_graph, query)


def test_a_keyword_in_a_string_is_no_update(small_graph: KnowledgeGraph) -> None:
    assert sparql.query(small_graph, 'SELECT ?s WHERE { ?s skos:prefLabel "DROP INSERT SERVICE" }').rows == ()


def test_a_keyword_as_a_name_is_no_update(small_graph: KnowledgeGraph) -> None:
    assert sparql.query(small_graph, "SELECT ?add { ?add a ail:Model } LIMIT 1").columns == ("add",)
    assert sparql.query(small_graph, "PREFIX load: <http://l/> SELECT * { ?s load:copy ?service }").rows == ()


def test_rows_and_time_are_limited(small_graph: KnowledgeGraph) -> None:
    assert sparql.query(small_graph, "SELECT * WHERE { ?s ?p ?o }", rows=3).cut
    cross = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
    with pytest.raises(QueryError, match="longer than"):
        sparql.query(small_graph, cross, seconds=0.2)
    assert not any(worker.alive for _, worker in sparql._working)  # it computes no longer
    assert sparql.query(small_graph, "SELECT * WHERE { ?s ?p ?o }", rows=3).cut


@pytest.mark.parametrize("format", exports.FORMATS)
def test_every_format_is_written(small_graph: KnowledgeGraph, tmp_path: Path, format: str) -> None:
    path = tmp_path / "graph"
    exports.write(small_graph, format, path)
    assert "BERT" in path.read_text(encoding="utf-8")


def test_graphml_opens_with_labels_and_dates(small_graph: KnowledgeGraph, tmp_path: Path) -> None:
    exports.write(small_graph, "graphml", tmp_path / "g")
    drawn = nx.read_graphml(tmp_path / "g")
    assert drawn.nodes["bert"]["label"] == "BERT"
    assert drawn.nodes["bert"]["date"] == "2018-10-11"
    assert drawn.nodes["google"]["label_zh"] == "谷歌"
    assert any(data["label"] == "builds_on" for _, _, data in drawn.edges(data=True))


def test_unknown_formats_and_bad_places_are_errors(small_graph: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="known are"):
        exports.write(small_graph, "excel", tmp_path / "g")
    with pytest.raises(UsageError, match="cannot be written"):
        exports.write(small_graph, "json", tmp_path / "no" / "such" / "folder")


NASTY = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None)
@given(name=NASTY, text=NASTY, id=NASTY)
def test_any_name_survives_every_serialisation(
    tmp_path_factory: pytest.TempPathFactory, name: str, text: str, id: str
) -> None:
    from rdflib import Graph
    from rdflib.compare import isomorphic

    claim = Claim.make(
        subject="a",
        relation=Relation.PUBLISHED_ON,
        value="2017",
        document=id,
        start=0,
        end=len(text),
        text=text,
        extractor="x",
        confidence=0.5,
    )
    graph = KnowledgeGraph(
        [Node("a", Kind.MODEL, {"en": name, "zh": name}, (name + '"\\\n',))],
        [claim],
        [Document(id, name, text, "en", "s", "0")],
    )
    tmp = tmp_path_factory.mktemp("nasty")
    original = rdf.to_rdf(graph)
    for format, rdflib_name in rdf.FORMATS.items():
        exports.write(graph, format, tmp / format)
        assert isomorphic(Graph().parse(tmp / format, format=rdflib_name), original)
    store.save(graph, {}, tmp)
    assert store.load(tmp).claims == graph.claims
    exports.write(graph, "graphml", tmp / "graphml")
    assert nx.read_graphml(tmp / "graphml").nodes["a"]["label"] == name


def test_what_was_exported_is_read_back(small_graph: KnowledgeGraph) -> None:
    from rdflib.compare import isomorphic

    from ailineage.kg.rdf_import import from_rdf

    once = rdf.to_rdf(small_graph)
    again = from_rdf(once)
    assert isomorphic(rdf.to_rdf(again), once)
    assert {claim.id: claim for claim in again.claims.values()} == dict(small_graph.claims)
    assert set(again.nodes) == set(small_graph.nodes)


EXAMPLES = {example.name: example for example in sparql.examples()}


def test_there_are_fifteen_examples() -> None:
    assert len(EXAMPLES) == 15
    assert all(example.question and example.question[0].isupper() for example in EXAMPLES.values())


@pytest.fixture(scope="module")
def library_graph(shipped: Authored) -> KnowledgeGraph:
    return Parts(shipped).graph()


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_query_finds_something(library_graph: KnowledgeGraph, name: str) -> None:
    table = sparql.query(library_graph, EXAMPLES[name].text, seconds=60)
    assert table.rows


def test_the_page_of_queries_is_what_the_queries_are() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "queries.md"
    assert page.read_text(encoding="utf-8") == sparql.catalogue(), "regenerate docs/queries.md from sparql.catalogue()"


def test_papers_and_wikidata_items_are_linked_by_their_iris(tmp_path: Path) -> None:
    from rdflib import OWL, URIRef
    from rdflib.compare import isomorphic

    from ailineage.kg.rdf_import import from_rdf

    nodes = [
        Node("a", Kind.PAPER, {"en": "A"}, reference="arxiv:1706.03762"),
        Node("b", Kind.PAPER, {"en": "B"}, reference="doi:10.1000/x<y>"),
        Node("c", Kind.MODEL, {"en": "C"}, wikidata="Q85810444"),
    ]
    triples = rdf.to_rdf(KnowledgeGraph(nodes, [], []))
    same = URIRef("https://schema.org/sameAs")
    assert triples.value(rdf.iri_of("a"), same) == URIRef("https://arxiv.org/abs/1706.03762")
    assert triples.value(rdf.iri_of("b"), same) == URIRef("https://doi.org/10.1000/x%3Cy%3E")
    assert triples.value(rdf.iri_of("c"), OWL.sameAs) == URIRef("http://www.wikidata.org/entity/Q85810444")
    assert isomorphic(rdf.to_rdf(from_rdf(triples)), triples)


def test_json_ld_brings_its_context(small_graph: KnowledgeGraph, tmp_path: Path) -> None:
    exports.write(small_graph, "jsonld", tmp_path / "g")
    document = json.loads((tmp_path / "g").read_bytes())
    assert document["@context"]["ail"] == rdf.VOCABULARY
    (bert,) = (entry for entry in document["@graph"] if entry["@id"] == "node:bert")
    assert bert["name"]["en"] == "BERT"
