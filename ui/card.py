"""The card of a node: what it is, its facts with their sources, where it comes from and what came of it."""

from __future__ import annotations

import html

import streamlit as st

from ailineage.kg import lineage
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.lineage import Descent
from ailineage.kg.model import Claim, Node
from ailineage.kg.vocabulary import FAMILY_LABELS, KIND_LABELS, LINEAGE, RELATION_LABELS
from ailineage.terminal import said
from ailineage.ui.session import engine
from ailineage.ui.words import language, say

_FACTS = 14


def go(id: str, goal: str | None = None) -> None:
    """Put a node in focus (in the address), or none if it is empty; a path to `goal` stays unless that is empty."""
    for key, value in (("focus", id), ("to", goal if id else "")):
        if value:
            st.query_params[key] = value
        elif value == "":
            st.query_params.pop(key, None)


def draw(graph: KnowledgeGraph, node: Node, *, drawn: bool) -> None:
    """Draw a node's card; `drawn` says whether the tree beside it shows the node."""
    index = language() == "zh"
    other = node.names.get("en" if index else "zh", "")
    about = (KIND_LABELS[node.kind][index], FAMILY_LABELS[node.family][index] if node.family else None, node.date)
    small = f"<br><small>{html.escape(other)}</small>" if other != node.name(language()) else ""
    st.html(
        f'<div data-testid="card"><h3 style="margin:0">{html.escape(node.name(language()))}{small}</h3>'
        f"{html.escape(' · '.join(filter(None, about)))}</div>"
    )
    if not drawn:
        st.caption(say("not_drawn"))
    with st.container(horizontal=True, gap="small"):
        if st.button(say("open_node"), icon=":material/article:", key="card-node"):
            st.session_state.node = node.id
            st.switch_page("views/node.py")
        code = engine().implementation_of(node.id)
        near = None if code else engine().nearest_implementation(node.id)
        code = code or near
        label = say("nearest_code") if near else say("code")
        if code and st.button(
            label, icon=":material/code:", key="card-code", help=say("nearest_help") if near else None
        ):
            st.session_state.implementation = code
            st.switch_page("views/implementations.py")
        st.button(say("close"), icon=":material/close:", key="card-close", on_click=go, args=("",))
    _relatives(graph, node)
    _facts(graph, node)


def _relatives(graph: KnowledgeGraph, node: Node) -> None:
    if node.id not in graph.lineage:
        return
    up, down = lineage.ancestors(graph, node.id), lineage.descendants(graph, node.id)
    st.html(
        f'<div data-testid="kin">{html.escape(say("ancestors"))}: {len(up)} · '
        f"{html.escape(say('descendants'))}: {len(down)}</div>"
    )
    sides = (("parents", lineage.parents, "parent"), ("children", lineage.children, "child"))
    for title, steps, end in sides:
        found = [hop for hop in steps(graph, node.id, language()) if getattr(hop, end) in graph.nodes]
        if not found:
            continue
        st.markdown(f"**{say(title)}**")
        with st.container(horizontal=True, gap="small"):
            for hop in found:
                id = getattr(hop, end)
                st.button(
                    plain_label(graph.nodes[id].name(language())),
                    key=f"{title}-{id}",
                    help=plain_label(hop.changed or RELATION_LABELS[hop.relation][language() == "zh"]),
                    on_click=go,
                    args=(id,),
                )


def _facts(graph: KnowledgeGraph, node: Node) -> None:
    rows: dict[tuple[object, ...], str] = {}
    for claim in graph.claims_about(node.id):
        if claim.subject == node.id and claim.relation not in LINEAGE:
            rows.setdefault((claim.relation, claim.object, claim.value, claim.qualifier), _fact(graph, claim))
    if not rows:
        return
    st.markdown(f"**{say('facts')}**")
    shown = list(rows.values())
    st.html(f'<ul data-testid="card-facts" style="padding-left:1.1em">{"".join(shown[:_FACTS])}</ul>')
    if len(shown) > _FACTS:
        st.caption(say("more_facts", n=len(shown) - _FACTS))


def _fact(graph: KnowledgeGraph, claim: Claim) -> str:
    relation = RELATION_LABELS[claim.relation][language() == "zh"]
    if claim.object and claim.object in graph.nodes:
        value = graph.nodes[claim.object].name(language())
    else:
        value = said(claim.relation, claim.value or claim.object or "", language())
    qualifier = f" ({claim.qualifier})" if claim.qualifier else ""
    disputed = f" <b>{html.escape(say('disputed'))}</b>" if claim.conflicts_with else ""
    source = ", ".join(claim.references) or claim.document
    return f"<li>{html.escape(f'{relation}: {value}{qualifier}')}{disputed} <small>[{html.escape(source)}]</small></li>"


def hop(graph: KnowledgeGraph, step: Descent) -> str:
    """HTML of one step of descent: its ends, the date, what changed and who says so."""
    claim = step.claims[0]
    ends = f"{graph.nodes[step.parent].name(language())} → {graph.nodes[step.child].name(language())}"
    source = ", ".join(claim.references) or claim.document
    changed = step.changed or claim.text
    return (
        f"<b>{html.escape(ends)}</b> <small>{html.escape(graph.nodes[step.child].date or '')}</small><br>"
        f"{html.escape(changed)} <small>[{html.escape(source)}]</small>"
    )


def plain_label(text: str) -> str:
    """A button's label or tooltip in which Markdown is not markup."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~:$<>" else c for c in text)
