"""The family tree on a page: a component of our own, served from this package."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from ailineage.kg import lineage
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.layout import Layout
from ailineage.kg.vocabulary import KIND_LABELS, LINEAGE, RELATION_LABELS, Kind
from ailineage.ui.words import language, say

KEY = "tree"
_PARTS = Path(__file__).with_name("parts")
_SHAPED = (Kind.MODEL, Kind.TECHNIQUE, Kind.CONCEPT, Kind.DATASET)


def draw(
    graph: KnowledgeGraph, layout: Layout, focus: str, path: lineage.Path | None, picked: Callable[[], None]
) -> None:
    """Draw a layout with a node in focus, or a path.

    Args:
        graph: where the nodes are from.
        layout: what is drawn where.
        focus: a node whose ancestors and descendants are lit up; empty for none.
        path: a path to light up instead.
        picked: called when a node is clicked; `st.session_state[KEY].picked` is its `{"id": ...}`.
    """
    drawn, index = layout.to_json(graph, language()), language() == "zh"
    shown = {node["id"] for node in drawn["nodes"]}
    way = [[hop.parent, hop.child] for hop in path.hops] if path else []
    lit = {end for step in way for end in step}
    if not lit and focus in graph.lineage:
        lit = {focus, *lineage.ancestors(graph, focus), *lineage.descendants(graph, focus)}
    extra = [] if not focus else [*_steps(graph, focus, layout, way, index), *_others(graph, focus, shown, index)]
    kinds = {node["kind"] for node in drawn["nodes"]}
    legend = [(kind, KIND_LABELS[kind][index]) for kind in _SHAPED if kind in kinds]
    if kinds - set(_SHAPED):
        legend.append(("other", say("other_kind")))  # type: ignore[arg-type]
    data = {
        **drawn,
        "stamp": f"{id(graph)} {hash(layout)} {language()}",
        "style": (_PARTS / "tree.svg.css").read_text(encoding="utf-8"),
        "focus": focus,
        "goal": path.goal if path else "",
        "lit": sorted(lit),
        "way": way,
        "extra": extra,
        "legend": legend,
        "words": {key: say(f"tree_{key}") for key in ("label", "help", "in", "out", "fit", "svg", "png")},
    }
    _component()(key=KEY, data=data, on_picked_change=picked)


def _steps(graph: KnowledgeGraph, focus: str, layout: Layout, way: Iterable[list[str]], index: bool) -> list[list[Any]]:
    """Steps of descent at the focus and on the path that the drawing leaves out because others imply them."""
    near = [*graph.lineage.in_edges(focus), *graph.lineage.out_edges(focus)] if focus in graph.lineage else []
    wanted = dict.fromkeys([*near, *(tuple(step) for step in way)])
    drawn = set(layout.steps)
    return [
        [a, b, False, RELATION_LABELS[graph.lineage.edges[a, b]["relation"]][index]]
        for a, b in wanted
        if (a, b) not in drawn
    ]


def _others(graph: KnowledgeGraph, focus: str, shown: set[str], index: bool) -> list[list[Any]]:
    """Relations of the focus other than descent, to nodes that are drawn."""
    found = {}
    for claim in graph.claims_about(focus):
        if claim.relation not in LINEAGE and claim.object in shown and claim.subject in shown and claim.preferred:
            found[claim.subject, claim.object] = [
                claim.subject,
                claim.object,
                True,
                RELATION_LABELS[claim.relation][index],
            ]
    return list(found.values())


@cache
def _component() -> Any:
    """The component, registered once; its script is two files, one for drawing and one for moving."""
    html, css, drawing, moving = (
        (_PARTS / name).read_text(encoding="utf-8") for name in ("tree.html", "tree.css", "tree.js", "moves.js")
    )
    return st.components.v2.component("ailineage_tree", html=html, css=css, js=drawing + moving)
