"""Feed broken documents to every parser and to the reader of claims: no crash, no hang, no memory above 1 GiB.

    python benchmarks/fuzz.py [--minutes 10] [--formats pdf docx ...] [--seed 0]

Valid files are mutated (bytes flipped, cut, doubled, spliced, numbers made huge), read, and what is still text is
searched for claims. A file that cannot be read has to be refused with `DocumentError`; anything else is a fault, and
its bytes are kept in fuzz-faults/.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import io
import json
import random
import resource
import signal
import tempfile
import time
import zlib
from pathlib import Path

from ailineage.corpus import documents
from ailineage.errors import DocumentError
from ailineage.kg.building import library
from ailineage.kg.extraction import extract
from ailineage.kg.identity import Lexicon

HANG = 10
"""Seconds after which a file is taken to hang."""
TEXT = """# Models
- BERT 2018.10.11 Pre-training of Deep Bidirectional Transformers for Language Understanding
GPT-3 175 B 1750亿个
2018年6月，OpenAI 发布论文《Improving Language Understanding》，首次提出GPT模型。
RoBERTa builds on BERT (Liu et al., 2019); it has 355M parameters. 它不是基于 GPT 的。

| model | date |
|---|---|
| ViT | 2020-10-22 |

[12] Dosovitskiy, Alexey, et al. "An image is worth 16x16 words." (2020).
"""


def _pdf() -> bytes:
    lines = [line.encode("latin-1", "replace").decode("latin-1") for line in TEXT.splitlines()]
    escaped = [line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in lines]
    shown = "".join(f"({line}) Tj T*\n" for line in escaped)
    stream = zlib.compress(f"BT /F1 12 Tf 14 TL 40 780 Td\n{shown}ET".encode("latin-1"))
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + table
    return bytes(out + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start)


def _docx() -> bytes:
    import docx

    file, out = docx.Document(), io.BytesIO()
    file.add_heading("Models", 1)
    for line in TEXT.splitlines():
        file.add_paragraph(line)
    cells = file.add_table(rows=2, cols=2).rows[1].cells
    cells[0].text, cells[1].text = "ViT", "2020-10-22"
    file.save(out)
    return out.getvalue()


def seeds() -> dict[str, bytes]:
    """A valid file of each format."""
    body = "".join(f"<p>{line}</p>" for line in TEXT.splitlines())
    page = f"<html><head><meta charset='utf-8'><title>T</title></head><body><nav>a</nav>{body}</body></html>"
    rows = [json.dumps({"id": id, "title": "T", "text": TEXT}, ensure_ascii=False) for id in "ab"]
    return {
        "md": TEXT.encode(),
        "txt": TEXT.encode("gb18030"),
        "html": page.encode(),
        "jsonl": "\n".join(rows).encode(),
        "pdf": _pdf(),
        "docx": _docx(),
    }


def mutated(data: bytes, draw: random.Random) -> bytes:
    """The bytes with one to eight random changes."""
    out = bytearray(data)
    for _ in range(draw.randint(1, 8)):
        at, length = draw.randrange(len(out) + 1), draw.randint(1, 64)
        match draw.randrange(7):
            case 0 if out:
                out[at % len(out)] = draw.randrange(256)
            case 1:
                del out[at : at + length]
            case 2:
                out[at:at] = out[at : at + length] * draw.randint(1, 200)
            case 3:
                out[at:at] = draw.randbytes(length)
            case 4:
                other = draw.randrange(len(out) + 1)
                out[at:at] = out[other : other + 4 * length]
            case 5:
                out[at:at] = draw.choice((b"999999999999", b"-1", b"\x00" * 40, b"((((((", b"<div>" * 50, b"[" * 200))
            case _:
                out = out[: max(at, 1)]
    return bytes(out)


class Hang(BaseException):
    """A file that takes too long."""


def _alarm(*_: object) -> None:
    raise Hang


def main() -> None:
    """Fuzz the formats one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="for each format")
    parser.add_argument("--formats", nargs="+", default=["md", "txt", "html", "jsonl", "pdf", "docx"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, _alarm)
    known, valid, faults = library(), seeds(), 0
    lexicon = Lexicon(known.nodes.values())
    for suffix in options.formats:
        draw, counts = random.Random(options.seed), {"files": 0, "read": 0, "refused": 0, "faults": 0, "claims": 0}
        end, slowest = time.monotonic() + 60 * options.minutes, 0.0
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"file.{suffix}"
            while time.monotonic() < end:
                data = mutated(valid[suffix], draw)
                path.write_bytes(data)
                counts["files"] += 1
                began = time.monotonic()
                signal.alarm(HANG)
                try:
                    for document in documents.read(path, path.name):
                        counts["claims"] += len(extract(document, lexicon, known.nodes).claims)
                    counts["read"] += 1
                except DocumentError:
                    counts["refused"] += 1
                except (Exception, Hang) as error:
                    counts["faults"] += 1
                    kept = Path("fuzz-faults") / f"{suffix}-{counts['faults']}.{suffix}"
                    kept.parent.mkdir(exist_ok=True)
                    kept.write_bytes(data)
                    print(f"  {kept}: {type(error).__name__}: {error}", flush=True)
                finally:
                    signal.alarm(0)
                slowest = max(slowest, time.monotonic() - began)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        said = "  ".join(f"{name} {count}" for name, count in counts.items())
        print(f"{suffix:6} {said}  slowest {slowest:.2f} s  peak {peak:.0f} MiB", flush=True)
        faults += counts["faults"]
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
