"""A course as its source has it: plain values, of whatever format they were read."""

import shutil
import weakref
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO


@dataclass(frozen=True)
class SourceFile:
    """`path` is the name that lessons use; the bytes are at `location`, or here where they were converted."""

    path: str
    media_type: str
    size_bytes: int
    sha256: str
    location: Path
    content: bytes | None = None

    def open(self) -> BinaryIO:
        return self.location.open("rb") if self.content is None else BytesIO(self.content)


@dataclass
class SourceItem:
    """`data` is what the content type's schema describes; `answers` is the answer key of a quiz.

    `key` names the item across imports of its course; `origin` is where it stands in the source, for people.
    """

    key: str
    origin: str
    kind: str
    content_type: str
    title: str
    data: dict[str, Any]
    objectives: list[str] = field(default_factory=list)
    answers: dict[str, Any] | None = None
    prompt_name: str = ""
    prompt_label: str = ""
    # Taken in but hidden from students: nothing to show, or for staff only.
    is_draft: bool = False


@dataclass
class SourceModule:
    """`type` is one of `Module.Type`; `modules` and `items` are in their order."""

    key: str
    origin: str
    kind: str
    type: str
    title: str
    available_from: datetime | None = None
    modules: list["SourceModule"] = field(default_factory=list)
    items: list[SourceItem] = field(default_factory=list)

    def walk(self) -> Iterator["SourceModule"]:
        """This module and all below it, parents first, in order."""
        yield self
        for module in self.modules:
            yield from module.walk()


@dataclass
class SourceCourse:
    """`key` names the source across imports: a second import of the same key updates the same course.

    `level` and `subject` are empty where the source does not say.
    """

    key: str
    code: str
    title: str
    slug: str
    root: SourceModule
    level: str = ""
    language: str = "en"
    subject: str = ""
    description: str = ""
    objectives: list[str] = field(default_factory=list)
    files: list[SourceFile] = field(default_factory=list)
    _release: "weakref.finalize[Any, Any] | None" = field(default=None, repr=False)

    def items(self) -> Iterator[tuple[SourceModule, SourceItem]]:
        for module in self.root.walk():
            for item in module.items:
                yield module, item

    def counts(self) -> dict[str, int]:
        """How many of each kind there are, in the source's words: modules from above, then items, then files."""
        modules = [module.kind for module in self.root.walk() if module is not self.root]
        items = [item.kind for _, item in self.items()]
        return dict(Counter([*modules, *items, *("file" for _ in self.files)]))

    def own_folder(self, folder: Path) -> None:
        """Remove this unpacked folder with the course: by `close()`, or at the latest when it is forgotten."""
        self._release = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def close(self) -> None:
        if self._release is not None:
            self._release()
