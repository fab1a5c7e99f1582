"""The engine behind the pages, shared by all sessions, and text made safe to show."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable

import streamlit as st

import ailineage
from ailineage.engine import Engine


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """The one engine; graph, index and decoder load at first use."""
    return ailineage.open(os.environ.get("AILINEAGE_HOME"))


def highlighted(text: str, start: int, end: int, margin: int = 400) -> str:
    """HTML of a text's part around a span, with the span marked; everything in it is escaped."""
    left, right = max(0, start - margin), min(len(text), end + margin)
    before = ("… " if left else "") + html.escape(text[left:start])
    after = html.escape(text[end:right]) + (" …" if right < len(text) else "")
    body = f"{before}<mark>{html.escape(text[start:end])}</mark>{after}"
    return f'<div data-testid="source-text" style="white-space:pre-wrap;line-height:1.6">{body}</div>'


def plain(text: str) -> str:
    """HTML of a text in which nothing is markup."""
    return f'<div style="white-space:pre-wrap;line-height:1.6">{html.escape(text)}</div>'


def marked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """HTML of a text with several spans marked; overlapping ones become one, and everything in it is escaped."""
    parts, at = [], 0
    for start, end in sorted(spans):
        if (start := max(start, at)) >= (end := min(end, len(text))):
            continue
        parts += [html.escape(text[at:start]), f"<mark>{html.escape(text[start:end])}</mark>"]
        at = end
    return f'<div style="white-space:pre-wrap;line-height:1.6">{"".join(parts)}{html.escape(text[at:])}</div>'
