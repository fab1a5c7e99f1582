"""Lineage: the whole family tree in time, a node's card beside it, and the path between two nodes."""

from __future__ import annotations

import html
import tempfile
from pathlib import Path

import streamlit as st

from ailineage.errors import AilineageError
from ailineage.kg import layered, lineage
from ailineage.kg.columns import RELATIONS
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.layout import EVERYTHING, FIRST, Chosen, Layout, timeline
from ailineage.kg.vocabulary import FAMILY_LABELS, KIND_LABELS, RELATION_LABELS, Family, Kind
from ailineage.ui import card, tree
from ailineage.ui.session import engine
from ailineage.ui.words import language, say

_NEAR, _FAR = 2, 6  # generations drawn around a node: at first, and at most


def main() -> None:
    """Draw the tree that the address describes."""
    graph = engine().graph
    if focus := st.session_state.pop("focus", None):
        st.query_params["focus"] = focus
        st.query_params.pop("to", None)
        if goal := st.session_state.pop("goal", None):
            st.query_params["to"] = goal
    _controls(graph)
    focus, goal = _node(graph, "focus"), _node(graph, "to")
    shown = st.query_params.get("layout", "timeline") if focus else "timeline"
    if shown == "tree":
        layout = _by_generation(graph, focus, _hops())
    else:
        layout = _laid_out(graph, _chosen(graph, near=focus if shown == "near" else ""))
    path = engine().path(focus, goal, language()) if focus and goal and focus != goal else None
    left, right = st.columns([5, 2 if focus else 0.001], gap="medium" if focus else None)
    with left:
        tree.draw(graph, layout, focus, path, _picked)
        _counts(graph, layout)
        if focus and goal and focus != goal:
            _path(graph, path)
    if focus:
        with right:
            card.draw(graph, graph.nodes[focus], drawn=any(node.id == focus for node in layout.nodes))


@st.cache_data(show_spinner=False, max_entries=8, hash_funcs={KnowledgeGraph: id})
def _laid_out(graph: KnowledgeGraph, chosen: Chosen) -> Layout:
    return timeline(graph, chosen)


@st.cache_data(show_spinner=False, max_entries=8, hash_funcs={KnowledgeGraph: id})
def _by_generation(graph: KnowledgeGraph, focus: str, depth: int) -> Layout:
    return layered.generations(graph, focus, depth)


def _hops() -> int:
    """How many generations the address asks for."""
    said = st.query_params.get("hops", "")
    return min(max(int(said), 1), _FAR) if said.isdigit() else _NEAR


def _node(graph: KnowledgeGraph, key: str) -> str:
    """The node id in the address, or nothing if it names none."""
    id = st.query_params.get(key, "")
    return id if id in graph.nodes else ""


def _picked() -> None:
    picked = st.session_state[tree.KEY].picked
    if picked is not None:
        card.go(picked["id"])


def _controls(graph: KnowledgeGraph) -> None:
    """Search, path and filters; all of them live in the address, so that every view has a link."""
    find, goal, filters, export = st.columns([4, 4, 2, 2], vertical_alignment="bottom")
    for column, key, label in ((find, "focus", "search_node"), (goal, "to", "goal")):
        field = f"find-{key}"
        column.text_input(say(label), key=field, on_change=_find, args=(field, key), placeholder=say(f"{key}_hint"))
        if error := st.session_state.pop(f"{field}-error", None):
            column.warning(error)
    place = st.container()  # always there, so that the tree below keeps its place and its zoom
    if _node(graph, "to"):
        place.button(
            f"{say('end_path')}: {graph.nodes[_node(graph, 'to')].name(language())}",
            icon=":material/close:",
            key="end-path",
            on_click=card.go,
            args=(_node(graph, "focus"), ""),
        )
    with filters.popover(say("filters"), icon=":material/filter_alt:", width="stretch"):
        _layouts(bool(_node(graph, "focus")))
        _filters(graph)
    export.download_button(
        "GraphML", data=_graphml, file_name="ailineage.graphml", mime="application/xml", on_click="ignore",
        width="stretch", icon=":material/download:",
    )  # fmt: skip


def _find(field: str, key: str) -> None:
    typed = st.session_state[field].strip()
    if not typed:
        return
    try:
        st.query_params[key] = engine().node(typed).id
        st.session_state[field] = ""
    except AilineageError as error:
        st.session_state[f"{field}-error"] = str(error)


def _layouts(focused: bool) -> None:
    """Which drawing: the whole in time, the chosen node's family in generations, or its neighbourhood in time."""
    query = st.query_params
    now = query.get("layout", "timeline") if focused else "timeline"
    shown = st.segmented_control(
        say("layout"),
        ("timeline", "tree", "near"),
        default=now if now in ("timeline", "tree", "near") else "timeline",
        format_func=lambda name: say(f"layout_{name}"),
        disabled=not focused,
        help=None if focused else say("layout_hint"),
    )
    _set("layout", "" if shown in (None, "timeline") or not focused else str(shown))
    if focused and shown in ("tree", "near"):
        far = st.slider(say("hops"), 1, _FAR, _hops())
        _set("hops", "" if far == _NEAR else str(far))


def _set(key: str, value: str) -> None:
    """Put a value into the address, or take it out."""
    if value:
        st.query_params[key] = value
    else:
        st.query_params.pop(key, None)


def _filters(graph: KnowledgeGraph) -> None:
    index, now = language() == "zh", _last_year()
    chosen = _chosen(graph)
    first, last = chosen.first or FIRST, chosen.last or now
    kinds = st.multiselect(
        say("kinds"), list(Kind), sorted(chosen.kinds), format_func=lambda kind: KIND_LABELS[kind][index]
    )
    families = st.multiselect(
        say("families"), list(Family), sorted(chosen.families), format_func=lambda family: FAMILY_LABELS[family][index]
    )
    relations = st.multiselect(
        say("relations"),
        list(RELATIONS),
        sorted(chosen.relations, key=RELATIONS.index),
        format_func=lambda relation: RELATION_LABELS[relation][index],
    )
    titles = {document.id: document.title for document in engine().documents()}
    held = st.query_params.get("document", "")
    document = ""
    if titles:
        choices = ["", *titles]
        document = st.selectbox(
            say("from_document"),
            choices,
            choices.index(held) if held in titles else 0,
            format_func=lambda id: f"{id} · {titles[id]}"[:80] if id else "",
        )
    first, last = st.slider(say("period"), FIRST, now, (min(max(first, FIRST), now), min(max(last, FIRST), now)))
    _set("kind", " ".join(kinds))
    _set("family", " ".join(families))
    _set("by", " ".join(relations))
    _set("document", document or "")
    _set("from", "" if first == FIRST else str(first))
    _set("until", "" if last == now else str(last))


def _last_year() -> int:
    ticks = _laid_out(engine().graph, EVERYTHING).ticks
    return max(int(ticks[-1][0]) - 1, FIRST + 1) if ticks else FIRST + 1


def _chosen(graph: KnowledgeGraph, near: str = "") -> Chosen:
    """What the address asks to draw; `near` is a node whose neighbourhood alone is wanted."""
    query = st.query_params
    year = {key: int(query[key]) if query.get(key, "").isdigit() else None for key in ("from", "until")}
    ids = {near, *layered.kin(graph, near, _hops())} if near else None
    if (document := query.get("document", "")) in graph.documents:
        spoken = {end for claim in graph.by_document.get(document, ()) for end in (claim.subject, claim.object) if end}
        ids = spoken if ids is None else ids & spoken
    return Chosen(
        frozenset(kind for kind in Kind if kind in query.get("kind", "").split()),
        frozenset(family for family in Family if family in query.get("family", "").split()),
        year["from"],
        year["until"],
        None if ids is None else frozenset(ids),
        frozenset(relation for relation in RELATIONS if relation in query.get("by", "").split()),
    )


def _counts(graph: KnowledgeGraph, layout: Layout) -> None:
    said = [say("drawn", nodes=len(layout.nodes), steps=len(layout.steps))]
    counts = {
        "not_chosen": layout.filtered,
        "implied": layout.implied,
        "undated": layout.undated,
        "unrelated": layout.unrelated,
        "further": layout.further,
    }
    said += [say(key, n=count) for key, count in counts.items() if count]
    st.html(f'<div data-testid="counts" style="font-size:.85rem">{html.escape(" · ".join(said))}</div>')


def _path(graph: KnowledgeGraph, path: lineage.Path | None) -> None:
    if path is None:
        st.info(say("no_path"))
        return
    if path.shared:
        st.info(say("shared", name=graph.nodes[path.shared].name(language())))
    steps = [card.hop(graph, hop) for hop in path.hops]
    st.html(f'<ol data-testid="path">{"".join(f"<li>{step}</li>" for step in steps)}</ol>')


def _graphml() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.graphml"
        engine().export("graphml", file)
        return file.read_bytes()


main()
