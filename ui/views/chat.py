"""Chat: a question, the answer as it is written, its sources beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ailineage.errors import AilineageError
from ailineage.models.decoder.answer import Answer, Done, Draft
from ailineage.ui.session import engine, highlighted, plain
from ailineage.ui.words import EXAMPLES, language, say


def main() -> None:
    """Draw the conversation and the chosen source."""
    history: list[dict[str, Any]] = st.session_state.setdefault("history", [])
    talk, source = st.columns([3, 2], gap="large")
    question = st.chat_input(say("ask"))
    with talk:
        if not history and not question:
            question = _welcome()
        for number, turn in enumerate(history):
            _turn(number, turn)
        if question:
            turn = {"question": question}
            history.append(turn)
            _ask(len(history) - 1, turn)
    with source:
        _source()


def _welcome() -> str | None:
    st.markdown(f"### {say('title')}")
    st.write(say("hello"))
    st.caption(say("examples"))
    for example in EXAMPLES[language()]:
        if st.button(example):
            return example
    return None


def _ask(number: int, turn: dict[str, Any]) -> None:
    with st.chat_message("user"):
        st.html(plain(turn["question"]))
    with st.chat_message("assistant"):
        place = st.empty()
        place.caption(say("working"))
        written = ""
        try:
            for event in engine().stream(turn["question"]):
                if isinstance(event, Draft):
                    written += event.text
                    place.html(f'<div style="opacity:.55">{plain(written)}</div>')
                elif isinstance(event, Done):
                    turn["answer"] = event.answer
        except AilineageError as error:
            turn["error"] = str(error)
        place.empty()
        _reply(number, turn)


def _turn(number: int, turn: Mapping[str, Any]) -> None:
    with st.chat_message("user"):
        st.html(plain(turn["question"]))
    with st.chat_message("assistant"):
        _reply(number, turn)


def _reply(number: int, turn: Mapping[str, Any]) -> None:
    if "error" in turn:
        st.error(turn["error"])
        return
    answer: Answer = turn["answer"]
    if answer.refused:
        st.caption(f":material/block: {say('refused')}")
    st.html(f'<div data-testid="answer">{plain(answer.answer)}</div>')
    if not answer.citations:
        return
    st.caption(say("sources"))
    with st.container(horizontal=True, gap="small"):
        for citation in answer.citations:
            if st.button(f"[{citation.n}] {citation.name}", key=f"cite-{number}-{citation.n}"):
                st.session_state.source = (number, citation.n)


def _source() -> None:
    chosen = st.session_state.get("source")
    history = st.session_state.history
    if chosen is None or chosen[0] >= len(history) or "answer" not in history[chosen[0]]:
        if history:
            st.caption(say("pick"))
        return
    answer: Answer = history[chosen[0]]["answer"]
    citation = next(c for c in answer.citations if c.n == chosen[1])
    graph = engine().graph
    st.markdown(f"**{say('source')} [{citation.n}]**")
    for evidence in citation.evidence:
        st.caption(f"{citation.name} · {evidence.document}")
        document = graph.documents[evidence.document]
        st.html(highlighted(document.text, evidence.start, evidence.end))
    if citation.node is not None and st.button(say("open_node"), icon=":material/article:"):
        st.session_state.node = citation.node
        st.switch_page("views/node.py")


main()
