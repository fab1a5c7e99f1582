"""Query: SPARQL over the graph, with examples, and the whole graph to take away."""

from __future__ import annotations

import csv
import io
import tempfile
from functools import partial
from pathlib import Path

import streamlit as st

from ailineage.errors import AilineageError
from ailineage.kg import exports, sparql
from ailineage.ui.card import plain_label
from ailineage.ui.session import engine
from ailineage.ui.words import say


def main() -> None:
    """Draw the query, its result and the exports."""
    st.markdown("### SPARQL")
    shipped = {example.name: example for example in sparql.examples()}
    name = st.selectbox(say("examples"), list(shipped), format_func=lambda name: shipped[name].question, key="example")
    if name and st.session_state.get("example-shown") != name:
        st.session_state["example-shown"] = name
        st.session_state["query"] = shipped[name].text
    text = st.text_area(say("query"), key="query", height=260)
    if st.button(say("run"), type="primary", icon=":material/play_arrow:"):
        _answer(text)
    _result()
    _export()


def _answer(text: str) -> None:
    st.session_state.pop("table", None)
    try:
        st.session_state.table = engine().sparql(text)
    except AilineageError as error:
        st.error(plain_label(str(error)))


def _result() -> None:
    table: sparql.Table | None = st.session_state.get("table")
    if table is None:
        return
    st.caption(say("rows", n=len(table.rows)) + (f" {say('rows_cut')}" if table.cut else ""))
    columns = {name: [row[n] for row in table.rows] for n, name in enumerate(table.columns)}
    st.dataframe(columns, hide_index=True, width="stretch")
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerows([table.columns, *([value or "" for value in row] for row in table.rows)])
    st.download_button(
        "CSV", file.getvalue().encode("utf-8-sig"), "ailineage.csv", "text/csv",
        on_click="ignore", icon=":material/download:",
    )  # fmt: skip


def _export() -> None:
    st.markdown(f"#### {say('whole_graph')}")
    with st.container(horizontal=True, gap="small"):
        for format in exports.FORMATS:
            st.download_button(
                format, partial(_file, format), f"ailineage.{format}", key=f"export-{format}",
                on_click="ignore", icon=":material/download:",
            )  # fmt: skip


def _file(format: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph"
        engine().export(format, file)
        return file.read_bytes()


main()
