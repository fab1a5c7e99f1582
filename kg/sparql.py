"""Read-only SPARQL over the graph, limited in rows and time, with the prefixes declared."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ailineage.errors import QueryError
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.rdf import PREFIXES, to_rdf

if TYPE_CHECKING:
    import pyoxigraph as ox

_QUIET = re.compile(r"<[^<>\s]*>|\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|#[^\n]*", re.S)
_UPDATE = re.compile(r"\b(INSERT|DELETE|LOAD|CLEAR|DROP|CREATE|ADD|MOVE|COPY)\b", re.I)


@dataclass(frozen=True, slots=True)
class Table:
    """The result of a query: column names and rows of strings (None where unbound); `cut` if rows were left out."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """A query that ships with the package, and the question it answers."""

    name: str
    question: str
    text: str


def examples() -> Iterator[Example]:
    """The example queries, in order."""
    for path in sorted((Path(__file__).parent / "queries").glob("*.rq")):
        text = path.read_text(encoding="utf-8")
        yield Example(path.stem, text.splitlines()[0].removeprefix("# "), text)


def query(graph: KnowledgeGraph, text: str, *, rows: int = 1000, seconds: float = 20.0) -> Table:
    """Answer a SELECT or ASK query.

    Raises:
        QueryError: if it is malformed (with line and column), an update, federated, or over `seconds`.
    """
    bare = _QUIET.sub(" ", text)
    if found := _UPDATE.search(bare):
        raise QueryError(f"this endpoint is read-only; {found[1].upper()} is not allowed")
    if re.search(r"\bSERVICE\b", bare, re.I):
        raise QueryError("SERVICE is not allowed: queries run on this machine only")
    outcome: list[Table | Exception] = []

    def work() -> None:
        try:
            outcome.append(_run(graph, text, rows))
        except Exception as error:  # handed to the caller below
            outcome.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(seconds)
    if not outcome:
        raise QueryError(f"the query ran longer than {seconds:g} s; narrow it or add LIMIT")
    if isinstance(result := outcome[0], Exception):
        raise result
    return result


def _run(graph: KnowledgeGraph, text: str, rows: int) -> Table:
    import pyoxigraph as ox

    store = _store(graph)
    declared = {match[1] for match in re.finditer(r"PREFIX\s+([\w-]*):", text, re.I)}
    prologue = " ".join(f"PREFIX {name}: <{iri}>" for name, iri in PREFIXES.items() if name not in declared)
    try:
        result = store.query(prologue + " " + text)
    except SyntaxError as error:
        raise QueryError(f"SPARQL: {_located(str(error), len(prologue) + 1)}") from None
    if isinstance(result, ox.QueryBoolean):
        return Table(("answer",), ((str(bool(result)).lower(),),))
    if isinstance(result, ox.QueryTriples):
        triples = [(str(t.subject), str(t.predicate), str(t.object)) for t, _ in zip(result, range(rows), strict=False)]
        return Table(("subject", "predicate", "object"), tuple(triples))
    columns = tuple(variable.value for variable in result.variables)
    found: list[tuple[str | None, ...]] = []
    for solution in result:
        if len(found) == rows:
            return Table(columns, tuple(found), cut=True)
        found.append(tuple(getattr(term, "value", str(term)) if term is not None else None for term in solution))
    return Table(columns, tuple(found))


@lru_cache(maxsize=1)
def _store(graph: KnowledgeGraph) -> ox.Store:
    """The graph's triples in memory; kept for the next query on the same graph."""
    import pyoxigraph as ox

    store = ox.Store()
    store.bulk_load(to_rdf(graph).serialize(format="nt").encode(), format=ox.RdfFormat.N_TRIPLES)
    return store


def _located(message: str, shift: int) -> str:
    """The parser's message with its column moved back by the prologue that we put on the first line."""

    def moved(match: re.Match[str]) -> str:
        line, column = int(match[1]), int(match[2])
        return f"line {line}, column {max(column - shift, 1) if line == 1 else column}"

    return re.sub(r"(\d+):(\d+)", moved, message, count=1)
