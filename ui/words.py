"""Every word on the pages, in both languages."""

from __future__ import annotations

import streamlit as st

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("AI lineage", "AI 谱系"),
    "chat": ("Ask", "提问"),
    "explorer": ("Lineage", "谱系"),
    "node": ("Node", "节点"),
    "language": ("Language", "语言"),
    "ask": ("Ask about the history of AI", "问一个关于 AI 历史的问题"),
    "hello": (
        "Ask about models, papers, techniques and people. Every sentence of an answer cites its source.",
        "可以询问模型、论文、技术和人物。回答的每一句都注明出处。",
    ),
    "examples": ("For example", "例如"),
    "sources": ("Sources", "出处"),
    "source": ("Source", "出处"),
    "pick": ("Choose a source under an answer to read it here.", "点击回答下方的出处，可在此查看原文。"),
    "open_node": ("Open this node", "查看该节点"),
    "refused": ("Not answered", "未作答"),
    "path": ("Line of descent", "传承路径"),
    "working": ("Looking for evidence", "正在查找证据"),
    "loading": ("The decoder is loading; answers are taken from the sources meanwhile.", "解码器正在加载，暂时直接摘录原文作答。"),
    "use_model": ("Let the decoder write", "由解码器撰写"),
    "search_node": ("Find a model, person or idea", "查找模型、人物或概念"),
    "ancestors": ("Ancestors", "祖先"),
    "descendants": ("Descendants", "后代"),
    "generations": ("Generations", "代数"),
    "goal": ("Path to", "路径终点"),
    "none": ("none", "无"),
    "facts": ("Facts", "事实"),
    "article": ("Article", "条目"),
    "disputed": ("disputed", "有争议"),
    "relation": ("Relation", "关系"),
    "value": ("Value", "内容"),
    "reference": ("Reference", "参考"),
    "code": ("Reference implementation", "参考实现"),
    "hidden": ("{n} more not drawn; fewer generations show less, the node's page lists all", "另有 {n} 个节点未画出"),
    "shared": ("Neither descends from the other; both come from {name}.", "两者没有直接传承关系，共同的祖先是 {name}。"),
    "no_path": ("No line of descent joins the two.", "两者之间没有传承关系。"),
    "unknown": ("No node is called “{name}”.", "没有名为“{name}”的节点。"),
    "did_you_mean": ("Did you mean {names}?", "您是否想找 {names}？"),
}  # fmt: skip

EXAMPLES = {
    "en": ("How did the Transformer lead to SAM?", "Who proposed the perceptron?", "What is the difference between BERT and GPT?"),
    "zh": ("Transformer 是怎样一步步发展到 SAM 的？", "感知机是谁提出的？", "BERT 和 GPT 有什么区别？"),
}  # fmt: skip


def language() -> str:
    """The language of the page: what was chosen, else the browser's."""
    if "language" not in st.session_state:
        locale = (st.context.locale or "en").lower()
        st.session_state.language = "zh" if locale.startswith("zh") else "en"
    return str(st.session_state.language)


def say(key: str, **values: object) -> str:
    """A word or sentence in the page's language."""
    return _WORDS[key][language() == "zh"].format(**values)
