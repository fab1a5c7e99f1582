"""What the checks know beyond the evidence's own words: names of nodes, claims, and words of both languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

from ailineage.corpus import statement
from ailineage.kg.identity import Lexicon
from ailineage.kg.model import Claim, Node
from ailineage.kg.vocabulary import Relation
from ailineage.retrieval.evidence import Evidence
from ailineage.retrieval.lexical import Tokenizer

_ASKING = frozenset(
    "tell explain describe give please say know many much name list 告诉 解释 说明 列出 时候 多 谁 哪年 哪".split()
)


@dataclass
class Knowledge:
    """Nodes and claims by id, and the lexicon of the nodes (made from them if None)."""

    nodes: Mapping[str, Node]
    claims: Mapping[str, Claim] = field(default_factory=dict)
    names: Lexicon | None = None

    @cached_property
    def lexicon(self) -> Lexicon:
        """Names to nodes."""
        return self.names or Lexicon(self.nodes.values())

    def named(self, text: str) -> list[tuple[str, ...]]:
        """Nodes that a text names, one tuple a mention; several nodes in it are an ambiguous name."""
        return [mention.nodes for mention in self.lexicon.find(text)]

    def ids(self, text: str) -> set[str]:
        """Every node that a text names or may name."""
        return {id for nodes in self.named(text) for id in nodes}

    def words(self, text: str) -> set[str]:
        """Content words of a text, stemmed or segmented, in lower case."""
        return {word for word in _tokenizer().words(text) if word not in _ASKING}

    def cut(self, text: str) -> list[str]:
        """A Chinese text in words, none left out."""
        return _tokenizer().cut(text)

    def bare_words(self, text: str) -> set[str]:
        """Content words outside the names of nodes."""
        for mention in reversed(self.lexicon.find(text)):
            text = text[: mention.start] + " " + text[mention.end :]
        return self.words(text)

    def claim(self, evidence: Evidence) -> Claim | None:
        """The claim an evidence states, if it states one that is known: named in it, or standing at its very span."""
        if evidence.claim:
            return self.claims.get(evidence.claim)
        return self._at.get((evidence.document, evidence.start, evidence.end))

    @cached_property
    def _at(self) -> dict[tuple[str, int, int], Claim]:
        """The claims that are whole sentences of articles, by their span."""
        return {(c.document, c.start, c.end): c for c in self.claims.values() if c.authored}

    def rendered(self, claim: Claim, language: str) -> str | None:
        """A claim said in a language; None where it cannot be put into words there."""
        subject = self.nodes.get(claim.subject)
        if subject is None:
            return None
        name = subject.name(language)
        if claim.object is not None:
            target = self.nodes.get(claim.object)
            said = target.name(language) if target else None
        else:
            said = _value(claim, language)
        if said is None:
            return None
        if claim.qualifier and claim.relation is Relation.HAS_PARAMETERS and not _in(claim.qualifier, name):
            name = claim.qualifier if _in(name, claim.qualifier) else f"{name} ({claim.qualifier})"
        return statement.sentence(claim.relation, name, said, language, kind=subject.kind)

    def about(self, evidence: Evidence) -> str:
        """What stands around a span: its title, and the names of its node and of its claim's ends."""
        claim = self.claim(evidence)
        ids = [evidence.node, *((claim.subject, claim.object) if claim else ())]
        names = [surface for id in ids if id and id in self.nodes for surface in self.nodes[id].surfaces]
        said = [self.rendered(claim, language) for language in ("en", "zh")] if claim else []
        return "\n".join([evidence.title, *names, *(text for text in said if text)])


@cache
def _tokenizer() -> Tokenizer:
    """One for the process: jieba's dictionary takes most of a second to load."""
    return Tokenizer()


def overlap(part: Iterable[str], whole: Iterable[str]) -> float:
    """The share of `part` found in `whole`; 1.0 for an empty part."""
    wanted = set(part)
    return len(wanted & set(whole)) / len(wanted) if wanted else 1.0


def cleaned(text: str) -> str:
    """A span as it is shown in an answer: one line, no list or heading signs, no markers of its own.

    >>> cleaned("- Attention [4] was\\n  proposed in 2014 [4, 5].")
    'Attention was proposed in 2014.'
    """
    text = re.sub(r"\s*\[\d+(?:\s*[,，–-]\s*\d+)*\]", "", " ".join(text.split()))
    return re.sub(r"^(?:#{1,6}|[-*•])\s+|[*`_]{2,}", "", text).strip()


def _value(claim: Claim, language: str) -> str | None:
    value = claim.value or ""
    if claim.relation is Relation.PUBLISHED_ON and re.fullmatch(r"\d{4}(-\d\d){0,2}", value):
        return statement.date(value, language)
    if claim.relation is Relation.HAS_PARAMETERS:
        try:
            return statement.count(int(float(value)), language)
        except ValueError:
            return None
    return value or None


def _in(part: str, whole: str) -> bool:
    return part.casefold() in whole.casefold()
