"""Lineage: the neighbourhood of a node in the family tree, and the path between two nodes with what changed."""

from __future__ import annotations

import html

import streamlit as st

from ailineage.errors import AilineageError
from ailineage.kg import drawing
from ailineage.kg.model import Node
from ailineage.ui.session import engine
from ailineage.ui.words import language, say


def main() -> None:
    """Draw the tree around the node in focus."""
    graph = engine().graph
    if focus := st.session_state.pop("focus", None):
        st.query_params["focus"] = focus
    left, middle, right = st.columns([2, 2, 1])
    start = _find(left, say("search_node"), st.query_params.get("focus", "transformer"), "from")
    goal = _find(middle, say("goal"), st.query_params.get("to", ""), "to")
    generations = right.slider(say("generations"), 1, 5, 2)
    if start is None:
        return
    st.query_params["focus"] = start.id
    if goal is not None and goal.id != start.id:
        st.query_params["to"] = goal.id
        _path(start, goal)
        return
    st.query_params.pop("to", None)
    drawn = drawing.neighbourhood(graph, start.id, generations=generations)
    st.graphviz_chart(drawn.dot(language()), width="stretch")
    if drawn.hidden:
        st.caption(say("hidden", n=drawn.hidden))


def _find(column: st.delta_generator.DeltaGenerator, label: str, default: str, key: str) -> Node | None:
    typed = column.text_input(label, value=default, key=f"find-{key}")
    if not typed:
        return None
    try:
        return engine().node(typed)
    except AilineageError as error:
        column.warning(str(error))
        return None


def _path(start: Node, goal: Node) -> None:
    graph = engine().graph
    route = engine().path(start.id, goal.id, language())
    if route is None:
        st.info(say("no_path"))
        return
    if route.shared:
        st.info(say("shared", name=graph.nodes[route.shared].name(language())))
    st.graphviz_chart(drawing.of_path(graph, route).dot(language()), width="content")
    steps = []
    for hop in route.hops:
        claim = hop.claims[0]
        ends = f"{graph.nodes[hop.parent].name(language())} → {graph.nodes[hop.child].name(language())}"
        date = graph.nodes[hop.child].date or ""
        source = ", ".join(claim.references) or claim.document
        said, where = html.escape(hop.changed or claim.text), f" <small>[{html.escape(source)}]</small>"
        steps.append(f"<li><b>{html.escape(ends)}</b> <small>{html.escape(date)}</small><br>{said}{where}</li>")
    st.html(f'<ol data-testid="path">{"".join(steps)}</ol>')


main()
