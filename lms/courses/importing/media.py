"""Which files a course may carry: known by their content, with an extension that agrees."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from lms.courses.importing.captions import BadCaptions, convert_to_vtt, is_vtt
from lms.courses.importing.errors import ImportRefused
from lms.courses.importing.folder import MAX_TEXT_BYTES, SourceFolder
from lms.courses.importing.ledger import Ledger, Outcome
from lms.courses.importing.safe_xml import parse_xml
from lms.courses.importing.source import SourceFile

MAX_FILE_BYTES = 500_000_000
# As long as `MediaAsset.path` may be.
MAX_PATH_CHARACTERS = 400

IMAGES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
BINARY = {
    **IMAGES,
    "webm": "video/webm",
    "mp4": "video/mp4",
    "pdf": "application/pdf",
    "zip": "application/zip",
}
TEXT = {
    "svg": "image/svg+xml",
    "vtt": "text/vtt",
    "srt": "text/plain",
    "txt": "text/plain",
    "csv": "text/csv",
    "py": "text/x-python",
    "ipynb": "application/x-ipynb+json",
}

# First bytes of each binary kind, by offset. Sources: the formats' own specifications.
SIGNATURES: list[tuple[int, bytes, str]] = [
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (4, b"ftyp", "video/mp4"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
]


class NotAccepted(Exception):
    """A file that a course may not carry; the text says why, for the ledger."""


def extension(path: str) -> str:
    return path.rpartition(".")[2].lower() if "." in path else ""


def accepted_media_type(place: Path, path: str) -> str:
    """The media type of a file, from its content; raises `NotAccepted` where it is not one that courses carry."""
    ending = extension(path)
    if ending in TEXT:
        check = TEXT_CHECKS.get(ending)
        text = read_text(place)
        if check:
            check(text, path)
        return TEXT[ending]
    if ending not in BINARY:
        raise NotAccepted(f"files of the kind .{ending} are not taken in" if ending else "its kind is not known")
    with place.open("rb") as file:
        head = file.read(16)
    found = next((kind for at, magic, kind in SIGNATURES if head[at : at + len(magic)] == magic), "")
    # Cameras and editors often save one picture format under another's name; browsers show both.
    if found == BINARY[ending] or (found in IMAGES.values() and ending in IMAGES):
        return found
    raise NotAccepted(f"its content is not what .{ending} promises")


def read_text(place: Path) -> str:
    if place.stat().st_size > MAX_TEXT_BYTES:
        raise NotAccepted(f"it is larger than {MAX_TEXT_BYTES // 1_000_000} MB")
    try:
        text = place.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotAccepted("it is not UTF-8 text") from None
    if "\0" in text:
        raise NotAccepted("it is not text")
    return text


def _check_svg(text: str, path: str) -> None:
    try:
        root = parse_xml(text, file=path)
    except ImportRefused as error:
        raise NotAccepted(str(error)) from None
    if root.tag not in ("svg", "{http://www.w3.org/2000/svg}svg"):
        raise NotAccepted("it is not an SVG picture")


def _check_vtt(text: str, path: str) -> None:
    if not is_vtt(text):
        raise NotAccepted("it is not WebVTT")


def _check_notebook(text: str, path: str) -> None:
    try:
        is_notebook = "cells" in json.loads(text)
    except (ValueError, TypeError, RecursionError):
        is_notebook = False
    if not is_notebook:
        raise NotAccepted("it is not a notebook")


TEXT_CHECKS: dict[str, Callable[[str, str], None]] = {
    "svg": _check_svg,
    "vtt": _check_vtt,
    "ipynb": _check_notebook,
}


class Shelf:
    """The files that a course's items use, each taken in once."""

    def __init__(self, folder: SourceFolder, ledger: Ledger) -> None:
        self._folder = folder
        self._ledger = ledger
        self._taken: dict[str, SourceFile] = {}
        self._refused: dict[str, str] = {}

    @property
    def files(self) -> list[SourceFile]:
        return list(self._taken.values())

    def take(self, source: str, path: str) -> str:
        """Take in the file at `source` under the media path `path`; "" when taken, else why it was refused."""
        return self._admit(source, path, self._read)

    def take_captions(self, source: str, path: str) -> str:
        """As `take`, converted to WebVTT; `path` should be a `captions_path`."""
        return self._admit(source, path, self._convert)

    def _admit(self, source: str, path: str, read: Callable[[str, str], SourceFile]) -> str:
        if path in self._taken or path in self._refused:
            return self._refused.get(path, "")
        try:
            if len(path) > MAX_PATH_CHARACTERS:
                raise NotAccepted("its path is too long")
            self._taken[path] = read(source, path)
        except NotAccepted as reason:
            self._refused[path] = str(reason)
            self._ledger.record(source, "file", Outcome.REFUSED, str(reason))
            return str(reason)
        self._ledger.record(source, "file", Outcome.MAPPED)
        return ""

    def _read(self, source: str, path: str) -> SourceFile:
        place = self._folder.locate(source)
        size_bytes = place.stat().st_size
        if size_bytes > MAX_FILE_BYTES:
            raise NotAccepted(f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB")
        media_type = accepted_media_type(place, path)
        with place.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return SourceFile(path, media_type, size_bytes, sha256, place)

    def _convert(self, source: str, path: str) -> SourceFile:
        place = self._folder.locate(source)
        try:
            content = convert_to_vtt(read_text(place), source).encode()
        except BadCaptions as error:
            raise NotAccepted(str(error)) from None
        return SourceFile(path, "text/vtt", len(content), hashlib.sha256(content).hexdigest(), place, content)


def captions_path(path: str) -> str:
    """The media path of captions after their conversion: film.srt and subs.srt.sjson become .vtt."""
    return path.removesuffix(".sjson").removesuffix(".srt").removesuffix(".vtt") + ".vtt"
