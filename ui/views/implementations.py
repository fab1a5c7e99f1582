"""Implementations: the runnable models in order of year, their source, and their demonstration as it runs."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import streamlit as st

from ailineage.errors import AilineageError
from ailineage.kg.vocabulary import FAMILY_LABELS, Family
from ailineage.ui.card import plain_label
from ailineage.ui.equations import equations
from ailineage.ui.runs import Run
from ailineage.ui.session import engine
from ailineage.ui.source import anchored, link
from ailineage.ui.words import language, say

if TYPE_CHECKING:
    from ailineage.models.reference import Implementation


def main() -> None:
    """Draw the catalogue and the implementation that the address names."""
    found = engine().implementations()
    wanted = st.session_state.pop("implementation", None) or st.query_params.get("id", "")
    if wanted in found:
        st.session_state["choose-code"] = wanted
    graph, index = engine().graph, language() == "zh"
    family = {id: graph.nodes[item.node].family for id, item in found.items() if item.node in graph.nodes}
    with st.container(key="catalogue"):
        which, one = st.columns([1, 2])
        held = [each for each in Family if each in family.values()]
        chosen = which.selectbox(
            say("family"), held, index=None, key="choose-family", format_func=lambda each: FAMILY_LABELS[each][index]
        )
        ids = [id for id in found if chosen is None or family.get(id) is chosen or id == wanted]
        if st.session_state.get("choose-code") not in ids:
            st.session_state["choose-code"] = ids[0]
        id = one.selectbox(
            say("implementation"),
            ids,
            key="choose-code",
            format_func=lambda id: f"{found[id].year} · {found[id].title[language()]}",
            on_change=lambda: st.query_params.update(id=st.session_state["choose-code"]),
        )
    if id is None:
        return
    st.query_params["id"] = id
    item = found[id]
    left, right = st.columns([2, 3], gap="large")
    with left:
        _about(item)
        _controls(item)
        _progress()
    with right:
        _source(item)


def _about(item: Implementation) -> None:
    st.markdown(f"### {plain_label(item.title[language()])}")
    st.caption(f"{item.year} · {plain_label(item.demo.task[language()])}")
    if item.presets:
        rows = [{say("preset"): name, say("parameters"): f"{count:,}"} for name, count in item.presets.items()]
        st.dataframe(rows, hide_index=True, width="stretch")
    if item.node in engine().graph.nodes and st.button(say("open_node"), icon=":material/article:"):
        st.session_state.node = item.node
        st.switch_page("views/node.py")


def _controls(item: Implementation) -> None:
    run: Run | None = st.session_state.get("run")
    busy = run is not None and run.running
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        tiny = st.toggle(say("tiny"), value=True)
        if st.button(say("run"), icon=":material/play_arrow:", disabled=busy, type="primary"):
            st.session_state.run = Run(item.id, lambda: engine().run(item.id, tiny=tiny))
            st.rerun()
        st.button(say("cancel"), icon=":material/stop_circle:", disabled=not busy, on_click=_cancel)


def _cancel() -> None:
    run: Run | None = st.session_state.get("run")
    if run is not None:
        run.cancel()


def _progress() -> None:
    run: Run | None = st.session_state.get("run")
    if run is None:
        return
    if run.running:
        _watch()
    else:
        _state(run)


@st.fragment(run_every=1.0)
def _watch() -> None:
    run: Run = st.session_state.run
    _state(run)
    if not run.running:
        st.rerun()


def _state(run: Run) -> None:
    title = plain_label(engine().implementation(run.id).title[language()])
    if run.error:
        st.error(f"{title}: {plain_label(run.error)}")
        return
    said = say("cancelled") if run.cancelled else say("running") if run.running else say("finished")
    share = min(run.done / run.total, 1.0) if run.total else 0.0
    st.progress(share, text=f"{title}: {said} ({run.done}/{run.total})")
    if run.metrics:
        last = run.metrics[-1]
        st.caption(plain_label("  ·  ".join(f"{name} {value:.4g}" for name, value in last.items())))
        if len(run.metrics) > 1:
            st.line_chart(run.metrics, height=220)
    if run.sample:
        st.code(run.sample, language=None, wrap_lines=True)
    if run.picture is not None:
        st.image(run.picture, caption=title)


def _source(item: Implementation) -> None:
    parents = [parent for parent in item.parents if parent in engine().implementations()]
    source, *differences = st.tabs([say("source_code"), *(f"{say('difference')} {parent}" for parent in parents)])
    with source:
        _equations(item)
        st.html(anchored(item.source, "dark" if st.context.theme.type == "dark" else "light"))
    for tab, parent in zip(differences, parents, strict=True):
        with tab:
            try:
                st.code(engine().diff(parent, item.id), language="diff", height=720)
            except AilineageError as error:
                st.warning(plain_label(str(error)))


def _equations(item: Implementation) -> None:
    """The paper's equations, each with a link to the line that computes it."""
    found = list(equations(item.source))
    if not found:
        return
    with st.expander(f"{say('equations')} ({len(found)})"):
        for equation in found:
            st.html(f"{html.escape(equation.label)} {link(equation.line, say('line', n=equation.line))}")
            st.latex(equation.tex)


main()
