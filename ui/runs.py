"""A demonstration that runs in the background of a session: watched while it runs, and stopped when asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ailineage.models.reference import Step


class Run:
    """One run: how far it is, the metrics so far, the last sample and picture, and how it ended."""

    def __init__(self, id: str, steps: Callable[[], Iterator[Step]]) -> None:
        self.id = id
        self.done, self.total = 0, 0
        self.metrics: list[dict[str, float]] = []
        self.sample: str | None = None
        self.picture: Any = None
        self.error: str | None = None
        self._steps = steps
        self._stop = threading.Event()
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()

    def _work(self) -> None:
        try:
            for step in self._steps():
                if self._stop.is_set():
                    return
                self.done, self.total = step.done, step.total
                if step.metrics:
                    self.metrics.append(dict(step.metrics))
                self.sample = step.sample or self.sample
                self.picture = step.picture if step.picture is not None else self.picture
        except Exception as error:  # the thread has no one to raise to; the page says it
            self.error = f"{type(error).__name__}: {error}"

    def cancel(self) -> None:
        """Stop before the next step."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._worker.is_alive()
