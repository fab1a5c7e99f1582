"""Make the pictures in README.md: `make screenshots`."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

import ailineage
from tests.ui.conftest import CHROMIUM, FLAGS, serve_app

FOLDER = Path(__file__).resolve().parents[2] / "docs"
WAIT = 180_000


def chat(page: Page, address: str) -> None:
    """A question, its answer and one of its sources."""
    page.goto(address)
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box).to_be_visible(timeout=WAIT)
    box.fill("How did the Transformer lead to SAM?")
    box.press("Enter")
    expect(page.get_by_test_id("answer").first).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name=re.compile(r"^\[2\]")).first.click()
    expect(page.get_by_test_id("source-text").first).to_be_visible(timeout=WAIT)
    page.wait_for_timeout(800)
    page.mouse.move(600, 400)
    page.mouse.wheel(0, -5000)
    page.wait_for_timeout(400)
    page.screenshot(path=FOLDER / "chat.png")


def lineage(page: Page, address: str) -> None:
    """The family tree in time."""
    page.goto(f"{address}/lineage")
    expect(page.locator(".stage .node").first).to_be_attached(timeout=WAIT)
    page.wait_for_timeout(800)
    page.screenshot(path=FOLDER / "lineage.png")


def node(page: Page, address: str) -> None:
    """One node with its article, facts and references."""
    page.goto(f"{address}/node?id=bert")
    expect(page.get_by_test_id("node-title")).to_be_visible(timeout=WAIT)
    page.wait_for_timeout(2500)
    page.screenshot(path=FOLDER / "node.png")


def main() -> int:
    """Serve the library's graph from a fresh workspace and photograph its pages."""
    if CHROMIUM is None:
        sys.stderr.write("no Chromium is installed; apt-get install chromium\n")
        return 2
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        workspace = Path(folder) / "workspace"
        ailineage.open(workspace).build()
        process, address = serve_app(workspace)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            page = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 860}).new_page()
            for picture in (chat, lineage, node):
                picture(page, address)
                sys.stdout.write(f"docs/{picture.__name__}.png\n")
        finally:
            browser.close()
            process.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
