"""A decoder without weights: it says what it is told to say. For tests and examples."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

Script = Callable[[str, Sequence[int]], str]


class ScriptedDecoder:
    """Answers from a queue, or by a function of the prompt and the markers.

    Args:
        script: the answers in order (when they run out it writes nothing), or the function.

    `prompts` keeps what it was asked.

    >>> "".join(ScriptedDecoder(["Yes. [1]"]).generate("?", [1]))
    'Yes. [1]'
    """

    base = "scripted"
    adapter: str | None = None

    def __init__(self, script: Iterable[str] | Script) -> None:
        self._script: Script | None = script if callable(script) else None
        self._queue = [] if callable(script) else list(script)
        self.prompts: list[str] = []

    def generate(self, prompt: str, markers: Sequence[int], max_tokens: int = 160) -> Iterator[str]:
        """The next answer, a word at a time; markers that are not allowed are left out, as a model's would be."""
        self.prompts.append(prompt)
        said = self._script(prompt, markers) if self._script else self._queue.pop(0) if self._queue else ""
        said = re.sub(r"\[(\d+)\]", lambda match: match[0] if int(match[1]) in markers else "", said)
        yield from re.findall(r"\s*\S+", said)[:max_tokens]
