"""Terms of the field that have no article: what kind of thing each is, and its names in both languages.

    glossary/*.tsv    kind, English names, Chinese names: a term a line, tab-separated, names separated by a bar

The first name of a language is the usual one. A document's words are recognised by them; nothing is said about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ailineage.errors import LibraryError

FOLDER = Path(__file__).parent.resolve() / "glossary"


@dataclass(frozen=True, slots=True)
class Term:
    """A kind of node, and names, the usual one of each language first; `zh` may be empty."""

    kind: str
    en: tuple[str, ...]
    zh: tuple[str, ...]


@cache
def terms(folder: Path = FOLDER) -> tuple[Term, ...]:
    """All terms, in the order of the files.

    Raises:
        LibraryError: if a line has another form.
    """
    found = []
    for path in sorted(folder.glob("*.tsv")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            cells = line.split("\t")
            if len(cells) != 3 or not cells[0] or not cells[1]:
                raise LibraryError(f"{path}:{number}: a term is a kind, English names and Chinese names, tab-separated")
            en, zh = (tuple(name.strip() for name in cell.split("|") if name.strip()) for cell in cells[1:])
            found.append(Term(cells[0], en, zh))
    return tuple(found)
