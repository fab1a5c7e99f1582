"""How questions of descent read in a terminal, in either language: lines with dates, changes and references; trees."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field

from ailineage.corpus import library, statement
from ailineage.kg import citing
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.lineage import Descent, Kinship, Path
from ailineage.kg.model import Node
from ailineage.kg.vocabulary import Kind, Relation

_CAME = {
    Relation.BUILDS_ON: ("builds on {}", "建立在{}之上"),
    Relation.VARIANT_OF: ("is a variant of {}", "是{}的变体"),
    Relation.SUCCEEDED_BY: ("succeeds {}", "是{}的后继者"),
    Relation.INFLUENCED_BY: ("was influenced by {}", "受{}影响"),
}
_WIDTH = 100
MOST = 200
"""Lines of a tree; what is over is counted."""


@dataclass
class Story:
    """Lines about a graph in one language, with the references they cite, numbered as they come."""

    graph: KnowledgeGraph
    language: str
    cited: dict[str, int] = field(default_factory=dict)

    def say(self, en: str, zh: str) -> str:
        """The text in the story's language."""
        return zh if self.language == "zh" else en

    def name(self, id: str) -> str:
        """A node's name."""
        return self.graph.nodes[id].name(self.language)

    def date(self, id: str) -> str:
        """A node's date in words."""
        date = self.graph.nodes[id].date
        return statement.date(date, self.language, preposition=False) if date else self.say("undated", "日期不详")

    def dated(self, id: str) -> str:
        """A node's name with its date."""
        return self.say(f"{self.name(id)} ({self.date(id)})", f"{self.name(id)}（{self.date(id)}）")

    def kinship(self, kin: Kinship) -> str:
        """All that joins two nodes, each line under a title, the references at the end."""
        one, other = self.name(kin.start), self.name(kin.goal)
        if kin.direct is not None:
            return "\n".join([self._title(kin.direct), "", *self.line(kin.direct), *self.references()])
        lines = [
            self.say(f"No direct line of descent joins {one} and {other}.", f"{one} 与 {other} 之间没有直接的传承。")
        ]
        if kin.influence is not None:
            step = self.say("Through influence — ", "经由影响——")
            lines += ["", step + self._title(kin.influence), "", *self.line(kin.influence)]
        if kin.shared is not None and kin.shared.shared is not None:
            shared = self.dated(kin.shared.shared)
            lines += ["", self.say(f"Both come from {shared}.", f"两者共同的祖先是 {shared}。")]
            for end, hops in zip((kin.start, kin.goal), branches(kin.shared), strict=True):
                lines += ["", self.say(f"The branch to {self.name(end)}:", f"通往 {self.name(end)} 的一支："), ""]
                lines += self.line(Path(kin.shared.shared, end, hops))
        if kin.best is None:
            lines.append(self.say("No shared ancestor is known either.", "也没有已知的共同祖先。"))
        return "\n".join([*lines, *self.references()])

    def line(self, path: Path) -> list[str]:
        """The steps of a directed path: when, what, from what, what changed, and where that is said."""
        lines = [f"  {self.dated(path.start)}"]
        for hop in path.hops:
            came = self.say(*_CAME[hop.relation]).format(self._spaced(hop.parent))
            head = self.say(f"{self.dated(hop.child)} {came}.", f"{self.dated(hop.child)}{came}。")
            lines += self._wrapped(f"→ {head}{self._marks(hop)}", "  ", "    ")
            if hop.changed:
                lines += self._wrapped(hop.changed, "    ", "    ")
        return lines

    def references(self) -> list[str]:
        """The list of what was cited, empty if nothing was."""
        if not self.cited:
            return []
        papers = {node.reference: node for node in self.graph.nodes.values() if node.kind is Kind.PAPER}
        lines = ["", self.say("References", "参考文献")]
        for key, number in self.cited.items():
            lines += self._wrapped(f"[{number}] {self._entry(key, papers.get(key))}", "  ", "      ")
        return lines

    def listed(self, ids: Iterable[str], notes: dict[str, str] | None = None) -> str:
        """Nodes one a line in order of time, each with a note."""
        ordered = sorted(ids, key=lambda id: (self.graph.nodes[id].date or "9999", id))
        if not ordered:
            return self.say("none known", "没有记录")
        return "\n".join(
            f"  {self.graph.nodes[id].date or '?':10}  {self.name(id)}" + (f"  {notes[id]}" if notes else "")
            for id in ordered
        )

    def _title(self, path: Path) -> str:
        count = len(path.hops)
        steps = "1 step" if count == 1 else f"{count} steps"
        years = dict.fromkeys((self.graph.nodes[id].date or "?")[:4] for id in (path.start, path.goal))
        return self.say(
            f"From {self.name(path.start)} to {self.name(path.goal)}: {steps}, {' to '.join(years)}",
            f"从 {self.name(path.start)} 到 {self.name(path.goal)}：{'–'.join(years)} 年，共 {count} 步",
        )

    def _spaced(self, id: str) -> str:
        """A name as it stands inside a sentence: in Chinese, spaces set Latin letters off."""
        name = self.name(id)
        if self.language != "zh":
            return name
        return (" " if name[0].isascii() else "") + name + (" " if name[-1].isascii() else "")

    def _marks(self, hop: Descent) -> str:
        keys = hop.claims[0].references or (f"{hop.claims[0].document}:{hop.claims[0].start}-{hop.claims[0].end}",)
        marks = "".join(f"[{self.cited.setdefault(key, len(self.cited) + 1)}]" for key in keys)
        return self.say(" ", "") + marks

    def _entry(self, key: str, paper: Node | None) -> str:
        if paper is not None:
            authors, more = citing.authors_of(self.graph, paper.id), False
            title, date, link = paper.name(), paper.date, paper.link
        elif source := library.references().get(key):
            authors, more = list(source.authors), source.et_al
            title, date, link = source.title, source.date, source.link
        else:
            return key
        few = len(authors) < 3 and not more
        by = " & ".join(authors) if few else authors[0] + self.say(" et al.", " 等")
        year = f" ({date[:4]})" if date else ""
        return f"{by}{year}. {title}. {link or key}".removeprefix(". ").strip()

    def _wrapped(self, text: str, first: str, rest: str) -> list[str]:
        if self.language == "zh":
            return [first + text]
        return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False)


def branches(path: Path) -> tuple[tuple[Descent, ...], tuple[Descent, ...]]:
    """The two branches of a path through a shared ancestor: the steps to its start and those to its goal."""
    cut = next((i for i, hop in enumerate(path.hops) if i and hop.parent == path.shared), len(path.hops))
    return path.hops[:cut], path.hops[cut:]


@dataclass(frozen=True)
class Branch:
    """A node of a family tree with its branches; `again` nodes stand elsewhere in the tree too and end here."""

    id: str
    branches: tuple[Branch, ...] = ()

    def lines(self, story: Story, indent: str = "", last: bool = True, root: bool = True) -> list[str]:
        """The tree drawn with box characters."""
        here = story.dated(self.id)
        lines = [here if root else f"{indent}{'└─ ' if last else '├─ '}{here}"]
        below = "" if root else indent + ("   " if last else "│  ")
        for branch in self.branches:
            lines += branch.lines(story, below, branch is self.branches[-1], root=False)
        return lines

    def to_json(self, graph: KnowledgeGraph) -> dict[str, object]:
        """The tree as nested objects."""
        node = graph.nodes[self.id]
        below = [branch.to_json(graph) for branch in self.branches]
        return {"id": node.id, "names": dict(node.names), "date": node.date, "children": below}


def family_tree(graph: KnowledgeGraph, root: str, depth: int, up: bool = False) -> tuple[Branch, int]:
    """The tree of descent below (or above) a root, each node once under its nearest parent, and how many were left out.

    Of a node's parents at the same distance from the root the one that came last holds it.
    """
    from ailineage.kg import lineage

    reach = {root: 0, **(lineage.ancestors if up else lineage.descendants)(graph, root, depth)}
    held: dict[str, list[str]] = {}
    date = {id: graph.nodes[id].date or "" for id in reach}
    kept = list(reach)[:MOST]
    for id in kept[1:]:
        around = graph.lineage.successors(id) if up else graph.lineage.predecessors(id)
        parent = max((p for p in around if reach.get(p, -1) == reach[id] - 1), key=lambda p: (date[p], p))
        held.setdefault(parent, []).append(id)

    def grown(id: str) -> Branch:
        below = sorted(held.get(id, ()), key=lambda child: (date[child] or "9999", child))
        return Branch(id, tuple(grown(child) for child in below))

    return grown(root), len(reach) - len(kept)
