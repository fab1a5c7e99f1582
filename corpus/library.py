"""The authored library: one folder a node, read and checked.

    articles/<id>/node.toml     the facts, once, each with a reference
    articles/<id>/en.md, zh.md  the same story in two languages; words and links, no new facts
    bibliography/*.toml         the references, once, under their arXiv id, DOI or a slug

Reading knows the form only. What the terms mean, and whether links lead anywhere, is judged in `ailineage.kg`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ailineage.errors import LibraryError

LANGUAGES = ("en", "zh")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_LINK = re.compile(r"\[([^\]]+)\]\(node:([a-z0-9-]+)\)")


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of the bibliography.

    `key` is `arxiv:<id>`, `doi:<doi>` or a slug; `date` is ISO 8601 at the precision known.
    """

    key: str
    title: str
    authors: tuple[str, ...] = ()
    et_al: bool = False
    date: str | None = None
    venue: str | None = None
    url: str | None = None

    @property
    def arxiv(self) -> str | None:
        """The arXiv id, if the reference has one."""
        return self.key.removeprefix("arxiv:") if self.key.startswith("arxiv:") else None

    @property
    def link(self) -> str | None:
        """Where the reference can be read."""
        if self.arxiv:
            return f"https://arxiv.org/abs/{self.arxiv}"
        if self.key.startswith("doi:"):
            return f"https://doi.org/{self.key.removeprefix('doi:')}"
        return self.url


@dataclass(frozen=True, slots=True)
class Dispute:
    """Another value that a source gives for the same fact."""

    value: str | int
    refs: tuple[str, ...]
    note: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement of node.toml: a relation to a node (`target`) or a literal (`value`), with its references.

    `of` names the configuration a parameter count belongs to; `changed` says, per language, what a lineage
    step changed; `note` adds one full sentence per language; `anachronism` excuses a parent dated after its child.
    """

    relation: str
    refs: tuple[str, ...]
    target: str | None = None
    value: str | int | None = None
    of: str | None = None
    configuration: Mapping[str, str | int | float] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)
    note: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    disputed: tuple[Dispute, ...] = ()
    anachronism: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link from an article's text to a node: characters `start` to `end` of the plain text."""

    start: int
    end: int
    node: str


@dataclass(frozen=True)
class Article:
    """One node of the library: its facts and its article in both languages."""

    id: str
    kind: str
    family: str | None
    names: Mapping[str, str]
    aliases: Mapping[str, tuple[str, ...]]
    papers: tuple[str, ...]
    facts: tuple[Fact, ...]
    markdown: Mapping[str, str]
    folder: Path
    wikidata: str | None = None

    @cached_property
    def texts(self) -> dict[str, tuple[str, tuple[Link, ...]]]:
        """Plain text and links of the article, by language."""
        return {language: plain_text(markdown) for language, markdown in self.markdown.items()}

    @property
    def date(self) -> str | None:
        """The first date in the facts, ISO 8601 at the precision known."""
        return next((str(fact.value) for fact in self.facts if fact.relation == "published_on"), None)


@dataclass(frozen=True)
class Library:
    """All articles and references."""

    articles: Mapping[str, Article]
    references: Mapping[str, Reference]


def plain_text(markdown: str) -> tuple[str, tuple[Link, ...]]:
    """The text of an article without link syntax, and where its links stood.

    >>> plain_text("see [BERT](node:bert).")
    ('see BERT.', (Link(start=4, end=8, node='bert'),))
    """
    pieces: list[str] = []
    links: list[Link] = []
    length = last = 0
    for match in _LINK.finditer(markdown):
        before, label = markdown[last : match.start()], match[1]
        length += len(before)
        pieces += [before, label]
        links.append(Link(length, length + len(label), match[2]))
        length += len(label)
        last = match.end()
    pieces.append(markdown[last:])
    return "".join(pieces), tuple(links)


def articles_folder() -> Path:
    """Where the library that ships with the package lies."""
    return Path(__file__).parent


def load(root: Path | None = None) -> Library:
    """Read a library.

    Args:
        root: a folder with `articles/` and `bibliography/`; the shipped library if None.

    Raises:
        LibraryError: at the first file that is not of the library's form.
    """
    root = root or articles_folder()
    references: dict[str, Reference] = {}
    for path in sorted((root / "bibliography").glob("*.toml")):
        for reference in _read_bibliography(path):
            if reference.key in references:
                raise LibraryError(f"{path}: {reference.key!r} is already in the bibliography; keep one entry")
            references[reference.key] = reference
    articles = {article.id: article for article in map(read_article, _folders(root / "articles"))}
    return Library(articles, references)


@cache
def references() -> Mapping[str, Reference]:
    """The shipped bibliography alone, by key: read where a reference is shown that has no node."""
    paths = sorted((articles_folder() / "bibliography").glob("*.toml"))
    return {reference.key: reference for path in paths for reference in _read_bibliography(path)}


def _folders(root: Path) -> Iterator[Path]:
    return (folder for folder in sorted(root.iterdir()) if (folder / "node.toml").is_file())


def read_article(folder: Path) -> Article:
    """Read one node's folder.

    Raises:
        LibraryError: if a file is missing or not of the form; the message names file and field.
    """
    path = folder / "node.toml"
    table = _toml(path)
    try:
        facts = tuple(_fact(entry, path) for entry in table.get("fact", ()))
        article = Article(
            id=table["id"],
            kind=table["kind"],
            family=table.get("family"),
            names=table["names"],
            aliases={key: tuple(names) for key, names in table.get("aliases", {}).items()},
            papers=_several(table.get("paper")),
            facts=facts,
            markdown={language: _words(folder / f"{language}.md") for language in LANGUAGES},
            folder=folder,
            wikidata=table.get("wikidata"),
        )
    except KeyError as missing:
        raise LibraryError(f"{path}: field {missing} is missing") from None
    unknown = set(table) - {"id", "kind", "family", "names", "aliases", "paper", "fact", "wikidata"}
    if unknown:
        raise LibraryError(f"{path}: unknown field {sorted(unknown)[0]!r}")
    if article.id != folder.name or not _SLUG.fullmatch(article.id):
        raise LibraryError(f"{path}: id {article.id!r} must be a slug and the folder's name")
    return article


def _fact(entry: dict[str, Any], path: Path) -> Fact:
    known = {*Fact.__dataclass_fields__, "ref"} - {"refs"}
    where = f"{path}: fact {entry.get('relation')!r}"
    if unknown := set(entry) - known:
        raise LibraryError(f"{where}: unknown field {sorted(unknown)[0]!r}")
    if ("target" in entry) == ("value" in entry):
        raise LibraryError(f"{where}: give either target or value")
    if not entry.get("ref"):
        raise LibraryError(f"{where}: every fact needs a ref")
    if entry["relation"] == "published_on" and not _DATE.fullmatch(str(entry.get("value"))):
        raise LibraryError(
            f"{where}: {entry.get('value')!r} is not a date; write 2017, 2017-06 or 2017-06-12 in quotes"
        )
    disputed = tuple(
        Dispute(other["value"], _several(other["ref"]), other.get("note", {})) for other in entry.get("disputed", ())
    )
    rest = {key: value for key, value in entry.items() if key not in ("ref", "disputed")}
    return Fact(refs=_several(entry["ref"]), disputed=disputed, **rest)


def _several(value: str | list[str] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _words(path: Path) -> str:
    if not path.is_file():
        raise LibraryError(f"{path}: the article is missing in this language")
    return path.read_text(encoding="utf-8").strip()


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LibraryError(f"{path}: not valid TOML: {error}") from None


def _read_bibliography(path: Path) -> Iterator[Reference]:
    for key, entry in _toml(path).items():
        try:
            reference = Reference(key=key, **{**entry, "authors": tuple(entry.get("authors", ()))})
        except TypeError as error:
            raise LibraryError(f"{path}: {key!r}: {error}") from None
        if reference.date is not None and not _DATE.fullmatch(reference.date):
            raise LibraryError(f"{path}: {key!r}: {reference.date!r} is not a date; write 2017, 2017-06 or 2017-06-12")
        yield reference
