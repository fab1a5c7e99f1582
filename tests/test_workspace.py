from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from ailineage.errors import MismatchError, WorkspaceError
from ailineage.workspace import SCHEMA, Workspace, matching, version_of
from tests.killed_build import opened


def write(text: str):
    return lambda folder: (folder / "data").write_text(text)


def publish(workspace: Workspace, version: str, **manifest: str) -> None:
    with workspace.writing():
        workspace.publish("graph", version, manifest, write(version))


@pytest.fixture
def workspace(home: Path) -> Workspace:
    return Workspace.at()


def test_an_argument_goes_before_the_environment(home: Path, tmp_path: Path) -> None:
    assert Workspace.at().root == home
    assert Workspace.at(tmp_path / "other").root == tmp_path / "other"
    assert not home.exists()


def test_published_versions_are_found_again(workspace: Workspace) -> None:
    assert workspace.current("graph") is None
    publish(workspace, "one", made_of="this")
    current = workspace.current("graph")
    assert current is not None
    assert (current.name, current.manifest["made_of"]) == ("one", "this")
    assert (current.folder / "data").read_text() == "one"
    assert workspace.check("graph") == []


def test_a_changed_file_is_noticed(workspace: Workspace) -> None:
    publish(workspace, "one")
    (workspace.root / "graph" / "one" / "data").write_text("tampered")
    assert workspace.check("graph") == ["data"]


def test_the_last_three_versions_are_kept(workspace: Workspace) -> None:
    for version in "abcde":
        publish(workspace, version)
    assert sorted(p.name for p in (workspace.root / "graph").iterdir() if p.is_dir()) == ["c", "d", "e"]
    publish(workspace, "c")
    current = workspace.current("graph")
    assert current is not None
    assert current.name == "c"


def test_a_failed_build_publishes_nothing(workspace: Workspace) -> None:
    publish(workspace, "good")

    def fail(folder: Path) -> None:
        (folder / "data").write_text("half")
        raise RuntimeError

    with workspace.writing(), pytest.raises(RuntimeError):
        workspace.publish("graph", "bad", {}, fail)
    current = workspace.current("graph")
    assert current is not None
    assert current.name == "good"
    publish(workspace, "better")
    assert not list((workspace.root / "graph").glob(".*.new"))


def test_one_writer_at_a_time(workspace: Workspace) -> None:
    def other() -> None:
        try:
            with Workspace(workspace.root).writing():
                os._exit(1)
        except WorkspaceError as error:
            os._exit(0 if "another process is writing" in str(error) else 2)

    with workspace.writing():
        process = multiprocessing.get_context("fork").Process(target=other)
        process.start()
        process.join()
        assert process.exitcode == 0


def test_a_newer_workspace_is_refused(workspace: Workspace) -> None:
    publish(workspace, "one")
    path = workspace.root / "graph" / "one" / "manifest.json"
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), "schema": SCHEMA + 1}))
    with pytest.raises(WorkspaceError, match="newer ailineage"):
        workspace.current("graph")


def test_an_older_workspace_is_refused(workspace: Workspace) -> None:
    publish(workspace, "one")
    path = workspace.root / "graph" / "one" / "manifest.json"
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), "schema": SCHEMA - 1}))
    with pytest.raises(WorkspaceError, match=r"older ailineage.*ailineage build"):
        workspace.current("graph")


def test_a_damaged_workspace_names_the_remedy(workspace: Workspace) -> None:
    publish(workspace, "one")
    (workspace.root / "graph" / "one" / "manifest.json").write_text("{")
    with pytest.raises(WorkspaceError, match="ailineage build"):
        workspace.current("graph")


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceError, match="this is a file"):
        Workspace.at(tmp_path / "file")


def test_an_index_of_another_graph_is_refused(workspace: Workspace) -> None:
    with workspace.writing():
        graph = workspace.publish("graph", "g1", {}, write("g"))
        right = workspace.publish("index", "i1", {"graph": "g1"}, write("i"))
        wrong = workspace.publish("index", "i2", {"graph": "g0"}, write("i"))
    matching(right, graph)
    with pytest.raises(MismatchError, match="ailineage build"):
        matching(wrong, graph)


def test_versions_differ_when_anything_differs() -> None:
    assert version_of("a", "b") != version_of("ab", "") != version_of("", "ab")
    assert version_of("a", b"b") == version_of("a", "b")


def start(root: Path, document: Path) -> subprocess.Popen[str]:
    """A build in a process of its own, at the moment when it begins."""
    command = [sys.executable, "-m", "tests.killed_build", str(root), str(document)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.slow
def test_a_killed_build_loses_nothing_published(tmp_path: Path) -> None:
    """SIGKILL at 30 random points of a build; the version that was published before stays whole and usable."""
    document, root = tmp_path / "note.md", tmp_path / "workspace"
    random.seed(7)
    document.write_text("2018年10月，谷歌发布了 BERT。\n")
    first = start(root, document)
    began = time.perf_counter()
    assert first.wait() == 0
    duration = time.perf_counter() - began
    killed = 0
    for number in range(30):
        document.write_text("".join(f"第 {number} 版：{i} BERT 基于 Transformer。\n" for i in range(200)))
        before = {kind: Workspace(root).current(kind) for kind in ("graph", "index")}
        process = start(root, document)
        time.sleep(random.uniform(0, duration))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        workspace = Workspace(root)
        for kind in ("graph", "index"):
            published = before[kind]
            assert published is not None
            assert workspace.check(kind) == []
            assert workspace.current(kind) is not None
            assert workspace.version(kind, published.name).manifest == published.manifest
    assert killed >= 10
    engine = opened(root)
    engine.build([document], only=True)
    assert engine.search("BERT 基于什么", k=1)[0].document == "note.md"
