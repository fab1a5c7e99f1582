"""The same queries at any SPARQL 1.1 server (Fuseki, GraphDB, Oxigraph), by the standard's HTTP protocol.

https://www.w3.org/TR/sparql11-protocol/, section 2.1.3 (query by POST), and
https://www.w3.org/TR/sparql11-results-json/. What is sent is checked as for a query of our own: read-only, no SERVICE.
"""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import orjson

from ailineage.errors import QueryError
from ailineage.kg.sparql import Table, check, located, prologue

LARGEST = 64 * 2**20
"""Bytes of an answer."""

_ACCEPT = "application/sparql-results+json, application/n-triples;q=0.9"


class _Stay(HTTPRedirectHandler):
    """No redirects: a query goes to the server that was named."""

    def redirect_request(self, *_: Any) -> None:
        return None


def query(url: str, text: str, *, rows: int = 1000, seconds: float = 20.0, largest: int = LARGEST) -> Table:
    """Answer a SELECT, ASK, CONSTRUCT or DESCRIBE query at the server of `url`.

    Raises:
        QueryError: if the query is not read-only, the server cannot be reached or refuses it, or its answer is too
            late, too large or not what the protocol says.
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise QueryError(f"{url!r} is not the http address of a SPARQL endpoint")
    check(text)
    declared = prologue(text)
    request = Request(
        url,
        data=f"{declared} {text}".encode(),
        headers={"Content-Type": "application/sparql-query", "Accept": _ACCEPT, "User-Agent": "ailineage"},
    )
    try:
        with build_opener(_Stay).open(request, timeout=seconds) as response:
            kind = response.headers.get_content_type()
            body = _body(response, url, seconds, largest)
    except HTTPError as error:
        with error:
            said = " ".join(error.read(500).decode("utf-8", "replace").split())
        raise QueryError(f"{url} refused the query: {error.code} {located(said, len(declared) + 1)}".strip()) from None
    except TimeoutError:
        raise QueryError(f"{url}: no answer within {seconds:g} s; narrow the query or add LIMIT") from None
    except (URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise QueryError(f"{url}: no answer within {seconds:g} s; narrow the query or add LIMIT") from None
        raise QueryError(f"{url} cannot be reached: {reason}") from None
    if kind == "application/n-triples":
        return _triples(body, rows)
    return _table(body, url, rows)


def _body(response: Any, url: str, seconds: float, largest: int) -> bytes:
    """The whole answer, unless it is too large or comes in too slowly."""
    until, body = time.monotonic() + seconds, bytearray()
    while part := response.read1(2**16):
        body += part
        if len(body) > largest:
            raise QueryError(f"{url}: the answer is larger than {largest >> 20} MiB; add LIMIT")
        if time.monotonic() > until:
            raise QueryError(f"{url}: no whole answer within {seconds:g} s; narrow the query or add LIMIT")
    return bytes(body)


def _table(body: bytes, url: str, rows: int) -> Table:
    try:
        answer = orjson.loads(body)
        if "boolean" in answer:
            return Table(("answer",), ((str(bool(answer["boolean"])).lower(),),))
        columns = tuple(answer["head"]["vars"])
        bindings = answer["results"]["bindings"]
        found = tuple(tuple(_value(binding.get(name)) for name in columns) for binding in bindings[:rows])
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise QueryError(f"{url} did not answer with SPARQL results in JSON; is it a SPARQL endpoint?") from None
    return Table(columns, found, cut=len(bindings) > rows)


def _value(term: Any) -> str | None:
    """The text of a term; a quoted triple is written out."""
    if term is None:
        return None
    value = term["value"]
    if term["type"] == "triple":
        return "<< " + " ".join(str(_value(value[part])) for part in ("subject", "predicate", "object")) + " >>"
    return ("_:" if term["type"] == "bnode" else "") + str(value)


def _triples(body: bytes, rows: int) -> Table:
    import pyoxigraph as ox

    triples = list(ox.parse(body, format=ox.RdfFormat.N_TRIPLES))
    found = tuple((str(t.subject), str(t.predicate), str(t.object)) for t in triples[:rows])
    return Table(("subject", "predicate", "object"), found, cut=len(triples) > rows)
