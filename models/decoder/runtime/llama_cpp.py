"""The fast runtime: llama.cpp in a prebuilt wheel (xllamacpp), with a grammar that allows only markers of evidence.

The prompt's unchanging head is kept from call to call by llama.cpp's own prefix cache.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import orjson

from ailineage.errors import WeightsError
from ailineage.models.decoder.runtime.base import grammar
from ailineage.models.decoder.weights import Weights

CONTEXT = 2048
"""Tokens of prompt and answer together."""


class LlamaCppDecoder:
    """A GGUF model on the CPU. Greedy; one generation at a time, others wait.

    Args:
        weights: `path` is a GGUF file.
        threads: cores to use; those this process may use, at most eight, if None.

    Raises:
        WeightsError: if llama.cpp is not installed or cannot read the file.
    """

    def __init__(self, weights: Weights, threads: int | None = None) -> None:
        try:
            import xllamacpp
        except ImportError:
            raise WeightsError("llama.cpp is not installed; run `pip install xllamacpp`") from None
        threads = threads or min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2, 8)
        parameters = xllamacpp.CommonParams()
        parameters.model.path = weights.path
        parameters.n_ctx = CONTEXT
        parameters.n_parallel = 1
        parameters.cpuparams.n_threads = threads
        parameters.cpuparams_batch.n_threads = threads
        parameters.verbosity = -1
        try:
            self._server: Any = xllamacpp.Server(parameters)
        except RuntimeError as error:
            raise WeightsError(f"{weights.path}: llama.cpp cannot read these weights ({error})") from None
        self.base = weights.name
        self.adapter = weights.adapter and Path(weights.adapter).name
        self._lock = threading.Lock()
        self.timings: dict[str, float] = {}

    def generate(self, prompt: str, markers: Sequence[int], max_tokens: int = 160) -> Iterator[str]:
        """Pieces of text as they are written; closing the iterator stops the model."""
        pieces: SimpleQueue[dict[str, Any] | BaseException | None] = SimpleQueue()
        stopped = threading.Event()

        def receive(chunk: Any) -> bool:
            pieces.put(chunk if isinstance(chunk, dict) else orjson.loads(chunk))
            return stopped.is_set()

        def work() -> None:
            try:
                request = {"prompt": prompt, "n_predict": max_tokens, "temperature": 0, "stream": True, "stop": ["\n"]}
                shape = grammar(markers, declines=self.adapter is not None)
                self._server.handle_completions({**request, "grammar": shape}, receive)
                pieces.put(None)
            except BaseException as error:  # handed on to the caller's thread
                pieces.put(error)

        with self._lock:
            worker = threading.Thread(target=work, name="llama.cpp", daemon=True)
            worker.start()
            try:
                while (chunk := pieces.get()) is not None:
                    if isinstance(chunk, BaseException):
                        raise chunk
                    if "error" in chunk:
                        raise RuntimeError(f"llama.cpp: {chunk['error'].get('message', chunk['error'])}")
                    self.timings = chunk.get("timings") or self.timings
                    if text := chunk["choices"][0]["text"]:
                        yield text
            finally:
                stopped.set()
                worker.join()
