"""A served app and a real browser; both are started once and kept for all browser tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from ailineage.ui import serve

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


def serve_app(workspace: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the app on a free port; returns the process and the address when it answers."""
    with socket.socket() as probe:
        probe.bind((serve.ADDRESS, 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "AILINEAGE_HOME": str(workspace)}
    process = subprocess.Popen(
        serve.command(port), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://{serve.ADDRESS}:{port}"
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as reply:
                if reply.status == 200:
                    return process, address
        except OSError:
            time.sleep(0.2)
    process.kill()
    raise RuntimeError("the app did not start within a minute")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a built graph and index; a copy of $AILINEAGE_TEST_WORKSPACE where that is set."""
    folder = tmp_path_factory.mktemp("ui") / "workspace"
    if ready := os.environ.get("AILINEAGE_TEST_WORKSPACE"):
        shutil.copytree(ready, folder)
    else:
        import ailineage

        ailineage.open(folder).build()
    return folder


@pytest.fixture(scope="session")
def address(built: Path) -> Iterator[str]:
    """Address of the app over the built workspace."""
    process, address = serve_app(built)
    yield address
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; tests that need it skip where none is installed."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed; `make test` as root installs it")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


class Watched:
    """What a page did that it should not: requests that leave this machine, and errors in the console."""

    def __init__(self, page: Page) -> None:
        self.outside: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda r: self.outside.append(r.url) if not _local(r.url) else None)
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" and not _probe(m) else None)
        page.on("pageerror", lambda e: self.errors.append(str(e)))


def _probe(message: ConsoleMessage) -> bool:
    """Whether it is Streamlit looking for its server below the page's own path first, which answers 404."""
    return "/_stcore/" in message.location["url"] and "404" in message.text


def _local(url: str) -> bool:
    return url.startswith(("data:", "blob:", f"http://{serve.ADDRESS}", f"ws://{serve.ADDRESS}"))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page in English whose misbehaviour fails the test."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    watched = Watched(opened)
    yield opened
    context.close()
    assert watched.outside == []
    assert watched.errors == []
