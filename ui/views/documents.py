"""Documents: add your own, see what was read from each, where they contradict the library, and remove them."""

from __future__ import annotations

import html
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ailineage.corpus.documents import LIMIT, SUFFIXES
from ailineage.errors import AilineageError
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim
from ailineage.kg.vocabulary import RELATION_LABELS
from ailineage.terminal import said
from ailineage.ui import undecided
from ailineage.ui.card import plain_label
from ailineage.ui.session import engine, marked
from ailineage.ui.words import language, say

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

_SHOWN = 20_000


def main() -> None:
    """Draw the upload, the list and the chosen document."""
    st.markdown(f"### {say('documents')}")
    if note := st.session_state.pop("note", None):
        st.success(plain_label(note), icon=":material/check_circle:")
    _upload()
    found = engine().documents()
    if not found:
        st.caption(say("no_documents"))
        return
    titles = {document.id: document.title for document in found}
    id = st.selectbox(say("document"), list(titles), format_func=lambda id: f"{id} · {titles[id]}"[:120])
    if id is None:
        return
    _document(engine().graph, id)


def _upload() -> None:
    limit = LIMIT // 2**20
    files = st.file_uploader(
        say("upload", limit=limit, types=", ".join(SUFFIXES)),
        type=[suffix.lstrip(".") for suffix in SUFFIXES],
        accept_multiple_files=True,
        key=f"upload-{st.session_state.get('uploads', 0)}",
        max_upload_size=limit,
    )
    if files and st.button(say("add", n=len(files)), type="primary", icon=":material/add:"):
        _add(files)


def _add(files: Sequence[UploadedFile]) -> None:
    with tempfile.TemporaryDirectory() as folder, st.spinner(say("reading", n=len(files))):
        for file in files:
            (Path(folder) / Path(file.name).name).write_bytes(file.getbuffer())
        try:
            report = engine().add([folder])
        except AilineageError as error:
            st.error(plain_label(str(error).replace(f"{folder}/", "")))
            return
    st.session_state.note = say("added", n=len(files), claims=report.claims, nodes=report.nodes)
    st.session_state.uploads = st.session_state.get("uploads", 0) + 1
    st.rerun()


def _document(graph: KnowledgeGraph, id: str) -> None:
    document = graph.documents[id]
    claims = engine().claims(document=id)
    passages = sum(1 for passage in graph.passages if passage.document == id)
    mentions = graph.lexicon.find(document.text)
    entities = sorted({graph.nodes[m.nodes[0]].name(language()) for m in mentions if len(m.nodes) == 1})
    read = say("read", passages=passages, entities=len(entities), claims=len(claims))
    st.html(f'<div data-testid="document">{html.escape(read)}</div>')
    if entities:
        with st.expander(say("entities", n=len(entities))):
            st.html(html.escape(" · ".join(entities)))
    undecided.draw(id)
    text, table = st.columns([3, 2], gap="large")
    with text:
        spans = [(claim.start, claim.end) for claim in claims]
        st.html(f'<div data-testid="document-text">{marked(document.text[:_SHOWN], spans)}</div>')
        if len(document.text) > _SHOWN:
            st.caption(say("cut", n=len(document.text) - _SHOWN))
    with table:
        _claims(graph, claims)
        if st.button(say("remove"), icon=":material/delete:", key=f"remove-{id}"):
            _remove(id)


def _claims(graph: KnowledgeGraph, claims: Sequence[Claim]) -> None:
    if claims:
        st.markdown(f"**{say('claims')}**")
        st.html(f"<ul>{''.join(f'<li>{_said(graph, claim)}</li>' for claim in claims)}</ul>")
    against = [claim for claim in claims if claim.conflicts_with]
    if not against:
        return
    st.markdown(f"**{say('conflicts')}**")
    for claim in against:
        others = [graph.claims[other] for other in claim.conflicts_with if other in graph.claims]
        rows = "".join(
            f"<li>{_said(graph, other)} <small>[{html.escape(other.document)}]</small></li>" for other in others
        )
        verdict = say("preferred") if claim.preferred else say("not_preferred")
        st.html(f'<div data-testid="conflict">{_said(graph, claim)} <b>{html.escape(verdict)}</b><ul>{rows}</ul></div>')


def _said(graph: KnowledgeGraph, claim: Claim) -> str:
    subject = graph.nodes[claim.subject].name(language())
    relation = RELATION_LABELS[claim.relation][language() == "zh"]
    if claim.object and claim.object in graph.nodes:
        value = graph.nodes[claim.object].name(language())
    else:
        value = said(claim.relation, claim.value or "", language())
    return html.escape(f"{subject} · {relation} · {value}")


def _remove(id: str) -> None:
    with st.spinner(say("removing")):
        try:
            engine().remove(id)
        except AilineageError as error:
            st.error(plain_label(str(error)))
            return
    st.session_state.note = say("removed", name=id)
    st.rerun()


main()
