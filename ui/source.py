"""Source code on a page: coloured, with an anchor at each line."""

from __future__ import annotations

import html

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

_FRAME = "max-height:720px;overflow:auto;line-height:1.45;font-size:.82rem;margin:0;padding:.6rem"
_LOOK = {"light": "xcode", "dark": "monokai"}  # styles whose every colour has a contrast of 4.5


def anchored(code: str, theme: str) -> str:
    """HTML of Python code whose line n has the anchor `Ln`; `theme` is light or dark."""
    form: HtmlFormatter[str] = HtmlFormatter(nowrap=True, noclasses=True, style=_LOOK[theme])
    lines = highlight(code.rstrip("\n"), PythonLexer(stripnl=False, ensurenl=False), form).split("\n")
    rows = "\n".join(
        f'<span id="L{n}" style="user-select:none">{n:>4}</span>  {line}' for n, line in enumerate(lines, 1)
    )
    return f'<pre data-testid="source" tabindex="0" style="{_FRAME}">{rows}</pre>'


def link(line: int, text: str) -> str:
    """HTML of a link to a line."""
    return f'<a href="#L{line}">{html.escape(text)}</a>'
