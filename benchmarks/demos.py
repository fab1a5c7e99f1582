"""Run every reference implementation's full demonstration and print what it reached: `make demos`.

Exit code 1 if any missed its target.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from ailineage.models.reference import Implementation, implementations, steps


def run(item: Implementation, seed: int = 0) -> tuple[Mapping[str, float], float]:
    """The last metrics of a demonstration and its wall seconds."""
    began = time.perf_counter()
    last: Mapping[str, float] = {}
    for step in steps(item, seed):
        last = step.metrics or last
    return last, time.perf_counter() - began


def main(ids: list[str]) -> int:
    """Print the table for some ids, or all."""
    table = implementations()
    missed = []
    sys.stdout.write(f"{'id':24} {'metric':36} {'target':>9} {'reached':>9} {'baseline':>9} {'s':>6}\n")
    for item in table.values():
        if ids and item.id not in ids:
            continue
        metrics, seconds = run(item)
        verdict = "" if item.demo.reached(metrics) else "  MISSED"
        if verdict:
            missed.append(item.id)
        sys.stdout.write(
            f"{item.id:24} {item.demo.metric:36} {item.demo.target:9.4g} {metrics[item.demo.metric]:9.4g}"
            f" {metrics['baseline']:9.4g} {seconds:6.1f}{verdict}\n"
        )
        sys.stdout.flush()
    sys.stdout.write(f"{len(missed)} missed" + (f": {', '.join(missed)}\n" if missed else "\n"))
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
