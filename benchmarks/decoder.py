"""Prefill and decode of the packaged decoder by both runtimes, in one run, as seconds and as ratios.

    python benchmarks/decoder.py [--workspace DIR] [--rounds 3]

The prompt is the product's own (eight sentences of evidence), the answer is as long as each runtime makes it, at most
80 tokens; rounds of the two alternate, the median counts. The prompt differs from round to round in its evidence, so
only the unchanging head comes from a prefix cache.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time

from ailineage.models.decoder.prompt import prompt
from ailineage.models.decoder.runtime import Decoder, open_decoder
from ailineage.retrieval.evidence import Evidence
from ailineage.workspace import Workspace

FACTS = (
    "The Transformer was published in June 2017 and drops recurrence in favour of attention.",
    "BERT keeps the encoder of the Transformer and is trained to fill in masked words.",
    "GPT keeps the decoder of the Transformer and is trained to predict the next word.",
    "The Vision Transformer cuts an image into patches and treats them as words.",
    "ELMo joins two recurrent language models that read in opposite directions.",
    "Word2vec learns one vector for each word from the words around it.",
    "The encoder of Segment Anything is a Vision Transformer trained as a masked autoencoder.",
    "Attention was first added to a recurrent translation model in September 2014.",
)


def measure(decoder: Decoder, turn: int) -> dict[str, float]:
    """One generation: seconds to the first piece, seconds a piece after it, and the number of pieces."""
    order = [FACTS[(turn + i) % len(FACTS)] for i in range(len(FACTS))]
    shown = [Evidence("notes", i, i + len(fact), fact, f"Notes {turn}", "en") for i, fact in enumerate(order)]
    text, held = prompt("What is the difference between BERT and GPT?", shown, "en")
    began = time.perf_counter()
    times = [time.perf_counter() - began for _ in decoder.generate(text, range(1, len(held) + 1), 80)]
    rest = (times[-1] - times[0]) / max(len(times) - 1, 1)
    return {"prefill_s": times[0], "piece_s": rest, "total_s": times[-1], "pieces": float(len(times))}


def main() -> int:
    """Run and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cache = Workspace.at(options.workspace).cache
    decoders: dict[str, Decoder] = {}
    report: dict[str, dict[str, float]] = {}
    for runtime in ("llama.cpp", "transformers"):
        began = time.perf_counter()
        decoders[runtime] = open_decoder(None, cache, "cpu", runtime=runtime)
        report[runtime] = {"open_s": time.perf_counter() - began}
        measure(decoders[runtime], 0)  # warm
        report[runtime]["peak_mb_so_far"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rounds = [
        {name: measure(decoder, turn) for name, decoder in decoders.items()} for turn in range(1, options.rounds + 1)
    ]
    for name, figures in report.items():
        for key in ("prefill_s", "piece_s", "total_s", "pieces"):
            figures[key] = statistics.median(one[name][key] for one in rounds)
        figures["pieces_per_s"] = 1 / figures["piece_s"] if figures["piece_s"] else 0.0
    fast, slow = report["llama.cpp"], report["transformers"]
    ratios = {key: slow[key] / fast[key] for key in ("prefill_s", "piece_s", "total_s") if fast[key]}
    json.dump({"runtimes": report, "transformers_over_llama_cpp": ratios}, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
