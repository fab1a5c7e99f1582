"""Chat: a question, the answer as it is written, its sources beside it."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ailineage.errors import AilineageError
from ailineage.kg.drawing import Tree
from ailineage.models.decoder.answer import Answer, Done, Draft
from ailineage.retrieval.follow_up import Turn
from ailineage.ui import followups, loading, transcript
from ailineage.ui.card import plain_label
from ailineage.ui.session import engine, highlighted, plain
from ailineage.ui.words import EXAMPLES, language, say


def main() -> None:
    """Draw the conversation, the chosen source beside the answer that cites it."""
    history: list[dict[str, Any]] = st.session_state.setdefault("history", [])
    with st.sidebar:
        loading.show()
        writes = _writes()
        _export(history)
    question = st.chat_input(say("ask")) or st.session_state.pop("next", None)
    if not history and not question:
        question = _welcome()
    for number, turn in enumerate(history):
        last = number == len(history) - 1 and not question
        talk, source = st.columns([3, 2], gap="large")
        with talk:
            _turn(number, turn, last)
        with source:
            _source(number, turn, last)
    if question:
        turn = {"question": question}
        history.append(turn)
        talk, _ = st.columns([3, 2], gap="large")
        with talk:
            _ask(history, turn, writes and loading.decoder().ready)


def _writes() -> bool:
    """Whether the decoder is to write; kept for the session, and off at first where the address ends in ?write=no."""
    kept = st.session_state.setdefault("decoder-writes", st.query_params.get("write") != "no")
    writes = st.toggle(say("use_model"), value=kept, disabled=not loading.decoder().ready)
    st.session_state["decoder-writes"] = writes
    return writes


def _welcome() -> str | None:
    st.markdown(f"### {say('title')}")
    st.write(say("hello"))
    st.caption(say("examples"))
    for example in EXAMPLES[language()]:
        if st.button(example):
            return example
    return None


def _ask(history: Sequence[Mapping[str, Any]], turn: dict[str, Any], model: bool) -> None:
    number = len(history) - 1
    before = [Turn(t["question"], t["answer"].answer if "answer" in t else "") for t in history[:-1]]
    _question(turn)
    with st.chat_message("assistant"):
        place, stop = st.empty(), st.empty()
        place.caption(say("working"))
        stop.button(say("stop"), icon=":material/stop_circle:", key=f"stop-{number}")
        written = ""
        try:
            for event in engine().stream(turn["question"], model=model, before=before):
                if isinstance(event, Draft):
                    written += event.text
                    place.html(f'<div style="opacity:.75">{plain(written)}</div>')
                elif isinstance(event, Done):
                    turn["answer"] = event.answer
        except AilineageError as error:
            turn["error"] = str(error)
    st.rerun()


def _question(turn: Mapping[str, Any]) -> None:
    with st.chat_message("user"):
        st.html(plain(turn["question"]))


def _turn(number: int, turn: Mapping[str, Any], last: bool) -> None:
    _question(turn)
    with st.chat_message("assistant"):
        if "error" in turn:
            st.warning(plain_label(turn["error"]))
        elif "answer" not in turn:
            st.caption(f":material/stop_circle: {say('stopped')}")
        else:
            _reply(number, turn["answer"])
            _opinion(number, turn)
            if last:
                _next(turn["answer"])


def _reply(number: int, answer: Answer) -> None:
    if answer.in_full:
        st.caption(f":material/subdirectory_arrow_right: {say('in_full')} {plain_label(answer.in_full)}")
    if answer.refused:
        st.caption(f":material/block: {say('refused')}")
    names = {citation.n: citation.name for citation in answer.citations}
    with st.container(key=f"answer-{number}"):
        for place, sentence in enumerate(answer.sentences):
            st.html(_sentence(sentence.text, _verdict(answer, sentence.written, bool(sentence.citations))))
            if not sentence.citations:
                continue
            with st.container(horizontal=True, gap="small"):
                for n in sentence.citations:
                    label = plain_label(f"[{n}] {names[n]}")
                    if st.button(label, key=f"cite-{number}-{place}-{n}", type="tertiary"):
                        st.session_state.source = (number, n)
    if answer.path:
        _path(number, answer)


def _opinion(number: int, turn: Mapping[str, Any]) -> None:
    """Two thumbs; what is pressed stays on this machine."""
    given = st.feedback("thumbs", key=f"thumbs-{number}")
    if given is not None and st.session_state.get(f"kept-{number}") != given:
        st.session_state[f"kept-{number}"] = given
        engine().feedback(turn["question"], turn["answer"], good=bool(given))
    if given is not None:
        st.caption(say("kept"))


def _verdict(answer: Answer, written: bool, cited: bool) -> str:
    if answer.refused or not cited:
        return ""
    return say("written") if written else say("quoted")


def _sentence(text: str, verdict: str) -> str:
    note = f'<br><small data-testid="verdict">✓ {html.escape(verdict)}</small>' if verdict else ""
    return f'<div data-testid="answer" style="line-height:1.6">{html.escape(text)}{note}</div>'


def _path(number: int, answer: Answer) -> None:
    graph = engine().graph
    steps = [(step.parent, step.child) for step in answer.path or ()]
    steps = [step for step in steps if graph.lineage.has_edge(*step)]
    if not steps:
        return
    nodes = tuple(dict.fromkeys(end for step in steps for end in step))
    st.caption(say("path"))
    st.graphviz_chart(Tree(graph, nodes, tuple(steps), nodes[-1]).dot(language()), width="content")
    if st.button(say("see_lineage"), icon=":material/account_tree:", key=f"path-{number}"):
        st.session_state.focus, st.session_state.goal = steps[0][0], steps[-1][1]
        st.switch_page("views/explorer.py")


def _next(answer: Answer) -> None:
    suggested = followups.suggest(engine().graph, answer)
    if not suggested:
        return
    st.caption(say("next"))
    with st.container(horizontal=True, gap="small"):
        for text in suggested:
            st.button(plain_label(text), key=f"next-{text}", on_click=st.session_state.__setitem__, args=("next", text))


def _export(history: list[dict[str, Any]]) -> None:
    if not history:
        return
    st.caption(say("export"))
    with st.container(horizontal=True, gap="small"):
        st.download_button("Markdown", transcript.markdown(history), "ailineage.md", "text/markdown", on_click="ignore")
        if any("answer" in turn for turn in history):
            st.download_button(
                "BibTeX",
                transcript.bibtex(engine().graph, history),
                "ailineage.bib",
                "application/x-bibtex",
                on_click="ignore",
            )
        if st.button(say("clear")):
            history.clear()
            for key in [key for key in st.session_state if str(key).startswith(("thumbs-", "kept-"))]:
                del st.session_state[key]
            st.session_state.pop("source", None)
            st.rerun()


def _source(number: int, turn: Mapping[str, Any], last: bool) -> None:
    chosen = st.session_state.get("source")
    if chosen is None or chosen[0] != number or "answer" not in turn:
        if last and turn.get("answer") and turn["answer"].citations:
            st.caption(say("pick"))
        return
    answer: Answer = turn["answer"]
    citation = next(c for c in answer.citations if c.n == chosen[1])
    graph = engine().graph
    st.markdown(f"**{say('source')} [{citation.n}]**")
    for evidence in citation.evidence:
        st.caption(plain_label(f"{citation.name} · {evidence.document}"))
        document = graph.documents.get(evidence.document)
        if document is None or document.text[evidence.start : evidence.end] != evidence.text:
            st.html(plain(evidence.text))
            st.caption(say("gone"))
        else:
            st.html(highlighted(document.text, evidence.start, evidence.end))
    if citation.node is not None and st.button(say("open_node"), icon=":material/article:"):
        st.session_state.node = citation.node
        st.switch_page("views/node.py")


main()
