"""Read documents of every supported format into normalised text.

The stored text is what every span refers to: Unicode NFC, line ends as \\n, no control characters. Encodings are
detected; what was read other than as UTF-8 is said so in `Document.encoding`.
"""

from __future__ import annotations

import hashlib
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from ailineage.errors import DocumentError

SUFFIXES = (".md", ".markdown", ".txt", ".html", ".htm", ".pdf", ".docx", ".jsonl")
LIMIT = 64 * 2**20
"""Largest file read, in bytes."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text and where it came from. `id` is unique in a workspace; `language` is `en` or `zh`."""

    id: str
    title: str
    text: str
    language: str
    source: str
    sha256: str
    encoding: str = "utf-8"


def language_of(text: str) -> str:
    """`zh` where a fifth or more of the letters are Chinese characters, else `en`."""
    han = len(re.findall(r"[\u3400-\u9fff]", text))
    latin = len(re.findall(r"[A-Za-z]+", text))
    return "zh" if han and han >= 0.25 * (han + latin) else "en"


def normalise(text: str) -> str:
    """The text as it is stored: NFC, \\n line ends, no control characters, no more than one blank line."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = re.sub(r"[^\S\n]", " ", text)
    text = "".join(c for c in text if c == "\n" or unicodedata.category(c)[0] != "C" or c == "\u200d")
    return re.sub(r"\n[ ]*\n(?:[ ]*\n)+", "\n\n", text).strip()


_ADVERT = re.compile(r"https?:|www\.|[a-z]\.(?:com|cn|net|org)\b|来源|源自|转载|版权|原文|copyright|©|all rights", re.I)
_SUFFIX = range(120, 11, -1)  # lengths of a repeated line end that are looked for, the longest first


def without_boilerplate(text: str) -> str:
    """A text without what a page repeats at the end of its paragraphs: an advertisement, a source, a copyright line.

    It is taken for boilerplate if every tenth line ends in it, at least five do, and it has an address or a word of
    that sort in it.
    """
    lines = text.split("\n")
    needed = max(5, sum(1 for line in lines if line.strip()) // 10)
    for length in _SUFFIX:
        ends = Counter(line.rstrip()[-length:] for line in lines if len(line.rstrip()) >= length)
        end, count = ends.most_common(1)[0] if ends else ("", 0)
        if count >= needed and (advert := _ADVERT.search(end)):
            end = re.split(r"[。！？!?；]|\.\s", end[: advert.start()])[-1] + end[advert.start() :]
            lines = [line.rstrip()[: -len(end)] if line.rstrip().endswith(end) else line for line in lines]
            return without_boilerplate("\n".join(lines))
    return text


def paths(arguments: Iterable[str | Path]) -> dict[Path, str]:
    """The files that paths, folders and globs name, in a stable order, with the id each document gets.

    The id is the path below the folder that was named, or the file's name.

    Raises:
        DocumentError: if an argument names nothing that can be read, or two files would get one id.
    """
    found: dict[Path, str] = {}
    for argument in arguments:
        path = Path(argument).expanduser()
        if path.is_dir():
            inside = [p for p in sorted(path.rglob("*")) if p.is_file() and p.suffix.lower() in SUFFIXES]
            if not inside:
                raise DocumentError(f"{path}: no document in this folder; supported are {', '.join(SUFFIXES)}")
        elif path.is_file():
            if path.suffix.lower() not in SUFFIXES:
                raise DocumentError(f"{path}: unsupported format; supported are {', '.join(SUFFIXES)}")
            inside = [path]
        elif has_magic(str(argument)):
            inside = [p for p in map(Path, sorted(glob(str(path), recursive=True))) if p.is_file()]
            if not inside:
                raise DocumentError(f"{argument}: no file matches this pattern")
        else:
            raise DocumentError(f"{path}: no such file or folder")
        for file in inside:
            found[file] = file.relative_to(path).as_posix() if path.is_dir() else file.name
    owners: dict[str, Path] = {}
    for file, id in found.items():
        if (other := owners.setdefault(id, file)) != file and other.read_bytes() != file.read_bytes():
            raise DocumentError(f"{file}: another file, {other}, has the same name; rename one or name their folder")
    return found


def read(path: Path, id: str | None = None) -> Iterator[Document]:
    """The documents in a file: one, called `id` or by its file name, or for jsonl one a line.

    Raises:
        DocumentError: if the file is missing, empty, binary, too large, damaged or cannot be decoded.
    """
    try:
        size = path.stat().st_size
        if size > LIMIT:
            raise DocumentError(f"{path}: {size / 2**20:.0f} MB is over the limit of {LIMIT // 2**20} MB; split it")
        data = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror}") from None
    if not data.strip():
        raise DocumentError(f"{path}: the file is empty")
    reader: Callable[[Path, bytes, str], Iterator[Document]] = _READERS[path.suffix.lower()]
    documents = 0
    for document in reader(path, data, id or path.name):
        documents += 1
        yield document
    if not documents:
        raise DocumentError(f"{path}: no text in this file")


def _document(path: Path, id: str, title: str | None, text: str, encoding: str) -> Document:
    stored = normalise(without_boilerplate(text))
    if not stored:
        raise DocumentError(f"{path}: no text in this file")
    first = next((line.strip("# ").strip() for line in stored.splitlines() if line.strip("# ").strip()), path.stem)
    digest = hashlib.sha256(stored.encode()).hexdigest()
    return Document(id, title or first[:120], stored, language_of(stored), str(path), digest, encoding)


def decode(path: Path, data: bytes) -> tuple[str, str]:
    """Text and encoding of a byte string: UTF-8, UTF-16 by its mark, or what the bytes look like (GB18030, Big5...).

    Raises:
        DocumentError: if the bytes are no text.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            try:
                return data.decode(encoding), encoding
            except UnicodeDecodeError:
                raise DocumentError(f"{path}: marked as {encoding} but damaged") from None
    if b"\0" in data:
        raise DocumentError(f"{path}: a binary file, not text; supported are {', '.join(SUFFIXES)}")
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        fault = error
    try:
        text = data.decode("gb18030")
        common = len(re.findall(r"[\u4e00-\u9fff，。、：；！？“”（）《》]", text))
        if common >= 0.7 * sum(not c.isascii() for c in text):
            return text, "gb18030"
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    best = from_bytes(data).best()
    if best is None or best.encoding == "utf_8":
        raise DocumentError(f"{path}: not valid UTF-8 (byte {fault.start}) and no other encoding fits; save as UTF-8")
    return str(best), best.encoding


def _plain(path: Path, data: bytes, id: str) -> Iterator[Document]:
    text, encoding = decode(path, data)
    yield _document(path, id, None, text, encoding)


def _html(path: Path, data: bytes, id: str) -> Iterator[Document]:
    import trafilatura

    text, encoding = decode(path, data)
    body = trafilatura.extract(text, output_format="markdown", include_tables=True, include_comments=False)
    if not body:
        raise DocumentError(f"{path}: no readable text in this page")
    found = trafilatura.extract_metadata(text)
    yield _document(path, id, found.title if found else None, body, encoding)


def _pdf(path: Path, data: bytes, id: str) -> Iterator[Document]:
    from io import BytesIO

    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its warnings are about repairs nobody asked for
    try:
        reader = PdfReader(BytesIO(data))
        text = "\n\n".join(page.extract_text() for page in reader.pages)
        title = reader.metadata.title if reader.metadata else None
    except Exception as error:
        raise DocumentError(f"{path}: not a readable PDF: {error}") from None
    if not text.strip():
        raise DocumentError(f"{path}: no text in this PDF; if it is a scan, run OCR first")
    yield _document(path, id, title, text, "pdf")


def _docx(path: Path, data: bytes, id: str) -> Iterator[Document]:
    from io import BytesIO

    import docx

    lines: list[str] = []
    try:
        file = docx.Document(BytesIO(data))
        for block in file.iter_inner_content():
            if isinstance(block, docx.table.Table):
                lines += [" | ".join(cell.text for cell in row.cells) for row in block.rows]
            else:
                style = (block.style.name if block.style else None) or ""
                level = int(style[-1]) if re.fullmatch(r"Heading \d", style) else 0
                lines.append("#" * level + " " * bool(level) + block.text)
        title = file.core_properties.title or None
    except Exception as error:
        raise DocumentError(f"{path}: not a readable docx file: {error}") from None
    yield _document(path, id, title, "\n".join(lines), "docx")


def _jsonl(path: Path, data: bytes, id: str) -> Iterator[Document]:
    import orjson

    text, encoding = decode(path, data)
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path}: line {number}"
        try:
            entry = orjson.loads(line)
            identity, body = str(entry["id"]), entry["text"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise DocumentError(f'{where}: write one object a line: {{"id": ..., "title": ..., "text": ...}}') from None
        if not isinstance(body, str) or not body.strip():
            raise DocumentError(f"{where}: {identity!r} has no text")
        if identity in seen:
            raise DocumentError(f"{where}: id {identity!r} stands twice in this file")
        seen.add(identity)
        yield _document(path, identity, entry.get("title"), body, encoding)


_READERS = {
    ".md": _plain,
    ".markdown": _plain,
    ".txt": _plain,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
    ".docx": _docx,
    ".jsonl": _jsonl,
}
