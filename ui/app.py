"""The app's frame: one engine for all sessions, the pages, and the language switch."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ailineage.ui.words import language, say

_ICON = Path(__file__).with_name("icon.svg")


def main() -> None:
    """Draw the frame and the page that is open."""
    st.set_page_config(page_title="ailineage", page_icon=_ICON, layout="wide")
    language()
    pages = [
        st.Page("views/chat.py", title=say("chat"), icon=":material/chat:", url_path="chat", default=True),
        st.Page("views/explorer.py", title=say("explorer"), icon=":material/account_tree:", url_path="lineage"),
        st.Page("views/node.py", title=say("node"), icon=":material/article:", url_path="node"),
        st.Page(
            "views/implementations.py", title=say("implementations"), icon=":material/code:", url_path="implementations"
        ),
        st.Page("views/documents.py", title=say("documents"), icon=":material/folder_open:", url_path="documents"),
        st.Page("views/query.py", title=say("query"), icon=":material/database:", url_path="query"),
    ]
    page = st.navigation(pages)
    with st.sidebar:
        st.radio(
            say("language"),
            ("en", "zh"),
            key="language",
            horizontal=True,
            format_func={"en": "English", "zh": "中文"}.get,
        )
    page.run()


main()
