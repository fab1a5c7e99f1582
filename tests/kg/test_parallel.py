"""Files read by one process and by several."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from joblib import cpu_count

from ailineage.errors import DocumentError
from ailineage.kg.building import Parts
from ailineage.kg.parallel import WORTH

_LINES = (
    "BERT was released by Google on October 11, 2018.",
    "2018年10月，谷歌发布了 BERT，它基于 Transformer。",
    "FooNet builds on the Transformer and has 12M parameters.",
)


@pytest.fixture
def files(tmp_path: Path) -> dict[Path, str]:
    """Texts, and a jsonl file of more documents than a task holds."""
    for number, line in enumerate(_LINES):
        (tmp_path / f"{number}.md").write_text(f"# Notes {number}\n\n{line}\n", encoding="utf-8")
    many = [{"id": f"m{n}", "title": f"Many {n}", "text": f"{_LINES[n % 3]} This is note {n}."} for n in range(150)]
    (tmp_path / "many.jsonl").write_bytes(b"\n".join(map(orjson.dumps, many)))
    return {file: file.name for file in sorted(tmp_path.iterdir())}


def test_several_processes_read_the_same_in_the_same_order(files: dict[Path, str], parts: Parts) -> None:
    alone = list(parts.reader().files(files, 1))
    assert len(alone) == 153
    assert [number for number, _ in alone] == sorted(number for number, _ in alone)
    assert all(extracted.claims for _, extracted in alone)
    assert list(parts.reader().files(files, 2)) == alone


def test_what_stands_unchanged_is_not_read_again(files: dict[Path, str], parts: Parts) -> None:
    parts.take(extracted for _, extracted in parts.reader().files(files, 1))
    before = dict(parts.extracts)
    (changed := next(iter(files))).write_text("# Notes\n\nBERT builds on the Transformer.", encoding="utf-8")
    again = [extracted for _, extracted in parts.reader().files(files, 2)]
    assert [e.document.id for e in again if e.claims] == [changed.name]
    parts.take(again)
    assert {id for id in before if parts.extracts[id] != before[id]} == {changed.name}


def test_a_fault_in_another_process_is_one_line(files: dict[Path, str], parts: Parts) -> None:
    (empty := next(iter(files)).with_name("9.md")).write_bytes(b"")
    with pytest.raises(DocumentError, match=r"9\.md: the file is empty"):
        list(parts.reader().files({**files, empty: empty.name}, 2))


def test_only_much_to_read_is_worth_other_processes(files: dict[Path, str], parts: Parts) -> None:
    assert parts.reader().jobs(files) == 1
    (large := next(iter(files)).with_name("large.md")).write_bytes(b"BERT " * (WORTH // 5 + 1))
    assert parts.reader().jobs({**files, large: large.name}) == cpu_count()
