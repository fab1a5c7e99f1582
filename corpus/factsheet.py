"""Turn an article into one document a language: its paragraphs, then its facts, one sentence a fact.

A fact lives once, in node.toml. Here it becomes text that can be searched, quoted and cited like any other, and the
span of its sentence is what the graph's authored claims point to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from ailineage.corpus import statement
from ailineage.corpus.acronym import stands_for
from ailineage.corpus.documents import Document
from ailineage.corpus.library import LANGUAGES, Article, Fact, Library, Link, Reference

SOURCE = "library"
_HEADING = {"en": "## Facts about {name}", "zh": "## {name}的事实"}


@dataclass(frozen=True, slots=True)
class Stated:
    """A span of the document and what of node.toml it states.

    Exactly one of `fact` (a table of node.toml; `dispute` is the index of the disputed value, if it is that) and
    `paper` (a bibliography entry; `authors` says whether the sentence is about its authors) is set.
    """

    start: int
    end: int
    fact: Fact | None = None
    dispute: int | None = None
    paper: Reference | None = None
    authors: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One article in one language: the document, its links, and where each fact is stated."""

    article: Article
    document: Document
    links: tuple[Link, ...]
    stated: tuple[Stated, ...]


def sheets(library: Library) -> Iterator[Sheet]:
    """The documents of a library, two an article."""
    for article in library.articles.values():
        for language in LANGUAGES:
            yield _sheet(article, library, language)


def _sheet(article: Article, library: Library, language: str) -> Sheet:
    text, links = article.texts[language]
    name = article.names[language]
    text += "\n\n" + _HEADING[language].format(name=name)
    stated: list[Stated] = []
    if names := _names(article, language):
        text += "\n" + names
    for said, what in _sentences(article, library, language):
        said = statement.tight(said) if language == "zh" else said
        start = len(text) + 1
        text += "\n" + said
        stated.append(Stated(start, len(text), **what))
    digest = hashlib.sha256(text.encode()).hexdigest()
    document = Document(f"{article.id}.{language}", name, text, language, SOURCE, digest)
    return Sheet(article, document, links, tuple(stated))


def _names(article: Article, language: str) -> str:
    """What the node is also called, and what it stands for."""
    name = article.names[language]
    english = (article.names["en"], *article.aliases.get("en", ()))
    shorts = [short for short in english if any(stands_for(short, long) for long in english)]
    short = name if name in shorts else shorts[0] if shorts else None
    long = next((long for long in english if short and stands_for(short, long)), None)
    others = english if language == "en" else (*article.aliases.get("zh", ()), article.names["en"])
    others = tuple(dict.fromkeys(other for other in others if other not in (name, long)))
    if language == "en":
        said = [f"{short} stands for {long}."] if long else []
        said += [f"{name} is also called {statement.listing(others, 'en').rstrip('.')}."] if others else []
        return " ".join(said)
    said = [f"{short} 的全称是 {long}。"] if long else []
    said += [f"{name} 又称 {'、'.join(others)}。"] if others else []
    return statement.tight("".join(said))


def _sentences(article: Article, library: Library, language: str) -> Iterator[tuple[str, dict]]:
    name = article.names[language]
    for key in article.papers:
        if paper := library.references.get(key):
            yield _introduced(name, paper, language), {"paper": paper}
            if paper.authors:
                yield _written(name, paper, language), {"paper": paper, "authors": True}
    for fact in article.facts:
        yield _fact(article, fact, library, language), {"fact": fact}
        for number, other in enumerate(fact.disputed):
            value = _value(fact.relation, other.value, language)
            source = library.references[other.refs[0]].title if other.refs[0] in library.references else other.refs[0]
            said = (
                f"Another source, “{source}”, gives a different value for {name}: {value}."
                if language == "en"
                else f"另一来源《{source}》对 {name} 给出了不同的说法：{value}。"
            )
            note = other.note.get(language)
            yield said + (" " + note if note else ""), {"fact": fact, "dispute": number}


def _fact(article: Article, fact: Fact, library: Library, language: str) -> str:
    subject = article.names[language]
    if fact.target is not None:
        target = library.articles.get(fact.target)
        obj = target.names[language] if target else fact.target
    else:
        obj = _value(fact.relation, fact.value, language)
    if fact.of:
        subject = fact.of if article.names["en"].casefold() in fact.of.casefold() else f"{subject} ({fact.of})"
    note = fact.note.get(language)
    changed = fact.changed.get(language)
    said = statement.sentence(fact.relation, subject, obj, language, kind=article.kind, changed=changed, note=None)
    if settings := statement.settings(fact.configuration, language):
        said = said[:-1] + settings + said[-1]
    return said + ((" " if language == "en" else "") + note if note else "")


def _value(relation: str, value: str | int | None, language: str) -> str:
    if relation == "published_on":
        return statement.date(str(value), language)
    if relation == "has_parameters" and isinstance(value, int):
        return statement.count(value, language)
    return str(value)


def _introduced(name: str, paper: Reference, language: str) -> str:
    known = [f"arXiv {paper.arxiv}" if paper.arxiv else None, paper.venue]
    where = statement.listing([item for item in known if item], language) if any(known) else ""
    if language == "en":
        return f"{name} was introduced in “{paper.title}”" + (f" ({where})." if where else ".")
    return f"{name} 出自《{paper.title}》" + (f"（{where}）。" if where else "。")


def _written(name: str, paper: Reference, language: str) -> str:
    authors = list(paper.authors)
    if language == "en":
        names = ", ".join(authors) + " and others" if paper.et_al else statement.listing(authors, "en")
        first = f"; the first author is {authors[0]}" if len(authors) > 1 else ""
        return f"“{paper.title}”, which introduced {name}, was written by {names}{first}."
    names = "、".join(authors) + " 等人" if paper.et_al else statement.listing(authors, "zh")
    first = f"，第一作者是 {authors[0]}" if len(authors) > 1 else ""
    return f"提出 {name} 的《{paper.title}》由 {names} 撰写{first}。"
