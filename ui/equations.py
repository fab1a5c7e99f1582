"""The equations in a reference implementation's comments, as TeX for the page.

The files write them as plain text above the line that computes them: `# (1)   h_t = tanh(W x_t + U h_{t-1})`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
    " Gamma Delta Theta Lambda Sigma Phi Psi Omega".split()
)
_KNOWN = frozenset("sin cos tan tanh ln log exp max min det lim".split())
_NAMED = {"sum": r"\sum", "prod": r"\prod", "int": r"\int", "eps": r"\epsilon", "inf": r"\infty", "in": r"\in"}
_ACCENTS = {"bar": "bar", "hat": "hat", "tilde": "tilde"}
_PROSE = frozenset(
    "a all an and are as at by down each else first for from if is its likewise no not of on one or otherwise over so"
    " that the then they to up where which whose with".split()
)
_SIGNS = {
    "<->": r"\leftrightarrow ", "...": r"\dots ", "..": r"\dots ", "<-": r"\leftarrow ", "->": r"\to ",
    "<=": r"\le ", ">=": r"\ge ", "!=": r"\ne ", "||": r"\| ", "~": r"\sim ", "*": r"\cdot ", "{": r"\{", "}": r"\}",
    "%": r"\%", "#": r"\#", "&": r"\&", "$": r"\$", "\\": r"\backslash ", "^": r"\hat{\ }", "_": r"\_", '"': "''",
}  # fmt: skip
_LABEL = re.compile(
    r"(?P<label>(?:\([^()]*\d[^()]*\)(?:, \([^()]*\))*|(?:section|appendix|algorithm|equation|eq\.) [\w.]+)):?\s+"
)
_JOINED = re.compile(r" (?:=|<-|->|~|<=|>=|:=) ")
_TOKEN = re.compile(
    r"(?P<name>[A-Za-z]+)(?P<mark>[~^](?=[_\s)]))?(?P<prime>'*)|(?P<number>\d+(?:[.,]\d+)*)"
    r"|(?P<sign><->|\.\.\.|\.\.|<-|->|<=|>=|!=|\|\||.)|(?P<space>\s+)",
    re.S,
)
_COMMENT = re.compile(r"^\s*# (?P<text>.+)$")


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation of a source file: the line of its comment, the paper's number for it if it has one, and its TeX."""

    line: int
    label: str
    tex: str


def equations(source: str) -> Iterator[Equation]:
    """The equations in a file's comments, in order."""
    for number, line in enumerate(source.splitlines(), 1):
        comment = _COMMENT.match(line)
        if comment is None:
            continue
        label = _LABEL.match(comment["text"])
        body = comment["text"][label.end() :] if label else comment["text"]
        if _JOINED.search(body) and _is_formula(body):
            yield Equation(number, label["label"] if label else "", tex(body))


def _is_formula(text: str) -> bool:
    """Whether a comment is more formula than sentence."""
    words = re.findall(r"(?<![\w^_{(])[a-z]{2,}(?![\w(])", text)
    prose = [word for word in words if word not in _GREEK | _KNOWN and word not in _NAMED]
    left = re.split(_JOINED, text, maxsplit=1)[0]
    return len(prose) <= len(text.split()) / 3 and len(left.split()) <= 8 and not text.endswith((".", "which"))


def tex(text: str) -> str:
    """A formula in plain text as TeX."""
    out: list[str] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        assert token is not None  # the last alternatives match any character
        at = token.end()
        if name := token["name"]:
            if name == "sqrt" and text[at : at + 1] == "(":
                end = _closing(text, at)
                out.append(rf"\sqrt{{{tex(text[at + 1 : end])}}}")
                at = end + 1
            else:
                word, at = _name(name, text, at, calls=text[at : at + 1] == "(")
                accent = {"~": "tilde", "^": "hat"}.get(token["mark"] or "")
                out.append((rf"\{accent}{{{word}}}" if accent else word) + token["prime"])
        elif token["number"]:
            out.append(token["number"].replace(",", "{,}"))
        elif token["space"]:
            out.append(r"\quad " if len(token["space"]) > 1 else " ")
        else:
            out.append(_SIGNS.get(token["sign"], token["sign"]))
        while at < len(text) and text[at] in "_^" and re.match(r"[_^][{\w(\-*<]", text[at:]):
            if text[at] == "^" and out and re.search(r"\^\{[^{}]*\}$", out[-1]):
                break
            script, at = _script(text, at)
            out.append(script)
    return _tidy("".join(out))


def _tidy(formula: str) -> str:
    """Words of a sentence in one piece, and no space where a bracket or comma touches one."""
    for found, better in (
        (r"\s+", " "),
        (r" \} ?\\text\{ ", " "),
        (r"(?<=[(,]) ?\\text\{ ", r"\\text{"),
        (r" \}(?=[),])", "}"),
    ):
        formula = re.sub(found, better, formula)
    return formula.strip()


def _name(name: str, text: str, at: int, *, calls: bool) -> tuple[str, int]:
    """A name as TeX, with an accent that follows it as `_bar`, and where it ends."""
    if name in _GREEK or name in _KNOWN:
        word = rf"\{name} "
    elif name in _NAMED:
        word = _NAMED[name] + " "
    elif len(name) == 1:
        word = name
    elif name in _PROSE:
        return rf"\text{{ {name} }}", at
    elif len(name) == 2 and name[0] == "d":
        word = name
    elif calls or text[at : at + 1] in ("_", "^") or not name.islower():
        word = rf"\mathrm{{{name}}}"
    elif len(name) == 2:
        word = name
    else:
        return rf"\text{{ {name} }}", at
    if accent := re.match(r"_(bar|hat|tilde)(?![A-Za-z])", text[at:]):
        word, at = rf"\{_ACCENTS[accent[1]]}{{{word.strip()}}}", at + accent.end()
    return word, at


def _script(text: str, at: int) -> tuple[str, int]:
    """A subscript or superscript as TeX, and where it ends."""
    mark, start = text[at], at + 1
    if text[start] in "{(":
        end = _closing(text, start)
        inner = text[start + 1 : end]
        return f"{mark}{{{tex(inner)}}}", end + 1
    found = re.match(r"<?=?-?(?:\d+(?:\.\d+)?|[A-Za-z]+\d*)|\*|-", text[start:])
    said = found[0] if found else text[start]
    inner = rf"\{said}" if said in _GREEK else said if len(said) <= 2 or not said.isalpha() else rf"\mathrm{{{said}}}"
    return rf"{mark}{{{inner}}}", start + len(said)


def _closing(text: str, at: int) -> int:
    """Where the bracket that opens at `at` closes, or the end."""
    pairs = {"(": ")", "{": "}"}
    deep = 0
    for place in range(at, len(text)):
        deep += (text[place] == text[at]) - (text[place] == pairs[text[at]])
        if deep == 0:
            return place
    return len(text)
