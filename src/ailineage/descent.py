"""The `lineage` command: which question its options ask, and the answer as JSON and as text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ailineage.errors import UsageError
from ailineage.kg import chronology, lineage
from ailineage.kg.chronology import Period
from ailineage.kg.exports import path_json
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Node
from ailineage.story import Story, family_tree

_TREE_DEPTH = 3
_PATHS = 20


@dataclass(frozen=True)
class Asked:
    """The options of one call; `show` is None, up, down, tree, siblings, uses or all, periods are ISO 8601."""

    start: str | None = None
    goal: str | None = None
    show: str | None = None
    depth: int | None = None
    influential: str | None = None
    during: str | None = None
    before: str | None = None
    as_of: str | None = None
    language: str = "en"


@dataclass(frozen=True)
class Told:
    """An answer: one JSON document, the same as text, and lines for standard error."""

    data: Any
    text: str
    notes: tuple[str, ...] = ()


def tell(graph: KnowledgeGraph, asked: Asked) -> Told:
    """Answer a question of descent.

    Raises:
        UsageError: if the options do not go together, or a node is younger than --as-of.
        UnknownNodeError: if a name is borne by no node.
    """
    if asked.influential and asked.start:
        raise UsageError("--influential ranks all nodes; give it without a name")
    if asked.goal and (asked.during or asked.before):
        raise UsageError("--during and --before go with one name or none; for a path use --as-of")
    if asked.goal and asked.show not in (None, "all"):
        raise UsageError("that option goes with one name; for paths between two there is --all")
    if asked.start is None and not (asked.influential or asked.during or asked.before or asked.as_of):
        raise UsageError("name a node, or ask for --influential, --during, --before or --as-of")
    if asked.start is None and asked.show:
        raise UsageError("that option goes with a name")
    return _Teller(graph, asked).told()


class _Teller:
    def __init__(self, graph: KnowledgeGraph, asked: Asked) -> None:
        self.whole, self.asked = graph, asked
        self.graph = chronology.as_of(graph, asked.as_of) if asked.as_of else graph
        self.story = Story(self.graph, asked.language)
        self.ambiguous: dict[str, dict[str, Any]] = {}
        self.notes: list[str] = []

    def told(self) -> Told:
        asked = self.asked
        if asked.influential:
            data, text = self._influential(asked.influential)
        elif asked.start is None:
            data, text = self._timeline()
        elif asked.goal is not None:
            data, text = self._between(self._node(asked.start), self._node(asked.goal))
        else:
            data, text = self._around(self._node(asked.start))
        if self.ambiguous:
            data["ambiguous"] = self.ambiguous
        return Told(data, text, tuple(self.notes))

    def _node(self, name: str) -> Node:
        """The node a name means, with a note if others bear the name too."""
        taken, bearers = lineage.named(self.whole, name)
        if len(bearers) > 1:
            others = ", ".join(f"{node.name()} ({node.id})" for node in bearers[1:])
            self.notes.append(f"{name!r} is ambiguous: taken as the eldest, {taken.name()} ({taken.id}), not {others}")
            self.ambiguous[name] = {"taken": taken.id, "among": [node.id for node in bearers]}
        if taken.id not in self.graph.nodes:
            raise UsageError(f"{taken.name()} is dated {taken.date}, after {self.asked.as_of}")
        return taken

    @cached_property
    def _window(self) -> tuple[Period | None, Period | None]:
        during, before = self.asked.during, self.asked.before
        return Period.of(during) if during else None, Period.of(before) if before else None

    def _then(self, id: str) -> bool:
        """Whether a node lies in the time that was asked for."""
        during, before = self._window
        if during is None and before is None:
            return True
        if (period := chronology.when(self.graph.nodes[id])) is None:
            return False
        return (during is None or period.during(during)) and (before is None or period.before(before))

    # ---- two nodes ------------------------------------------------------------------------------------------

    def _between(self, first: Node, last: Node) -> tuple[dict[str, Any], str]:
        if first.id == last.id:
            same = {
                "from": first.id,
                "to": last.id,
                "kind": "same",
                "direct": True,
                "shared_ancestor": None,
                "hops": [],
            }
            return same, self.story.dated(first.id)
        kin = lineage.kinship(self.graph, first.id, last.id, self.asked.language)
        if self.asked.show == "all" and kin.best is not None and kin.best.shared is None:
            return self._all(kin.best)
        data: dict[str, Any] = (
            path_json(kin.best) if kin.best else {"from": first.id, "to": last.id, "kind": "none", "hops": []}
        )
        data["direct"] = kin.direct is not None
        data["shared_ancestor"] = kin.shared.shared if kin.shared else None
        data["influence"] = path_json(kin.influence) if kin.influence else None
        data["shared"] = path_json(kin.shared) if kin.shared else None
        return data, self.story.kinship(kin)

    def _all(self, best: lineage.Path) -> tuple[dict[str, Any], str]:
        count = lineage.count_paths(self.graph, best.start, best.goal)
        paths = lineage.all_paths(self.graph, best.start, best.goal, self.asked.language, _PATHS)
        if count is None or count > len(paths):
            many = "too many to count" if count is None else f"{count:,} in all"
            self.notes.append(f"the {len(paths)} best paths of {many}")
        data = {"from": best.start, "to": best.goal, "paths": [path_json(path) for path in paths], "count": count}
        chains = (" → ".join(map(self.story.dated, [path.start, *(h.child for h in path.hops)])) for path in paths)
        return data, "\n".join(f"{number:>2}. {chain}" for number, chain in enumerate(chains, 1))

    # ---- one node -------------------------------------------------------------------------------------------

    def _around(self, node: Node) -> tuple[dict[str, Any], str]:
        show, story, id = self.asked.show, self.story, node.id
        if show == "tree":
            tree, hidden = family_tree(self.graph, id, self.asked.depth or _TREE_DEPTH)
            if hidden:
                self.notes.append(f"{hidden} more descendants are left out; lower --depth or start further down")
            return {"node": id, "tree": tree.to_json(self.graph), "hidden": hidden}, "\n".join(tree.lines(story))
        if show == "siblings":
            found = {sib: by for sib, by in lineage.siblings(self.graph, id).items() if self._then(sib)}
            notes = {sib: "← " + ", ".join(map(story.name, by)) for sib, by in found.items()}
            title = story.say(f"Siblings of {story.name(id)}:", f"{story.name(id)} 的同辈：")
            return {"node": id, "siblings": found}, f"{title}\n{story.listed(found, notes)}"
        if show == "uses":
            uses = {user: how for user, how in lineage.users(self.graph, id).items() if self._then(user)}
            said = {"uses": story.say("uses it", "使用"), "lineage": story.say("descends from it", "后代")}
            title = story.say(f"What {story.name(id)} ended up in:", f"{story.name(id)} 的去向：")
            return {
                "node": id,
                "uses": uses,
            }, f"{title}\n{story.listed(uses, {u: said[how] for u, how in uses.items()})}"
        data: dict[str, Any] = {"node": id}
        parts: list[str] = []
        for side, key, en, zh in (
            ("up", "ancestors", "Ancestors", "祖先"),
            ("down", "descendants", "Descendants", "后代"),
        ):
            if show in (None, side):
                reach = lineage.ancestors if side == "up" else lineage.descendants
                data[key] = {
                    kin: far for kin, far in reach(self.graph, id, self.asked.depth).items() if self._then(kin)
                }
                parts.append(f"{story.say(en, zh)}{story.say(': ', '：')}{story.name(id)}")
                parts.append(self._generations(data[key], "-" if side == "up" else "+"))
        return data, "\n".join(parts)

    def _generations(self, found: dict[str, int], sign: str) -> str:
        lines = []
        for generation in sorted(set(found.values())):
            ids = [id for id, far in found.items() if far == generation]
            ids.sort(key=lambda id: (self.graph.nodes[id].date or "9999", id))
            years = ((id, (self.graph.nodes[id].date or "?")[:4]) for id in ids)
            lines.append(f"{sign}{generation}  " + ", ".join(f"{self.story.name(id)} ({year})" for id, year in years))
        return "\n".join(lines) or self.story.say("none known", "没有记录")

    # ---- the whole graph ------------------------------------------------------------------------------------

    def _influential(self, period: str) -> tuple[dict[str, Any], str]:
        ranked = lineage.influence(self.graph, period)
        title = self.story.say(f"Most influential, {period}:", f"{period} 年间影响最大：")
        rows = [f"{score:8.4f}  {self.story.dated(id)}" for id, score in ranked]
        data = {"period": period, "influential": [{"node": id, "score": score} for id, score in ranked]}
        return data, "\n".join([title, *(rows or [self.story.say("none known", "没有记录")])])

    def _timeline(self) -> tuple[dict[str, Any], str]:
        nodes = [node for node in chronology.timeline(self.graph) if self._then(node.id) and node.id in self._drawn]
        data = {"timeline": [{"node": node.id, "date": node.date} for node in nodes]}
        return data, self.story.listed(node.id for node in nodes)

    @cached_property
    def _drawn(self) -> set[str]:
        """Nodes with a place in the lineage; papers and people would drown them."""
        return {id for id in self.graph.lineage if self.graph.lineage.degree(id)}
