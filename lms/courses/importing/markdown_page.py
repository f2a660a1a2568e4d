"""One Markdown page of a course folder: its fields, its text, and the files that it names."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from lms.courses.importing.errors import BrokenSource
from lms.courses.importing.folder import SourceFolder, join
from lms.courses.importing.front_matter import Fields
from lms.courses.importing.markdown_references import rewrite_markdown
from lms.courses.importing.media import Shelf, captions_path
from lms.courses.importing.references import Reference, as_address


@dataclass
class Page:
    """`losses` collects what of the page its readers will not see; `answers` is a quiz's answer key."""

    folder: SourceFolder
    shelf: Shelf
    fields: Fields
    body: str
    losses: list[str] = field(default_factory=list)
    answers: dict[str, Any] | None = None

    @property
    def file(self) -> str:
        return self.fields.file

    def locate(self, relative: str, *, words: str = "") -> str:
        """The path from the course's root of a file that this page names, with these words if not by its path."""
        base = PurePosixPath(self.file).parent.as_posix()
        path = join("" if base == "." else base, relative, named_by=self.file)
        self.folder.require(path, named_by=self.file, words=words or relative)
        return path

    def media(self, name: str) -> str:
        """The media path of the file that a field names."""
        path = self.locate(self.fields.text(name))
        reason = self.shelf.take(path, path)
        if reason:
            raise self.fields.refuse(name, f"{path}: {reason}.")
        return path

    def captions(self, name: str, fields: Fields) -> str:
        path = self.locate(fields.text(name))
        reason = self.shelf.take_captions(path, captions_path(path))
        if reason:
            raise fields.refuse(name, f"{path}: {reason}.")
        return captions_path(path)

    def markdown(self, text: str) -> str:
        """The text with its addresses as media paths from the course's root."""
        return rewrite_markdown(text, self._resolve, file=self.file)

    def _resolve(self, reference: Reference) -> str:
        if reference.is_remote:
            if reference.is_embedded:
                self.losses.append(f"a link stands for the picture at {_host(reference.address)}")
            return reference.address
        if not reference.path:
            return reference.address
        if reference.path.startswith("/") and not reference.is_embedded:
            self.losses.append(f"the link to {reference.path} leads out of the course, only its words are kept")
            return ""
        path = self.locate(reference.path, words=reference.address)
        if path.endswith(".md"):
            self.losses.append(f"the link to {reference.path} leads to another page, only its words are kept")
            return ""
        reason = self.shelf.take(path, path)
        if reason:
            self.losses.append(f"{reference.path}: {reason}")
            return ""
        return as_address(path) + reference.suffix

    def required_body(self, what: str) -> str:
        if not self.body.strip():
            raise BrokenSource(f"the {what} is missing below the front matter.", file=self.file)
        return self.markdown(self.body)


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc or address[:40]
    except ValueError:
        return address[:40]
