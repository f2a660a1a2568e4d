"""Files of a source, read so that nothing outside its folder can be reached."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from lms.courses.importing.errors import BrokenSource, ImportRefused, MissingFile, TooLarge, UnsafeSource

MAX_TEXT_BYTES = 5_000_000


class SourceFolder:
    def __init__(self, root: Path) -> None:
        # The folder itself may be reached by a link; below it no link is followed.
        self.root = root.resolve()
        # Every text that was asked for, so that a reader can name the files that nothing asked for.
        self.texts_read: set[str] = set()

    def locate(self, path: str, *, named_by: str = "") -> Path:
        """Where a path from the folder's root is, whether or not something is there."""
        parts = PurePosixPath(path).parts
        if "\0" in path or "\\" in path or path.startswith("/") or ".." in parts:
            raise UnsafeSource(f"the path {path!r} leads out of the course.", file=named_by)
        place = self.root
        for part in parts:
            place = place / part
            if self._is_link(place, path, named_by):
                raise UnsafeSource(f"{place.relative_to(self.root)} is a link; links are not followed.", file=named_by)
        return place

    @staticmethod
    def _is_link(place: Path, path: str, named_by: str) -> bool:
        try:
            return place.is_symlink()
        except OSError:
            # Such as a name that is longer than file systems have.
            raise UnsafeSource(f"the path {path[:80]!r} cannot be one of a file.", file=named_by) from None

    def has(self, path: str, *, named_by: str = "") -> bool:
        return self.locate(path, named_by=named_by).is_file()

    def require(self, path: str, *, named_by: str, words: str) -> None:
        """Refuse a file that is not there, with the line where these words of another file name it."""
        if not self.has(path, named_by=named_by):
            line = line_of(self.read_text(named_by), words)
            raise MissingFile(f"{path} is named here but is not there.", file=named_by, line=line)

    def read_text(self, path: str) -> str:
        """The UTF-8 text of a file, without a byte order mark."""
        if not self.has(path):
            raise MissingFile("is not there.", file=path)
        self.texts_read.add(path)
        with self.locate(path).open("rb") as file:
            content = file.read(MAX_TEXT_BYTES + 1)
        if len(content) > MAX_TEXT_BYTES:
            raise TooLarge(f"is larger than {MAX_TEXT_BYTES // 1_000_000} MB.", file=path)
        try:
            return content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise BrokenSource("is not UTF-8 text.", file=path, line=line) from None

    def children(self, path: str = "") -> list[Path]:
        """Entries of a folder by name, hidden ones left out."""
        place = self.locate(path) if path else self.root
        return sorted((entry for entry in self._scan(place) if not entry.name.startswith(".")), key=lambda p: p.name)

    def _scan(self, place: Path) -> Iterator[Path]:
        try:
            entries = list(os.scandir(place))
        except OSError as error:
            raise ImportRefused(f"cannot be read: {error.strerror}.", file=self.relative(place)) from None
        for entry in entries:
            if entry.is_symlink():
                raise UnsafeSource("is a link; links are not followed.", file=self.relative(Path(entry.path)))
            yield Path(entry.path)

    def walk(self, path: str = "") -> Iterator[str]:
        """Paths of all files below, sorted, hidden ones left out."""
        for entry in self.children(path):
            inner = self.relative(entry)
            if entry.is_dir():
                yield from self.walk(inner)
            elif entry.is_file():
                yield inner

    def relative(self, place: Path) -> str:
        return place.relative_to(self.root).as_posix()


def join(base: str, relative: str, *, named_by: str) -> str:
    """A path from the root, of a path written in a file of the folder `base`; one that climbs out is refused."""
    parts = list(PurePosixPath(base).parts)
    if relative.startswith("/") or "\\" in relative or "\0" in relative:
        raise UnsafeSource(f"the path {relative!r} is not relative to the file that names it.", file=named_by)
    for part in PurePosixPath(relative).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            raise UnsafeSource(f"the path {relative!r} leads out of the course.", file=named_by)
    return "/".join(parts)


def line_of(text: str, needle: str) -> int | None:
    """The one-based line where the needle first stands."""
    at = text.find(needle)
    return None if at < 0 else text.count("\n", 0, at) + 1
