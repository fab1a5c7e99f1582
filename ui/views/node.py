"""One node: names, facts with sources and disputes, its article, and where it stands in the family tree."""

from __future__ import annotations

import html

import streamlit as st

from ailineage.errors import AilineageError
from ailineage.kg.drawing import neighbourhood
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.vocabulary import KIND_LABELS, RELATION_LABELS
from ailineage.terminal import said
from ailineage.ui.session import engine, plain
from ailineage.ui.words import language, say


def main() -> None:
    """Draw the node that the address names."""
    graph = engine().graph
    id = st.session_state.pop("node", None) or st.query_params.get("id", "transformer")
    name = st.text_input(say("search_node"), value="", key="find-node")
    if name:
        try:
            id = engine().node(name).id
        except AilineageError as error:
            st.warning(str(error))
    node = graph.nodes.get(id)
    if node is None:
        st.warning(say("unknown", name=id))
        return
    st.query_params["id"] = id
    _head(node)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _article(graph, node)
        _facts(graph, node)
    with right:
        drawn = neighbourhood(graph, node.id, generations=1)
        st.graphviz_chart(drawn.dot(language()))
        if st.button(say("explorer"), icon=":material/account_tree:"):
            st.session_state.focus = id
            st.switch_page("views/explorer.py")
        if code := engine().implementation_of(id) or engine().nearest_implementation(id):
            st.caption(say("code") if engine().implementation_of(id) else say("nearest_help"))
            with st.expander(f"models/reference/{code}.py"):
                st.code(engine().implementation(code).source, language="python")


def _head(node: Node) -> None:
    other = node.names.get("zh" if language() == "en" else "en", "")
    kind = KIND_LABELS[node.kind][language() == "zh"]
    extra = f" <small>{html.escape(other)}</small>" if other and other != node.name(language()) else ""
    st.html(
        f'<h2 data-testid="node-title" style="margin:0">{html.escape(node.name(language()))}{extra}</h2>'
        f"<p>{html.escape(' · '.join(filter(None, (kind, node.date, *node.aliases[:6]))))}</p>"
    )
    if node.link:
        st.html(f'<a href="{html.escape(node.link, quote=True)}" rel="noreferrer">{html.escape(node.link)}</a>')


def _article(graph: KnowledgeGraph, node: Node) -> None:
    document = graph.documents.get(f"{node.id}.{language()}")
    if document is not None:
        st.html(plain(document.text.split("\n## ")[0].strip()))


def _facts(graph: KnowledgeGraph, node: Node) -> None:
    rows, seen = [], set()
    for claim in graph.claims_about(node.id):
        key = (claim.subject, claim.relation, claim.object, claim.value, claim.qualifier)
        if key not in seen:
            seen.add(key)
            rows.append(_row(graph, claim))
    if rows:
        st.markdown(f"#### {say('facts')}")
        st.dataframe(rows, hide_index=True, width="stretch")


def _row(graph: KnowledgeGraph, claim: Claim) -> dict[str, str]:
    index = language() == "zh"
    end = (
        graph.nodes[claim.object].name(language())
        if claim.object
        else said(claim.relation, claim.value or "", language())
    )
    return {
        say("node"): graph.nodes[claim.subject].name(language()),
        say("relation"): RELATION_LABELS[claim.relation][index],
        say("value"): end + (f" ({claim.qualifier})" if claim.qualifier else ""),
        say("reference"): ", ".join(claim.references) or f"{claim.document}:{claim.start}",
        say("disputed"): "" if not claim.conflicts_with else "✓" if claim.preferred else "✗",
    }


main()
