"""What a person does on the pages, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAIT = 120_000


def ask(page: Page, question: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box).to_be_visible(timeout=WAIT)
    box.fill(question)
    box.press("Enter")


def test_ask_and_follow_a_citation_to_its_node(page: Page, address: str) -> None:
    page.goto(address)
    ask(page, "Who proposed the perceptron?")
    answer = page.get_by_test_id("answer").last
    expect(answer).to_contain_text("Rosenblatt", timeout=WAIT)
    expect(answer).to_contain_text("[1]")
    page.get_by_role("button", name=re.compile(r"^\[1\]")).last.click()
    source = page.get_by_test_id("source-text").first
    expect(source.locator("mark")).to_contain_text("Rosenblatt", timeout=WAIT)
    page.get_by_role("button", name=re.compile("Open this node")).click()
    expect(page.get_by_test_id("node-title")).to_be_visible(timeout=WAIT)
    expect(page.get_by_test_id("stGraphVizChart").locator("svg")).to_be_visible(timeout=WAIT)


def test_a_chinese_question_gets_a_chinese_answer(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_text("例如")).to_be_visible(timeout=WAIT)
    ask(page, "感知机是谁提出的？")
    expect(page.get_by_test_id("answer").last).to_contain_text("罗森布拉特", timeout=WAIT)
    context.close()


def test_what_cannot_be_answered_is_refused_in_the_open(page: Page, address: str) -> None:
    page.goto(address)
    ask(page, "how tall is mount everest?")
    expect(page.get_by_text("Not answered")).to_be_visible(timeout=WAIT)


def test_the_neighbourhood_of_a_node_found_by_a_misspelling(page: Page, address: str) -> None:
    page.goto(f"{address}/lineage")
    box = page.get_by_label("Find a model, person or idea")
    expect(box).to_be_visible(timeout=WAIT)
    box.fill("Transfomer")
    box.press("Enter")
    drawn = page.get_by_test_id("stGraphVizChart").locator("svg")
    expect(drawn).to_contain_text("BERT", timeout=WAIT)


def test_the_path_between_two_nodes_says_what_changed(page: Page, address: str) -> None:
    page.goto(f"{address}/lineage?focus=transformer&to=sam")
    steps = page.get_by_test_id("path").locator("li")
    expect(steps.last).to_contain_text("SAM", timeout=WAIT)
    assert steps.count() >= 2


def test_text_of_a_question_is_never_markup(page: Page, address: str) -> None:
    page.goto(address)
    ask(page, "<img src=x onerror=alert(1)> **what** is BERT?")
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible(timeout=WAIT)
    assert page.locator("img[src='x']").count() == 0
