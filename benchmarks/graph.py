"""Large synthetic lineages: graph libraries, SPARQL engines and the store, as ratios: `python benchmarks/graph.py`.

The graph grows in time order: each new node builds on earlier ones, half of them chosen in proportion to the children
they have (D. J. de Solla Price, "A general theory of bibliometric and other cumulative advantage processes", JASIS
27(5), 1976), half of them among the newest thousand. Each row is measured in a process of its own; memory is what the
process holds after loading beyond what it held before. Libraries that are not installed are left out.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from ailineage.kg.columns import Columns
    from ailineage.kg.graph import KnowledgeGraph

_RECENT, _ENDS = 1000, 5


def grow(nodes: int, edges: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parents, children (both int32, parent < child) and costs (float64) of a lineage; no edge twice."""
    chance, each = random.Random(seed), edges // nodes
    parents, children = [0], [1]
    for child in range(2, nodes):
        chosen: set[int] = set()
        for pick in range(min(each, child)):
            if pick % 2:
                chosen.add(parents[chance.randrange(len(parents))])
            else:
                chosen.add(chance.randrange(max(0, child - _RECENT), child))
        parents += chosen
        children += [child] * len(chosen)
    costs = np.random.default_rng(seed).choice([1.0, 1.5, 2.5], len(parents), p=[0.7, 0.1, 0.2])
    return np.array(parents, np.int32), np.array(children, np.int32), costs


class Compiled(Protocol):
    """What the lineage needs of a graph library."""

    def __init__(self, nodes: int, parents: np.ndarray, children: np.ndarray, costs: np.ndarray) -> None: ...

    def ancestors(self, node: int) -> int: ...  # noqa: D102 (how many)
    def path(self, start: int, goal: int) -> float: ...  # noqa: D102 (the cost of the cheapest)
    def pagerank(self) -> int: ...  # noqa: D102 (the highest, from child to parent)


class _Networkx:
    """https://networkx.org, which the graph offers as a view."""

    def __init__(self, nodes: int, parents: np.ndarray, children: np.ndarray, costs: np.ndarray) -> None:
        import networkx

        self.nx = networkx
        self.graph = networkx.DiGraph()
        self.graph.add_nodes_from(range(nodes))
        triples = zip(parents.tolist(), children.tolist(), costs.tolist(), strict=True)
        self.graph.add_weighted_edges_from(triples)

    def ancestors(self, node: int) -> int:
        return len(self.nx.ancestors(self.graph, node))

    def path(self, start: int, goal: int) -> float:
        return self.nx.dijkstra_path_length(self.graph, start, goal)

    def pagerank(self) -> int:
        ranks = self.nx.pagerank(self.graph.reverse(copy=False))
        return max(ranks, key=ranks.__getitem__)


class _Rustworkx:
    """https://www.rustworkx.org."""

    def __init__(self, nodes: int, parents: np.ndarray, children: np.ndarray, costs: np.ndarray) -> None:
        import rustworkx

        self.rx = rustworkx
        self.graph = rustworkx.PyDiGraph(multigraph=False)
        self.graph.add_nodes_from(range(nodes))
        self.graph.add_edges_from(list(zip(parents.tolist(), children.tolist(), costs.tolist(), strict=True)))

    def ancestors(self, node: int) -> int:
        return len(self.rx.ancestors(self.graph, node))

    def path(self, start: int, goal: int) -> float:
        return self.rx.dijkstra_shortest_path_lengths(self.graph, start, float, goal)[goal]

    def pagerank(self) -> int:
        turned = self.graph.copy()
        turned.reverse()
        ranks = self.rx.pagerank(turned)
        return max(range(len(ranks)), key=ranks.__getitem__)


class _Igraph:
    """https://python.igraph.org."""

    def __init__(self, nodes: int, parents: np.ndarray, children: np.ndarray, costs: np.ndarray) -> None:
        import igraph

        self.graph = igraph.Graph(nodes, np.column_stack([parents, children]), directed=True)
        self.costs = costs.tolist()

    def ancestors(self, node: int) -> int:
        return len(self.graph.subcomponent(node, mode="in")) - 1

    def path(self, start: int, goal: int) -> float:
        return self.graph.distances(start, goal, weights=self.costs)[0][0]

    def pagerank(self) -> int:
        turned = self.graph.copy()
        turned.reverse_edges()
        return int(np.argmax(turned.pagerank()))


class _Columns:
    """`ailineage.kg.columns`, which `kg.lineage` searches: arrays and scipy, which are there already."""

    def __init__(self, nodes: int, parents: np.ndarray, children: np.ndarray, costs: np.ndarray) -> None:
        self.graph = columns(nodes, parents, children, costs)
        _ = self.graph.up

    def ancestors(self, node: int) -> int:
        return len(self.graph.reach(self.graph.up, f"{node:09d}"))

    def path(self, start: int, goal: int) -> float:
        route = self.graph.path(self.graph.down, f"{start:09d}", f"{goal:09d}") or []
        return float(sum(self.graph.costs[self.graph.step(*step)] for step in pairwise(route)))

    def pagerank(self) -> int:
        return int(np.argmax(self.graph.pagerank()))


def columns(nodes: int, parents: np.ndarray, children: np.ndarray, costs: np.ndarray) -> Columns:
    """Columns of a grown lineage, a claim to each step."""
    from ailineage.kg.columns import Columns

    order = np.lexsort([children, parents])
    count = len(parents)
    ids = np.array([f"{node:09d}" for node in range(nodes)])
    claims = np.array([f"{step:016x}".encode() for step in range(count)])
    kinds = np.searchsorted([1.0, 1.5, 2.5], costs).astype(np.uint8)
    first = np.arange(count + 1)
    return Columns(ids, parents[order], children[order], kinds[order], costs[order], first, claims)


ENGINES: dict[str, type[Compiled]] = {
    "networkx": _Networkx,
    "rustworkx": _Rustworkx,
    "igraph": _Igraph,
    "columns": _Columns,
}


def measure_engine(name: str, nodes: int, edges: int) -> dict[str, float]:
    """Seconds of each question on one library, and bytes of memory per edge."""
    parents, children, costs = grow(nodes, edges)
    ENGINES[name](2, parents[:1], children[:1], costs[:1]).ancestors(1)
    before = _resident()
    began = time.perf_counter()
    graph = ENGINES[name](nodes, parents, children, costs)
    found = {"load s": time.perf_counter() - began, "bytes/edge": (_resident() - before) / len(parents)}
    ends = np.linspace(nodes * 0.5, nodes - 1, _ENDS).astype(int).tolist()
    found["ancestors ms"] = _timed(lambda: [graph.ancestors(end) for end in ends]) / _ENDS * 1e3
    found["path ms"] = _timed(lambda: [graph.path(end // 50, end) for end in ends]) / _ENDS * 1e3
    found["PageRank ms"] = _timed(graph.pagerank) * 1e3
    check = [graph.ancestors(ends[-1]), round(graph.path(ends[-1] // 50, ends[-1]), 6), graph.pagerank()]
    return found | {"check": check}  # type: ignore[dict-item]


def measure_sparql(name: str, nodes: int, edges: int) -> dict[str, float]:
    """Seconds to load a lineage's triples and to answer three queries."""
    base = "https://w3id.org/ailineage/"
    parents, children, _ = grow(nodes, edges)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "g.nt"
        with path.open("w") as out:
            for parent, child in zip(parents.tolist(), children.tolist(), strict=True):
                out.write(f"<{base}node/{child}> <{base}vocabulary#builds_on> <{base}node/{parent}> .\n")
        began = time.perf_counter()
        if name == "pyoxigraph":
            import pyoxigraph

            store = pyoxigraph.Store()
            store.bulk_load(path=str(path), format=pyoxigraph.RdfFormat.N_TRIPLES)
            ask: Callable[[str], Any] = lambda text: list(store.query(text))  # noqa: E731
        else:
            import rdflib

            kept = rdflib.Graph(store="Oxigraph") if name == "oxrdflib" else rdflib.Graph()
            kept.parse(path, format="ox-nt" if name == "oxrdflib" else "nt")
            ask = lambda text: list(kept.query(text))  # noqa: E731
        found = {"load s": time.perf_counter() - began}
    last, on = f"<{base}node/{nodes - 1}>", f"<{base}vocabulary#builds_on>"
    found["two steps ms"] = _timed(lambda: ask(f"SELECT DISTINCT ?p {{ {last} {on}/{on} ?p }}")) * 1e3
    mine = f"<{base}node/{nodes // 1000}>"
    found["all ancestors ms"] = _timed(lambda: ask(f"SELECT ?p {{ {mine} {on}+ ?p }}")) * 1e3
    most = f"SELECT ?p (COUNT(?c) AS ?n) {{ ?c {on} ?p }} GROUP BY ?p ORDER BY DESC(?n) LIMIT 10"
    found["count children ms"] = _timed(lambda: ask(most)) * 1e3
    return found


def measure_store(name: str, nodes: int, edges: int) -> dict[str, float]:
    """Seconds to save a graph whose edges each have a claim, to open it, and for the first questions and exports."""
    from ailineage.corpus.documents import Document
    from ailineage.kg import exports, lineage, store
    from ailineage.kg.graph import KnowledgeGraph
    from ailineage.kg.model import Claim, Node
    from ailineage.kg.vocabulary import Kind, Relation

    parents, children, _ = grow(nodes, edges)
    said = {"document": "d", "text": "x", "extractor": "authored", "confidence": 1.0, "relation": Relation.BUILDS_ON}
    pairs = enumerate(zip(parents.tolist(), children.tolist(), strict=True))
    built = KnowledgeGraph(
        (Node(str(i), Kind.MODEL, {"en": f"node {i}"}, date=f"{1900 + 100 * i // nodes}") for i in range(nodes)),
        (Claim.make(subject=str(c), object=str(p), start=i, end=i + 1, **said) for i, (p, c) in pairs),
        [Document("d", "d", "x" * 9, "en", "library", "0")],
    )
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        found = {"save s": _timed(partial(store.save, built, {}, at))}
        if name == "objects":  # all records as Python objects, as an earlier version of the store held them
            before, began = _resident(), time.perf_counter()
            loaded = KnowledgeGraph(*(list(part.values()) for part in _parts(store.load(at))))
        else:
            del built
            before, began = _resident(), time.perf_counter()
            loaded = store.load(at)
        found["open s"] = time.perf_counter() - began
        last = str(nodes - 1)
        found["first ancestors s"] = _timed(lambda: lineage.ancestors(loaded, last))
        found["path with claims s"] = _timed(lambda: lineage.path(loaded, str(nodes // 50), last))
        found["bytes/edge"] = max(_resident() - before, 0) / len(parents)
        if name == "mapped":
            found["whole as networkx s"] = _timed(lambda: loaded.lineage)
            for format in ("json", "graphml"):
                found[f"export {format} s"] = _timed(partial(exports.write, loaded, format, at / "g"))
        return found


def _parts(graph: KnowledgeGraph) -> tuple[Mapping[str, Any], ...]:
    return graph.nodes, graph.claims, graph.documents


GROUPS: dict[str, tuple[Callable[[str, int, int], dict[str, float]], tuple[str, ...]]] = {
    "engines": (measure_engine, tuple(ENGINES)),
    "sparql": (measure_sparql, ("rdflib", "oxrdflib", "pyoxigraph")),
    "store": (measure_store, ("objects", "mapped")),
}


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _resident() -> int:
    """Bytes the process holds now (Linux)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> None:
    """Print one table a group; figures in brackets are ratios to its first row."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--nodes", type=int, default=100_000)
    options.add_argument("--edges", type=int, default=1_000_000)
    options.add_argument("--only", choices=GROUPS, nargs="*", default=list(GROUPS))
    options.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.one:
        group, name = chosen.one
        sys.stdout.write(json.dumps(GROUPS[group][0](name, chosen.nodes, chosen.edges)))
        return
    size = ["--nodes", str(chosen.nodes), "--edges", str(chosen.edges)]
    for group in chosen.only:
        sys.stdout.write(f"\n{group}: {chosen.nodes:,} nodes, {chosen.edges:,} edges asked for\n")
        first: dict[str, float] = {}
        for name in GROUPS[group][1]:
            run = subprocess.run(
                [sys.executable, __file__, *size, "--one", group, name], capture_output=True, text=True, check=False
            )
            if run.returncode:
                sys.stdout.write(f"  {name:12} left out: {run.stderr.strip().splitlines()[-1]}\n")
                continue
            found = json.loads(run.stdout)
            check = found.pop("check", None)
            first = first or found
            cells = (
                f"{key} {value:.3g}"
                + (f" ({value / first[key]:.2g}x)" if first.get(key) and found is not first else "")
                for key, value in found.items()
            )
            sys.stdout.write(f"  {name:12} " + "   ".join(cells) + (f"   {check}" if check else "") + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
