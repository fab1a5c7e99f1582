"""Read-only SPARQL over the graph, limited in rows and time, with the prefixes declared."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ailineage.errors import QueryError
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.rdf import PREFIXES, to_rdf
from ailineage.kg.sparql_worker import Worker

_QUIET = re.compile(
    r"<[^<>\"{}|^`\\\s]*>|\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|#[^\n]*", re.S
)
_UPDATE = re.compile(r"(?<![?$:\w-])(INSERT|DELETE|LOAD|CLEAR|DROP|CREATE|ADD|MOVE|COPY)\b(?!:)", re.I)
_GAP = r"(?:\s|#[^\n]*\n)*"
_SERVICE = re.compile(rf"(?<![?$:\w-])SERVICE\b{_GAP}(?:SILENT\b{_GAP})?(?:<|[?$]\w|[\w-]*:)", re.I)


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


def catalogue() -> str:
    """The example queries as a page of documentation, docs/queries.md."""
    lines = [
        "# Fifteen queries",
        "",
        "Each answers its question on the library's graph: `ailineage sparql FILE`, here or, with `--endpoint URL`,",
        "at any SPARQL 1.1 server that holds an export. The prefixes are declared for you:",
        "",
        "```sparql",
        *(f"PREFIX {name}: <{iri}>" for name, iri in PREFIXES.items()),
        "```",
    ]
    for example in examples():
        body = example.text.split("\n", 1)[1].strip()
        lines += ["", f"## {example.question}", "", f"`kg/queries/{example.name}.rq`", "", "```sparql", body, "```"]
    return "\n".join(lines) + "\n"


def query(graph: KnowledgeGraph, text: str, *, rows: int = 1000, seconds: float = 20.0) -> Table:
    """Answer a SELECT, ASK, CONSTRUCT or DESCRIBE query.

    Raises:
        QueryError: if it is malformed (with line and column), an update, federated, or over `seconds`.
    """
    check(text)
    declared = prologue(text)
    with _ONE_AT_A_TIME:
        reply = _worker(graph).ask(f"{declared} {text}", rows, seconds)
    if reply is None:
        raise QueryError(f"the query ran longer than {seconds:g} s; narrow it or add LIMIT")
    if error := reply.get("error"):
        raise QueryError(f"SPARQL: {located(error, len(declared) + 1)}")
    return Table(tuple(reply["columns"]), tuple(map(tuple, reply["rows"])), reply["cut"])


_ONE_AT_A_TIME = threading.Lock()
_working: list[tuple[KnowledgeGraph, Worker]] = []


def _worker(graph: KnowledgeGraph) -> Worker:
    """The process that holds the graph's triples; kept for the next query on the same graph."""
    if _working and _working[0][0] is graph and _working[0][1].alive:
        return _working[0][1]
    while _working:
        _working.pop()[1].stop()
    worker = Worker(to_rdf(graph).serialize(format="nt").encode())
    _working.append((graph, worker))
    return worker


def check(text: str) -> None:
    """Refuse what is no plain reading query.

    Raises:
        QueryError: if it is an update, or reaches for another server.
    """
    spelled = re.sub(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})", _unescaped, text)
    if found := _UPDATE.search(_QUIET.sub(" ", spelled)):
        raise QueryError(f"SPARQL is read-only here; {found[1].upper()} is not allowed")
    # searched in the whole text: what is quoted and what is not depends on how a parser reads `<`
    if _SERVICE.search(spelled) or re.search(r"(?<![?$:\w-])SERVICE\b", _QUIET.sub(" ", spelled), re.I):
        raise QueryError("SERVICE is not allowed: a query runs on one server only")


def _unescaped(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 else match[0]


def prologue(text: str) -> str:
    """Declarations of the prefixes that a query does not declare itself, on one line."""
    declared = {match[1] for match in re.finditer(r"PREFIX\s+([\w-]*):", text, re.I)}
    return " ".join(f"PREFIX {name}: <{iri}>" for name, iri in PREFIXES.items() if name not in declared)


def located(message: str, shift: int) -> str:
    """The parser's message with its column moved back by the prologue that we put on the first line."""

    def moved(match: re.Match[str]) -> str:
        line, column = int(match[1]), int(match[2])
        return f"line {line}, column {max(column - shift, 1) if line == 1 else column}"

    return re.sub(r"(\d+):(\d+)", moved, message, count=1)
