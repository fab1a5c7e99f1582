"""Does reading find what a document says? Entities and relations of a workspace, or of documents, against annotations.

An entity is found if its name or one of its aliases, folded, is a name of a node that the document mentions. A
relation is found if a claim of the document says it of nodes that its two ends mean: builds_on, variant_of and
succeeded_by (reversed) are one class, proposed_by and developed_by another, the authors of a work are those of its
paper, a date counts at the precision annotated, a number by its value. What the library's own articles say counts for
nothing. Precision is the share of a document's claims that are annotated, up to the last sentence that is; a claim may
be right though nobody annotated it.

Annotations are CSV files with a header, UTF-8; aliases are separated by | or ; and `document` is the id of a document,
or the last parts of it:
    NODES   name, aliases, kind and perhaps document, core (1 or 0)
    EDGES   source, relation, target, evidence and perhaps document, core
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from ailineage.corpus import documents as reading
from ailineage.errors import DocumentError, UsageError
from ailineage.kg.building import Parts, library
from ailineage.kg.extraction import PARTS
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.identity import fold
from ailineage.kg.model import Claim
from ailineage.kg.numerals import numbers
from ailineage.kg.vocabulary import LITERAL, Relation

DESCENT = frozenset({Relation.BUILDS_ON, Relation.VARIANT_OF, Relation.SUCCEEDED_BY})
"""Relations that are counted as one; succeeded_by is reversed."""
MAKING = frozenset({Relation.PROPOSED_BY, Relation.DEVELOPED_BY})
"""Counted as one too: of an organisation documents say either."""
_NEAR = 0.005
"""How far two numbers that are the same may lie apart, relatively."""


@dataclass(frozen=True)
class Entity:
    """A row of NODES; `document` and `core` are None where the file has no such column."""

    name: str
    aliases: tuple[str, ...]
    kind: str
    document: str | None
    core: bool | None

    @cached_property
    def surfaces(self) -> frozenset[str]:
        """The folded names."""
        return frozenset(filter(None, map(fold, (self.name, *self.aliases))))


@dataclass(frozen=True)
class Stated:
    """A row of EDGES."""

    source: str
    relation: Relation
    target: str
    evidence: str
    document: str | None
    core: bool | None


@dataclass(frozen=True)
class Gold:
    """Annotations."""

    entities: list[Entity]
    relations: list[Stated]


# ---- reading --------------------------------------------------------------------------------------------------


def load(nodes: Path, edges: Path) -> Gold:
    """Read annotations.

    Raises:
        DocumentError: if a file is missing, lacks a column or names a relation that the vocabulary does not have.
    """
    entities = [
        Entity(row["name"], _aliases(row["aliases"]), row["kind"], row.get("document") or None, _core(row))
        for _, row in _rows(nodes, ("name", "aliases", "kind"))
    ]
    relations = []
    for line, row in _rows(edges, ("source", "relation", "target", "evidence")):
        if row["relation"] not in list(Relation):
            raise DocumentError(f"{edges}: line {line}: {row['relation']!r} is none of {', '.join(sorted(Relation))}")
        where = row.get("document") or None
        relation = Relation(row["relation"])
        relations.append(Stated(row["source"], relation, row["target"], row["evidence"], where, _core(row)))
    return Gold(entities, relations)


def _rows(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                raise DocumentError(f"{path}: line 1: no column {', '.join(missing)}; write {','.join(columns)}")
            rows = [
                (reader.line_num, {key: (row[key] or "").strip() for key in reader.fieldnames or ()}) for row in reader
            ]
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DocumentError(f"{path}: is no CSV in UTF-8: {error}") from None
    if not rows:
        raise DocumentError(f"{path}: holds no annotation")
    return rows


def _aliases(text: str) -> tuple[str, ...]:
    return tuple(alias.strip() for alias in re.split(r"[|;；]", text) if alias.strip())


def _core(row: Mapping[str, str]) -> bool | None:
    return row["core"].casefold() in ("1", "true", "yes") if "core" in row else None


def read(arguments: Iterable[str | Path], without: Collection[str] = ()) -> KnowledgeGraph:
    """The graph of the library and of documents that need be in no workspace.

    Args:
        arguments: files, folders or globs.
        without: parts of the reading that are left out (`ailineage.kg.extraction.PARTS`).

    Raises:
        DocumentError: if a document cannot be read.
    """
    parts = Parts(library())
    found = (document for path, id in reading.paths(arguments).items() for document in reading.read(path, id))
    parts.add(found, without)
    return parts.graph()


# ---- measuring ------------------------------------------------------------------------------------------------


class _Said:
    """What the user's documents of a graph say: the nodes each mentions and its claims."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.graph = graph
        self.documents = [id for id, document in graph.documents.items() if document.source != "library"]
        self.claims: dict[str, list[Claim]] = {id: list(graph.by_document.get(id, ())) for id in self.documents}
        self.nodes: dict[str, set[str]] = {id: set() for id in self.documents}
        for passage in graph.passages:
            if passage.document in self.nodes:
                self.nodes[passage.document].update(graph.mentions[passage.id])
        for id, claims in self.claims.items():
            for claim in claims:
                self.nodes[id].update(node for node in (claim.subject, claim.object) if node)
        self._bearing: dict[str, set[str]] = defaultdict(set)
        for node in graph.nodes.values():
            for name in (*node.surfaces, node.id):
                self._bearing[fold(name)].add(node.id)

    def bearing(self, surfaces: Iterable[str]) -> set[str]:
        """The nodes that bear one of some folded names."""
        return {node for surface in surfaces for node in self._bearing.get(surface, ())}

    def papers(self, works: set[str]) -> set[str]:
        """The papers that introduced some works: whoever wrote one is an author of the work."""
        claims = (claim for work in works for claim in self.graph.claims_about(work))
        return {c.object for c in claims if c.relation is Relation.INTRODUCED_IN and c.object and c.subject in works}

    def meant(self, document: str | None) -> list[str] | None:
        """The documents that an annotation speaks of: all of them, or one; None if the workspace lacks it."""
        if document is None:
            return self.documents
        if document in self.nodes:
            return [document]
        ends = [
            id
            for id in self.documents
            if f"/{id}".endswith(f"/{document}") or f"/{document}".endswith(f"/{id}") or Path(id).stem == document
        ]
        return ends if len(ends) == 1 else None


def measure(graph: KnowledgeGraph, gold: Gold) -> dict[str, Any]:
    """The report: entities and relations found, by kind, relation and language, and what was missed.

    Raises:
        DocumentError: if none of the annotated documents is there.
    """
    said = _Said(graph)
    entities = [(entity, where) for entity in gold.entities if (where := said.meant(entity.document)) is not None]
    relations = [(stated, where) for stated in gold.relations if (where := said.meant(stated.document)) is not None]
    if not said.documents or not entities:
        raise DocumentError("none of the annotated documents is in this workspace; add them, or name them (--document)")
    met = [(entity, _found(said, entity, where), where) for entity, where in entities]
    names = _names(entities)
    held = [(stated, _holding(said, stated, where, names), where) for stated, where in relations]
    used = {claim.id for _, claims, _ in held for claim in claims}
    counted = _annotated(said, [(stated, where) for stated, where in relations if stated.document])
    named = {entity.document for entity in gold.entities} | {stated.document for stated in gold.relations}
    return {
        "documents": len({id for _, where in entities for id in where}),
        "absent": sorted(name for name in named if name and said.meant(name) is None),
        "entities": _share([bool(nodes) for _, nodes, _ in met]),
        "core_entities": _share([bool(nodes) for entity, nodes, _ in met if entity.core]),
        "kinds_right": _share(
            [any(graph.nodes[node].kind == entity.kind for node in nodes) for entity, nodes, _ in met if nodes]
        ),
        "relations": _share([bool(claims) for _, claims, _ in held]),
        "core_relations": _share([bool(claims) for stated, claims, _ in held if stated.core]),
        "descent": _share([bool(claims) for stated, claims, _ in held if stated.relation in DESCENT]),
        "claims_annotated": _share([claim.id in used for claim in counted]),
        "by_kind": _by((entity.kind, bool(nodes)) for entity, nodes, _ in met),
        "by_relation": _by((str(stated.relation), bool(claims)) for stated, claims, _ in held),
        "entities_by_language": _by((_language(graph, where), bool(nodes)) for _, nodes, where in met),
        "relations_by_language": _by((_language(graph, where), bool(claims)) for _, claims, where in held),
        "missed_entities": [
            {"name": entity.name, "kind": entity.kind, "document": entity.document, "core": entity.core}
            for entity, nodes, _ in met
            if not nodes
        ],
        "missed_relations": [
            {
                "source": stated.source,
                "relation": str(stated.relation),
                "target": stated.target,
                "document": stated.document,
                "core": stated.core,
                "evidence": stated.evidence,
            }
            for stated, claims, _ in held
            if not claims
        ],
        "not_annotated": [
            {
                "subject": graph.nodes[claim.subject].name(),
                "relation": str(claim.relation),
                "object": graph.nodes[claim.object].name() if claim.object else claim.value,
                "document": claim.document,
                "text": claim.text,
            }
            for claim in counted
            if claim.id not in used
        ],
    }


def _found(said: _Said, entity: Entity, where: Collection[str]) -> set[str]:
    mentioned = set().union(*(said.nodes[id] for id in where))
    return said.bearing(entity.surfaces) & mentioned


def _names(entities: Sequence[tuple[Entity, list[str]]]) -> dict[tuple[str | None, str], frozenset[str]]:
    """The folded surfaces of each annotated name, in its document and (under None) in any."""
    found: dict[tuple[str | None, str], frozenset[str]] = defaultdict(frozenset)
    for entity, _ in entities:
        for document in {entity.document, None}:
            for name in (entity.name, *entity.aliases):
                found[document, fold(name)] |= entity.surfaces
    return found


def _holding(
    said: _Said, stated: Stated, where: Iterable[str], names: Mapping[tuple[str | None, str], frozenset[str]]
) -> list[Claim]:
    """The claims that say what an annotation says."""

    def meaning(name: str) -> set[str]:
        own = fold(name)
        return said.bearing({own, *(names.get((stated.document, own)) or names.get((None, own)) or ())})

    sources = meaning(stated.source)
    if stated.relation is Relation.AUTHORED_BY:
        sources |= said.papers(sources)
    targets = set() if stated.relation in LITERAL else meaning(stated.target)
    found = []
    for id in where:
        for claim in said.claims[id]:
            subject, relation, goal = _directed(claim.subject, claim.relation, claim.object)
            if relation != _directed("", stated.relation, "")[1]:
                continue
            if stated.relation in LITERAL:
                same = claim.subject in sources and _same_value(stated, claim.value or "")
            elif stated.relation is Relation.SUCCEEDED_BY:
                same = subject in targets and goal in sources
            else:
                same = subject in sources and goal in targets
            if same:
                found.append(claim)
    return found


def _directed(subject: str, relation: Relation, goal: str | None) -> tuple[str | None, Relation, str | None]:
    """A relation as it is counted: descent runs from the child to the parent, whoever made it made it."""
    if relation is Relation.SUCCEEDED_BY:
        return goal, Relation.BUILDS_ON, subject
    if relation in MAKING:
        return subject, Relation.DEVELOPED_BY, goal
    return subject, Relation.BUILDS_ON if relation in DESCENT else relation, goal


def _same_value(stated: Stated, value: str) -> bool:
    if stated.relation is Relation.PUBLISHED_ON:
        return value.startswith(stated.target.replace("/", "-"))
    said = _number(stated.target)
    mine = _number(value)
    return said is not None and mine is not None and abs(said - mine) <= _NEAR * max(said, mine)


def _number(text: str) -> float | None:
    found = numbers(text, "en") or numbers(text, "zh")
    return next(iter(found), None)


def _annotated(said: _Said, relations: Iterable[tuple[Stated, list[str]]]) -> list[Claim]:
    """The claims of documents that are annotated by name, up to the last sentence that is annotated in each."""
    ends: dict[str, int] = defaultdict(int)
    for stated, where in relations:
        place = said.graph.documents[where[0]].text.rfind(stated.evidence)
        ends[where[0]] = max(ends[where[0]], place + len(stated.evidence) if place >= 0 else 0)
    return [claim for id, end in ends.items() for claim in said.claims[id] if claim.start < end]


def _language(graph: KnowledgeGraph, where: Sequence[str]) -> str:
    languages = {graph.documents[id].language for id in where}
    return languages.pop() if len(languages) == 1 else "both"


def _share(right: Sequence[bool]) -> dict[str, float | int]:
    return {"right": sum(right), "of": len(right), "percent": round(100 * sum(right) / len(right), 1) if right else 0.0}


def _by(pairs: Iterable[tuple[str, bool]]) -> dict[str, dict[str, float | int]]:
    groups: dict[str, list[bool]] = defaultdict(list)
    for key, right in pairs:
        groups[key].append(right)
    return {key: _share(groups[key]) for key in sorted(groups)}


# ---- reporting ------------------------------------------------------------------------------------------------


def table(report: Mapping[str, Any]) -> str:
    """The report as lines for a terminal."""
    rows = [
        ("entities found", report["entities"]),
        ("  core", report["core_entities"]),
        ("  of the right kind", report["kinds_right"]),
        *((f"  {name}", row) for name, row in report["by_kind"].items()),
        *((f"  in {name}", row) for name, row in report["entities_by_language"].items()),
        ("relations found", report["relations"]),
        ("  core", report["core_relations"]),
        ("  builds_on, variant_of, succeeded_by", report["descent"]),
        *((f"  {name}", row) for name, row in report["by_relation"].items()),
        *((f"  in {name}", row) for name, row in report["relations_by_language"].items()),
        ("claims that are annotated", report["claims_annotated"]),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"{report['documents']} annotated documents"]
    lines += [
        f"{name:{width}}  {row['right']:5} of {row['of']:5}  {row['percent']:5.1f}%" for name, row in rows if row["of"]
    ]
    lines += ["", *(f"missed: {row['name']} ({row['kind']}){_in(row)}" for row in report["missed_entities"])]
    lines += [
        f"missed: {row['source']} {row['relation']} {row['target']}{_in(row)}" for row in report["missed_relations"]
    ]
    if report["absent"]:
        lines.append(f"left out, as they are not in the workspace: {', '.join(report['absent'])}")
    return "\n".join(lines)


def _in(row: Mapping[str, Any]) -> str:
    return f"  [{row['document']}]" if row["document"] else ""


def ablation(arguments: Sequence[str | Path], gold: Gold) -> str:
    """What each part of the reading adds: entities and relations found, and claims made, without it."""
    lines = [f"{'without':10}  entities  relations  core  claims"]
    for part in ("nothing", *PARTS):
        report = measure(read(arguments, (part,)), gold)
        found = (report[name]["percent"] for name in ("entities", "relations", "core_relations"))
        shares = "  ".join(f"{share:{width}.1f}" for share, width in zip(found, (8, 9, 4), strict=True))
        lines.append(f"{part:10}  {shares}  {report['claims_annotated']['of']:6}")
    return "\n".join(lines)


def write(report: Mapping[str, Any], out: Path) -> None:
    """Write the report as JSON."""
    try:
        out.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise UsageError(f"{out}: cannot be written: {error.strerror}") from None
