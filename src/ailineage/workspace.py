"""Where a user's graph, index and decoder live, and how new versions of them are published.

    <root>/<graph|index|decoder>/<version>/manifest.json   what it is made of, and a checksum of every file
    <root>/<graph|index|decoder>/current                   one line: the published version
    <root>/cache/                                          converted weights; may be deleted at any time
    <root>/feedback.jsonl                                  what the user thought of answers; it never leaves the machine
    <root>/lock                                            held by the one writer

A version is built beside the others under a temporary name, synced, renamed, and only then pointed at; readers see
the old one or the new one, never half of either, and a killed build loses nothing. The last three are kept.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ailineage.errors import MismatchError, WorkspaceError

SCHEMA = 3
"""Raised with every change of what lies in a version's folder."""

KINDS = ("graph", "index", "decoder")
_KEPT = 3


@dataclass(frozen=True, slots=True)
class Version:
    """A published version of one kind: its name, folder and manifest."""

    name: str
    folder: Path
    manifest: dict[str, Any]


@dataclass(frozen=True)
class Workspace:
    """A workspace folder; nothing is created before something is written."""

    root: Path

    @classmethod
    def at(cls, folder: str | Path | None = None) -> Workspace:
        """The workspace in `folder`, else in $AILINEAGE_HOME, else in the platform's data folder.

        Raises:
            WorkspaceError: if the path is a file.
        """
        if chosen := folder or os.environ.get("AILINEAGE_HOME"):
            root = Path(chosen).expanduser().absolute()
        else:
            from platformdirs import user_data_path

            root = user_data_path("ailineage")
        if root.exists() and not root.is_dir():
            raise WorkspaceError(f"{root}: a workspace is a folder, and this is a file; name another place")
        return cls(root)

    @property
    def cache(self) -> Path:
        """Folder for converted weights and other things that can be made again."""
        folder = self.root / "cache"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkspaceError(f"{folder}: cannot be written: {error.strerror}; name another --workspace") from None
        return folder

    def current(self, kind: str) -> Version | None:
        """The published version of a kind, or None if there is none yet.

        Raises:
            WorkspaceError: if it is damaged or was written by a newer version of ailineage.
        """
        pointer = self.root / kind / "current"
        try:
            name = pointer.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WorkspaceError(f"{pointer}: cannot be read: {error.strerror}") from None
        return self.version(kind, name)

    def version(self, kind: str, name: str) -> Version:
        """One version of a kind by name.

        Raises:
            WorkspaceError: if it is missing, damaged, too old or too new.
        """
        path = self.root / kind / name / "manifest.json"
        try:
            manifest = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            raise WorkspaceError(f"{path}: missing or damaged; run `ailineage build` to make it anew") from None
        if manifest.get("schema", 0) > SCHEMA:
            raise WorkspaceError(
                f"{path}: written by a newer ailineage (schema {manifest['schema']}, this one knows {SCHEMA});"
                " upgrade ailineage or name another --workspace"
            )
        if manifest.get("schema", 0) < SCHEMA:
            raise WorkspaceError(
                f"{path}: written by an older ailineage (schema {manifest.get('schema', 0)}, this one needs {SCHEMA});"
                " run `ailineage build` with your documents again"
            )
        return Version(name, path.parent, manifest)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the one writer's lock.

        Raises:
            WorkspaceError: if another process holds it, or the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root / "lock", timeout=0)
            lock.acquire()
        except Timeout:
            raise WorkspaceError(
                f"{self.root}: another process is writing to this workspace; wait for it, or name another --workspace"
            ) from None
        except OSError as error:
            raise WorkspaceError(
                f"{self.root}: cannot be written: {error.strerror}; name another --workspace"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def publish(self, kind: str, version: str, manifest: dict[str, Any], write: Callable[[Path], object]) -> Version:
        """Build a version beside the others, then point at it. Call it inside `writing`.

        Args:
            kind: graph, index or decoder.
            version: the hash of everything the version depends on; if it exists already it is only pointed at.
            manifest: what the version is made of; schema and checksums are added.
            write: fills the folder it is given; a dict it returns is added to the manifest.
        """
        home = self.root / kind
        home.mkdir(parents=True, exist_ok=True)
        folder = home / version
        if not (folder / "manifest.json").is_file():
            for stale in home.glob(".*.new"):
                shutil.rmtree(stale, ignore_errors=True)
            fresh = home / f".{version}.new"
            fresh.mkdir()
            added = write(fresh)
            sums = {file.name: _digest(file) for file in sorted(fresh.iterdir()) if file.is_file()}
            full = {
                **manifest,
                **(added if isinstance(added, dict) else {}),
                "schema": SCHEMA,
                "version": version,
                "files": sums,
            }
            (fresh / "manifest.json").write_bytes(orjson.dumps(full, option=orjson.OPT_INDENT_2))
            for file in fresh.iterdir():
                _sync(file)
            _sync(fresh)
            if folder.exists():
                shutil.rmtree(folder)
            fresh.rename(folder)
            _sync(home)
        os.utime(folder)
        pointer = home / "current.new"
        pointer.write_text(version + "\n", encoding="utf-8")
        _sync(pointer)
        pointer.replace(home / "current")
        _sync(home)
        self._prune(home, keep=version)
        return self.version(kind, version)

    def note(self, entry: dict[str, Any]) -> None:
        """Append an entry to the feedback, one JSON object a line.

        Raises:
            WorkspaceError: if it cannot be written.
        """
        path = self.root / "feedback.jsonl"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as stream:
                stream.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            raise WorkspaceError(f"{path}: cannot be written: {error.strerror}; name another --workspace") from None

    def check(self, kind: str) -> list[str]:
        """Names of files of the current version whose checksum is no longer right."""
        version = self.current(kind)
        if version is None:
            return []
        return [
            name
            for name, digest in version.manifest.get("files", {}).items()
            if not (version.folder / name).is_file() or _digest(version.folder / name) != digest
        ]

    def _prune(self, home: Path, keep: str) -> None:
        versions = [folder for folder in home.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
        versions.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in versions[_KEPT:]:
            if folder.name != keep:
                shutil.rmtree(folder, ignore_errors=True)


def matching(index: Version, graph: Version) -> None:
    """Refuse an index that was built for another graph.

    Raises:
        MismatchError: if it was; the message names the command that mends it.
    """
    if index.manifest.get("graph") != graph.name:
        raise MismatchError(
            f"{index.folder}: this index belongs to graph {index.manifest.get('graph')}, but the graph is {graph.name};"
            " run `ailineage build` (or `ailineage add`) to build them together"
        )


def version_of(*parts: str | bytes) -> str:
    """The name of a version: a hash of everything it depends on."""
    digest = hashlib.sha256(str(SCHEMA).encode())
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
