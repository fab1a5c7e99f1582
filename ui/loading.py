"""The decoder, loaded in the background; answers are taken from the sources until it is there."""

from __future__ import annotations

import threading

import streamlit as st

from ailineage.errors import AilineageError
from ailineage.ui.session import engine
from ailineage.ui.words import say


class Loading:
    """The state of the one decoder that all sessions share: loading, ready, or failed with a reason."""

    def __init__(self) -> None:
        self.failed: str | None = None
        self.ready = False
        self._worker = threading.Thread(target=self._load, daemon=True)
        self._worker.start()

    def _load(self) -> None:
        try:
            _ = engine().decoder
            self.ready = True
        except AilineageError as error:
            self.failed = str(error)
        except Exception as error:  # the thread has no one to raise to; the page says it
            self.failed = f"{type(error).__name__}: {error}"

    @property
    def waiting(self) -> bool:
        """Whether it may still become ready."""
        return not self.ready and self.failed is None


@st.cache_resource(show_spinner=False)
def decoder() -> Loading:
    """Start loading the decoder, once for all sessions."""
    return Loading()


def show() -> None:
    """Say what state the decoder is in; while it loads the line keeps itself current."""
    state = decoder()
    if state.failed:
        st.warning(f"{say('no_decoder')} {state.failed}")
    elif state.waiting:
        _watch()
    else:
        st.caption(f":material/check_circle: {say('ready')}")


@st.fragment(run_every=2.0)
def _watch() -> None:
    if decoder().waiting:
        st.caption(f":material/hourglass: {say('loading')}")
    else:
        st.rerun()
