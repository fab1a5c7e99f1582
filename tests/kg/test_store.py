from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailineage.kg import lineage, rows, store
from ailineage.kg.rows import Rows
from tests.kg.test_lineage import graph

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)


@given(st.dictionaries(names, st.text(max_size=20), max_size=12), st.data())
def test_a_table_is_the_mapping_that_was_written(table: dict[str, str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.jsonl"
        rows.write(path, ({"id": id, "said": said} for id, said in table.items()))
        opened: Rows[str] = Rows(path, lambda entry: entry["said"])
        assert len(opened) == len(table)
        for id in data.draw(st.lists(st.sampled_from(sorted(table)), max_size=4)) if table else ():
            assert opened[id] == table[id]
        missing = data.draw(names.filter(lambda name: name not in table))
        assert missing not in opened
        assert list(opened.items()) == list(table.items())
        assert missing not in opened


def test_a_record_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    path, read = tmp_path / "t.jsonl", []
    rows.write(path, ({"id": str(number)} for number in range(100)))

    def decode(entry: dict[str, Any]) -> dict[str, Any]:
        read.append(entry["id"])
        return entry

    opened = Rows(path, decode)
    assert opened["42"] == opened["42"] == {"id": "42"}
    assert read == ["42"]
    with pytest.raises(KeyError):
        opened["100"]


def test_an_opened_graph_tells_the_same_descent(tmp_path: Path) -> None:
    g = graph("b builds_on a", "c variant_of b", "d influenced_by c", dates={"a": "1990", "b": "1980"})
    store.save(g, {}, tmp_path)
    opened = store.load(tmp_path)
    assert (opened.nodes, opened.claims, opened.documents) == (g.nodes, g.claims, g.documents)
    assert opened.edges == g.edges
    assert lineage.path(opened, "a", "d") == lineage.path(g, "a", "d")
    assert dict(opened.lineage.edges) == dict(g.lineage.edges)


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    g = graph("b builds_on a", "c variant_of b")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        store.save(g if name == "one" else store.load(tmp_path / "one"), {}, tmp_path / name)
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert first == second
