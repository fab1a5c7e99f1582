"""The pages' logic, run without a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

View = Callable[..., AppTest]
VIEWS = Path(__file__).resolve().parents[2] / "ui" / "views"

pytestmark = pytest.mark.slow


@pytest.fixture
def view(built: Path, monkeypatch: pytest.MonkeyPatch) -> View:
    """Opens a page over the built workspace, in a language."""
    monkeypatch.setenv("AILINEAGE_HOME", str(built))

    def open_page(name: str, language: str = "en", **query: str) -> AppTest:
        page = AppTest.from_file(str(VIEWS / f"{name}.py"), default_timeout=60)
        page.session_state.language = language
        for key, value in query.items():
            page.query_params[key] = value
        return page.run()

    return open_page


def test_a_question_and_its_answer_are_kept_in_the_conversation(view: View) -> None:
    page = view("chat", "zh")
    page.session_state["decoder-writes"] = False
    page.chat_input[0].set_value("感知机是谁提出的？").run()
    assert not page.exception
    (turn,) = page.session_state.history
    assert "罗森布拉特" in turn["answer"].answer
    assert any("Markdown" in str(button.label) for button in page.get("download_button"))


def test_a_refusal_says_so(view: View) -> None:
    page = view("chat")
    page.session_state["decoder-writes"] = False
    page.chat_input[0].set_value("how tall is mount everest?").run()
    assert any("Not answered" in caption.value for caption in page.caption)


def test_an_unknown_node_in_the_address_is_said(view: View) -> None:
    page = view("node", id="zorblatt")
    assert "zorblatt" in page.warning[0].value


def test_a_nodes_facts_carry_their_references(view: View) -> None:
    page = view("node", id="bert")
    table = page.dataframe[0].value
    assert table["Reference"].str.contains("1810.04805").any()


def test_a_bad_query_is_explained(view: View) -> None:
    page = view("query")
    page.text_area[0].set_value("SELECT WHERE").run()
    page.button[0].click().run()
    assert not page.exception
    said = json.dumps([error.value for error in page.error] + [warning.value for warning in page.warning])
    assert "line 1" in said
