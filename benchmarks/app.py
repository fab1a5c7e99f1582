"""How long a person waits for the pages, in headless Chromium: `python benchmarks/app.py`.

Seconds, each the median of some runs in a fresh browser context, over a server that has answered once: the library's
own graph, then a synthetic one of 500 nodes and 1,500 edges (drawn in time order, as in `benchmarks/graph.py`).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

import ailineage
from ailineage.corpus.documents import Document
from ailineage.kg import store
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import AUTHORED, Claim, Node
from ailineage.kg.vocabulary import Family, Kind, Relation
from ailineage.workspace import Workspace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.graph import grow

from tests.ui.conftest import CHROMIUM, FLAGS, serve_app

WAIT = 120_000


def synthetic(nodes: int, edges: int) -> KnowledgeGraph:
    """Models of all families from 1943 to 2025, each built on earlier ones."""
    parents, children, _ = grow(nodes, edges)
    families = list(Family)
    made = [
        Node(
            f"n{i}",
            Kind.MODEL,
            {"en": f"Model {i}"},
            family=families[i * 7 % len(families)],
            date=f"{1943 + 82 * i // nodes}-{i % 12 + 1:02d}",
        )
        for i in range(nodes)
    ]
    said = {"document": "d", "text": "x", "extractor": AUTHORED, "confidence": 1.0, "relation": Relation.BUILDS_ON}
    claims = [
        Claim.make(subject=f"n{child}", object=f"n{parent}", start=place, end=place + 1, **said)
        for place, (parent, child) in enumerate(zip(parents.tolist(), children.tolist(), strict=True))
    ]
    return KnowledgeGraph(made, claims, [Document("d", "d", "x" * (len(claims) + 1), "en", "library", "0")])


def seconds(browser: Browser, runs: int, act: Callable[[Page], float]) -> float:
    """Median of what `act` measures on a new page."""
    found = []
    for _ in range(runs):
        context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
        found.append(act(context.new_page()))
        context.close()
    return statistics.median(found)


def first_paint(address: str) -> Callable[[Page], float]:
    """Until the browser paints anything."""

    def act(page: Page) -> float:
        page.goto(address)
        entry = "performance.getEntriesByName('first-contentful-paint')"
        page.wait_for_function(f"{entry}.length > 0", timeout=WAIT)
        return float(page.evaluate(f"{entry}[0].startTime")) / 1000

    return act


def until(address: str, selector: str) -> Callable[[Page], float]:
    """Until something stands on the page."""

    def act(page: Page) -> float:
        began = time.perf_counter()
        page.goto(address)
        page.locator(selector).first.wait_for(state="attached", timeout=WAIT)
        return time.perf_counter() - began

    return act


def click(address: str, node: str) -> Callable[[Page], float]:
    """From a click on a node of the tree to its card."""

    def act(page: Page) -> float:
        page.goto(f"{address}/lineage")
        target = page.locator(f".node[data-id={node}]")
        expect(target).to_be_visible(timeout=WAIT)
        page.wait_for_timeout(500)
        began = time.perf_counter()
        target.dispatch_event("click")
        expect(page.get_by_test_id("card")).to_be_visible(timeout=WAIT)
        return time.perf_counter() - began

    return act


def main() -> int:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=3)
    runs = options.parse_args().runs
    if CHROMIUM is None:
        sys.stderr.write("no Chromium is installed; apt-get install chromium\n")
        return 2
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        library, large = Path(folder) / "library", Workspace(Path(folder) / "large")
        ailineage.open(library).build()
        graph = synthetic(500, 1500)
        with large.writing():
            large.publish("graph", "large", {}, lambda at: store.save(graph, {}, at))
            large.publish("index", "large", {"graph": "large"}, lambda at: None)
        for name, workspace, node in (("library", library, "transformer"), ("500 / 1,500", large.root, "n0")):
            process, address = serve_app(workspace)
            drawn = until(f"{address}/lineage", ".stage[data-drawn] .node")
            rows = {"explorer drawn, first visit": lambda d=drawn: seconds(browser, 1, d)}
            if name == "library":
                chat = until(address, "[data-testid=stChatInputTextArea]")
                rows["first paint"] = lambda a=address: seconds(browser, runs, first_paint(a))
                rows["chat ready"] = lambda c=chat: seconds(browser, runs, c)
            rows["explorer drawn"] = lambda d=drawn: seconds(browser, runs, d)
            rows["click to card"] = lambda a=address, n=node: seconds(browser, runs, click(a, n))
            for row, measure in rows.items():
                sys.stdout.write(f"{name:12} {row:28} {measure():6.2f} s\n")
                sys.stdout.flush()
            process.terminate()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
