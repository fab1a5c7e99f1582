"""Rules the authored library must keep, checked over the whole library at once.

Each check yields findings, one line each: where, what, and what to do. No finding means the library is clean.
Not checked here: whether a fact is true. That is what references are for.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher

import networkx as nx

from ailineage.corpus.library import LANGUAGES, Article, Library
from ailineage.errors import VocabularyError
from ailineage.kg import numerals
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.vocabulary import LINEAGE, LITERAL, RANGE, Family, Kind, Relation

_ARXIV = re.compile(r"(\d{2})(\d{2})\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/(\d{2})(\d{2})\d{3}")
_SHORT_KINDS = frozenset({Kind.PERSON, Kind.ORGANIZATION, Kind.TASK, Kind.DATASET, Kind.SOFTWARE})
_LENGTHS = {  # words in English, characters in Chinese
    ("long", "en"): (130, 420),
    ("long", "zh"): (230, 750),
    ("short", "en"): (45, 220),
    ("short", "zh"): (75, 400),
}
_YEAR = re.compile(r"(?<![\d.,])(1[789]\d\d|20[0-2]\d)(?![\d,.]?\d| ?[亿万个种张道条项])")


def check(library: Library) -> list[str]:
    """All findings about a library, in a stable order."""
    findings = [finding for article in library.articles.values() for finding in _article(article, library)]
    findings += _names(library)
    findings += _lineage(library)
    findings += _bibliography(library)
    findings += _near_duplicates(library)
    return findings


def length(text: str, language: str) -> int:
    """Words of an English text; characters of a Chinese one, where a run of Latin letters counts as one."""
    if language == "en":
        return len(text.split())
    return len(re.findall(r"[\u3400-\u9fff]|[A-Za-z0-9.\-]+", text))


def _article(article: Article, library: Library) -> Iterator[str]:
    where = article.folder / "node.toml"
    try:
        kind = Kind.parse(article.kind)
        if article.family is not None:
            Family.parse(article.family)
        elif kind not in (Kind.PERSON, Kind.ORGANIZATION):
            yield f"{where}: a {kind} needs a family"
    except VocabularyError as error:
        yield f"{where}: {error}"
        return
    for language in LANGUAGES:
        if not article.names.get(language):
            yield f"{where}: no name in {language!r}"
    for key in set(article.aliases) - {"en", "zh", "other", "ambiguous"}:
        yield f"{where}: aliases are en, zh, other or ambiguous, not {key!r}"
    for paper in article.papers:
        if paper not in library.references:
            yield f"{where}: paper {paper!r} is not in the bibliography"
    yield from _facts(article, library)
    yield from _texts(article, kind, library)


def _facts(article: Article, library: Library) -> Iterator[str]:
    for number, fact in enumerate(article.facts, 1):
        where = f"{article.folder / 'node.toml'}: fact {number} ({fact.relation})"
        try:
            relation = Relation.parse(fact.relation)
        except VocabularyError as error:
            yield f"{where}: {error}"
            continue
        for ref in (*fact.refs, *(ref for other in fact.disputed for ref in other.refs)):
            if ref not in library.references:
                yield f"{where}: reference {ref!r} is not in the bibliography"
        if (relation in LITERAL) != (fact.value is not None):
            yield f"{where}: takes a {'value' if relation in LITERAL else 'target'}"
            continue
        if relation is Relation.HAS_PARAMETERS and not isinstance(fact.value, int):
            yield f"{where}: a parameter count is a whole number, not {fact.value!r}"
        if relation in LINEAGE:
            yield from (
                f"{where}: to {fact.target!r} says no changed.{language}"
                for language in LANGUAGES
                if not fact.changed.get(language)
            )
        if fact.target is None:
            continue
        target = library.articles.get(fact.target)
        if target is None:
            yield f"{where}: target {fact.target!r} is not a node of the library"
        elif fact.target == article.id:
            yield f"{where}: points at itself"
        elif relation in RANGE and target.kind not in RANGE[relation]:
            yield f"{where}: target {fact.target!r} is a {target.kind}; allowed: {', '.join(sorted(RANGE[relation]))}"


def _texts(article: Article, kind: Kind, library: Library) -> Iterator[str]:
    size = "short" if kind in _SHORT_KINDS else "long"
    years: dict[str, set[str]] = {}
    for language, (text, links) in article.texts.items():
        where = article.folder / f"{language}.md"
        low, high = _LENGTHS[size, language]
        if not low <= (count := length(text, language)) <= high:
            yield f"{where}: {count} {'words' if language == 'en' else 'characters'}; a {kind} takes {low} to {high}"
        for link in links:
            if link.node not in library.articles:
                yield f"{where}: link to {link.node!r}, which is not a node of the library"
        if re.search(r"\]\(", text):
            yield f"{where}: links go to nodes, as [text](node:id)"
        years[language] = set(_YEAR.findall(text))
    if years["en"] != years["zh"]:
        english, chinese = sorted(years["en"] - years["zh"]), sorted(years["zh"] - years["en"])
        yield f"{article.folder}: years differ: only in English {english}, only in Chinese {chinese}"
    dates = [str(fact.value)[:4] for fact in article.facts if fact.relation == Relation.PUBLISHED_ON]
    for language, said in years.items():
        if dates and dates[0] not in said:
            yield f"{article.folder / language}.md: does not say {dates[0]}, the year of node.toml"
    yield from _numbers(article)


def _numbers(article: Article) -> Iterator[str]:
    """Numbers of one text that the other does not have in any size or spelling; small whole ones may be in words."""
    for language, other in (("en", "zh"), ("zh", "en")):
        there = numerals.digits(article.texts[other][0], other)
        for value, said in numerals.numbers(article.texts[language][0], language).items():
            if (value >= 100 or value != int(value)) and numerals.leading(value) not in there:
                yield f"{article.folder / language}.md: {said!r} is not in {other}.md"


def _names(library: Library) -> Iterator[str]:
    owners: dict[str, set[str]] = defaultdict(set)
    ambiguous: dict[str, set[str]] = defaultdict(set)
    for article in library.articles.values():
        for name in article.names.values():
            owners[name.casefold()].add(article.id)
        for key, names in article.aliases.items():
            for name in names:
                (ambiguous if key == "ambiguous" else owners)[name.casefold()].add(article.id)
    for name, ids in sorted(owners.items()):
        claimants = ids | ambiguous.get(name, set())
        if len(claimants) > 1:
            yield f"name {name!r} is borne by {', '.join(sorted(claimants))}; declare it in aliases.ambiguous of each"


def _lineage(library: Library) -> Iterator[str]:
    graph = nx.DiGraph()
    for article in library.articles.values():
        for fact in article.facts:
            if fact.relation not in LINEAGE or fact.target is None or fact.target not in library.articles:
                continue
            child, parent = article, library.articles[fact.target]
            if fact.relation == Relation.SUCCEEDED_BY:
                child, parent = parent, child
            graph.add_edge(parent.id, child.id)
            if child.date and parent.date and _before(child.date, parent.date) and not fact.anachronism:
                yield (
                    f"{article.folder / 'node.toml'}: {child.id} ({child.date}) is dated before its parent {parent.id}"
                    f" ({parent.date}); mend a date, or give the reason as anachronism"
                )
    for cycle in nx.strongly_connected_components(graph):
        if len(cycle) > 1:
            yield f"lineage runs in a circle: {' -> '.join(sorted(cycle))}"


def _before(left: str, right: str) -> bool:
    shared = min(len(left), len(right))
    return left[:shared] < right[:shared]


def _bibliography(library: Library) -> Iterator[str]:
    cited = {paper for article in library.articles.values() for paper in article.papers}
    cited |= {ref for article in library.articles.values() for fact in article.facts for ref in fact.refs}
    cited |= {
        ref for article in library.articles.values() for fact in article.facts for d in fact.disputed for ref in d.refs
    }
    titles: dict[str, str] = {}
    for key, reference in library.references.items():
        if key not in cited:
            yield f"bibliography: {key!r} is cited nowhere"
        title = reference.title.casefold()
        if title in titles and not reference.venue:
            yield f"bibliography: {key!r} has the title of {titles[title]!r}"
        titles[title] = key
        if reference.arxiv is None:
            if not reference.link and not reference.venue:
                yield f"bibliography: {key!r} needs a url or a venue"
            continue
        match = _ARXIV.fullmatch(reference.arxiv)
        if match is None:
            yield f"bibliography: {key!r} is not an arXiv id"
        elif reference.date:
            yy, mm = (match[1], match[2]) if match[1] else (match[4], match[5])
            if f"{yy}-{mm}" not in _months(reference.date):
                yield f"bibliography: {key!r} was submitted in {yy}-{mm}, not {reference.date}; give version 1's date"


def _months(date: str) -> set[str]:
    """The months (YY-MM) that an arXiv id may bear for a paper submitted on a date.

    What comes in on the last days of a month is announced, and numbered, in the next. A year alone allows any month.
    """
    if len(date) == 4:
        return {f"{date[2:]}-{month:02d}" for month in range(1, 13)}
    months = {date[2:7]}
    if len(date) == 10:
        months.add(str(datetime.date.fromisoformat(date) + datetime.timedelta(days=4))[2:7])
    return months


def _near_duplicates(library: Library) -> Iterator[str]:
    openings: dict[str, list[Article]] = defaultdict(list)
    for article in library.articles.values():
        openings[" ".join(article.texts["en"][0].split()[:4])].append(article)
    for group in openings.values():
        for i, left in enumerate(group):
            for right in group[i + 1 :]:
                ratio = SequenceMatcher(None, left.texts["en"][0], right.texts["en"][0], autojunk=False).ratio()
                if ratio > 0.8:
                    yield f"{left.folder} and {right.folder} say nearly the same ({ratio:.0%})"


def check_graph(graph: KnowledgeGraph) -> list[str]:
    """What is wrong with a built graph: ends that are no nodes, spans that do not quote their document."""
    findings = []
    for claim in graph.claims.values():
        document = graph.documents.get(claim.document)
        if document is None or document.text[claim.start : claim.end] != claim.text:
            findings.append(f"claim {claim.id}: its span does not quote {claim.document}")
        ends = [end for end in (claim.subject, claim.object) if end is not None and end not in graph.nodes]
        findings += [f"claim {claim.id}: {end!r} is not a node" for end in ends]
    return findings
