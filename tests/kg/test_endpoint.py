"""Against real servers on loopback: the Oxigraph server where its package is installed, and a small one of our own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from ailineage.errors import QueryError
from ailineage.kg import endpoint, rdf, sparql
from ailineage.kg.authored import Authored
from ailineage.kg.building import Parts
from ailineage.kg.graph import KnowledgeGraph


@pytest.fixture(scope="module")
def whole(shipped: Authored) -> KnowledgeGraph:
    return Parts(shipped).graph()


@pytest.fixture(scope="module")
def oxigraph(whole: KnowledgeGraph) -> Iterator[str]:
    """The Oxigraph server (PyPI package `oxigraph`) holding the library's graph."""
    beside = Path(sys.executable).with_name("oxigraph")
    program = str(beside) if beside.exists() else shutil.which("oxigraph")
    if program is None:
        pytest.skip("the oxigraph server is not installed (pip install oxigraph)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    at = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([program, "serve", "--bind", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        triples = rdf.to_rdf(whole).serialize(format="nt", encoding="utf-8")
        load = Request(f"{at}/store?default", triples, {"Content-Type": "application/n-triples"}, method="PUT")
        for attempt in range(100):
            try:
                urlopen(load, timeout=30).close()
                break
            except URLError:
                assert attempt < 99, "the server did not start"
                time.sleep(0.1)
        yield f"{at}/query"
    finally:
        server.terminate()
        server.wait(10)


EXAMPLES = {example.name: example.text for example in sparql.examples()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_finds_the_same_there_as_here(oxigraph: str, whole: KnowledgeGraph, name: str) -> None:
    here = sparql.query(whole, EXAMPLES[name], seconds=60)
    there = endpoint.query(oxigraph, EXAMPLES[name], seconds=60)
    assert there.columns == here.columns
    assert sorted(map(str, there.rows)) == sorted(map(str, here.rows))


def test_the_real_server_answers_every_form_of_query(oxigraph: str) -> None:
    assert endpoint.query(oxigraph, "ASK { node:transformer a ail:Model }").rows == (("true",),)
    built = endpoint.query(oxigraph, "CONSTRUCT { ?m a ail:Model } WHERE { ?m a ail:Model }", rows=2)
    assert built.columns == ("subject", "predicate", "object")
    assert (len(built.rows), built.cut) == (2, True)
    optional = "SELECT ?n ?x { VALUES ?n { node:bert } OPTIONAL { ?n ail:won node:nothing ; ail:x ?x } }"
    assert endpoint.query(oxigraph, optional).rows == (("https://w3id.org/ailineage/node/bert", None),)


def test_the_real_server_names_the_place_of_an_error(oxigraph: str) -> None:
    with pytest.raises(QueryError, match=r"refused the query: 400 .*line 1, column 2"):
        endpoint.query(oxigraph, "SELECT ?n WHERE { ?n a }")


class _Scripted(BaseHTTPRequestHandler):
    """Answers by path, each time badly."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/slow":
            time.sleep(1.5)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            return
        body = {"/page": b"<html>hello</html>", "/large": b" " * 2**20, "/odd": b'{"head": {}}'}.get(self.path, b"")
        kind = "text/html" if self.path == "/page" else "application/sparql-results+json"
        try:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            for start in range(0, len(body), 2**16):
                self.wfile.write(body[start : start + 2**16])
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def bad() -> Iterator[str]:
    """A server that keeps to no protocol."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Scripted)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/page", "did not answer with SPARQL results"),
        ("/odd", "did not answer with SPARQL results"),
        ("/large", "larger than"),
        ("/slow", "no answer within"),
        ("/moved", "refused the query: 302"),
    ],
)
def test_a_bad_server_is_one_clear_line(bad: str, path: str, complaint: str) -> None:
    with pytest.raises(QueryError, match=complaint) as caught:
        endpoint.query(bad + path, "ASK { ?s ?p ?o }", seconds=0.5, largest=2**18)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://127.0.0.1/x", "localhost:3030", "http://"])
def test_only_http_addresses_are_asked(url: str) -> None:
    with pytest.raises(QueryError, match="is not the http address"):
        endpoint.query(url, "ASK { ?s ?p ?o }")


def test_no_server_is_said_so() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(QueryError, match="cannot be reached"):
        endpoint.query(f"http://127.0.0.1:{port}/query", "ASK { ?s ?p ?o }")


@pytest.mark.parametrize(
    "text",
    [
        "DROP ALL",
        "INSERT DATA { node:a ail:uses node:b }",
        "SELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }",
    ],
)
def test_updates_and_service_are_not_even_sent(text: str) -> None:
    with pytest.raises(QueryError, match=r"read-only|SERVICE"):
        endpoint.query("http://127.0.0.1:9/query", text)
