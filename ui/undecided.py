"""Provisional nodes of a document: confirmed, rejected or merged into another, and each decision taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from ailineage.errors import AilineageError
from ailineage.kg.decisions import Decision, Verdict
from ailineage.kg.model import Node
from ailineage.ui.card import plain_label
from ailineage.ui.session import engine
from ailineage.ui.words import language, say

_SHOWN = 50


def draw(document: str) -> None:
    """Draw the nodes a document introduced, each with what was or can be decided about it."""
    nodes = engine().provisional(document)
    if not nodes:
        return
    decided = engine().decisions()
    with st.expander(say("provisional", n=len(nodes)), expanded=bool(st.session_state.get("deciding"))):
        st.caption(say("provisional_hint"))
        for node in nodes[:_SHOWN]:
            with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key=f"about-{node.id}"):
                if decision := decided.get(node.id):
                    _decided(node, decision)
                else:
                    _open(node)
        if len(nodes) > _SHOWN:
            st.caption(say("more_facts", n=len(nodes) - _SHOWN))


def _open(node: Node) -> None:
    name = plain_label(node.name(language()))
    st.markdown(f"**{name}**", width=180)
    for label, verdict in (("confirm", Verdict.CONFIRMED), ("reject", Verdict.REJECTED)):
        st.button(
            say(label),
            key=f"{label}-{node.id}",
            on_click=_do,
            args=(engine().decide, node.id, verdict),
            type="tertiary",
        )
    field = f"into-{node.id}"
    st.text_input(say("merge_into", name=name), key=field, width=220)
    st.button(say("merge"), key=f"merge-{node.id}", on_click=_merge, args=(node.id, field), type="tertiary")


def _decided(node: Node, decision: Decision) -> None:
    graph = engine().graph
    into = graph.nodes.get(decision.into or "")
    said = say(decision.verdict, name=into.name(language()) if into else decision.into or "")
    st.markdown(f"**{plain_label(node.name(language()))}**: {plain_label(said)}")
    st.button(say("undo"), key=f"undo-{node.id}", on_click=_do, args=(engine().undecide, node.id), type="tertiary")


def _merge(id: str, field: str) -> None:
    _do(engine().decide, id, Verdict.MERGED, st.session_state[field].strip())


def _do(work: Callable[..., Any], *args: object) -> None:
    st.session_state["deciding"] = True  # the list stays open for the next one
    with st.spinner(say("deciding")):
        try:
            work(*args)
        except AilineageError as error:
            st.error(plain_label(str(error)))
