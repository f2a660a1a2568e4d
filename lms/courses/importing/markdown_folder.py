"""The project's own authoring format: a folder of Markdown with front matter. docs/authoring.md describes it."""

import re
from pathlib import Path

from django.utils.text import slugify

from lms.courses.importing.errors import BrokenSource
from lms.courses.importing.folder import SourceFolder
from lms.courses.importing.front_matter import Document, read_document
from lms.courses.importing.ledger import Ledger, Outcome
from lms.courses.importing.markdown_items import READERS
from lms.courses.importing.markdown_page import Page
from lms.courses.importing.media import Shelf
from lms.courses.importing.source import SourceCourse, SourceItem, SourceModule

COURSE_FILE = "course.md"
MODULE_FILE = "module.md"
LEVELS = ("introductory", "intermediate", "advanced")
MODULE_TYPES = ("unit", "chapter", "lesson", "topic", "section", "lab", "quiz", "other")
_NUMBER = re.compile(r"(\d+)[-_. ]+(?=.)")


def read_markdown_folder(root: Path, ledger: Ledger) -> SourceCourse:
    return _Reader(SourceFolder(root), ledger).read()


def name_without_number(name: str) -> str:
    return _NUMBER.sub("", name, count=1) if _NUMBER.match(name) else name


def _order(path: Path) -> tuple[float, str]:
    """By the number in front, then by name; what has no number comes last."""
    number = _NUMBER.match(path.name)
    return (int(number[1]) if number else float("inf"), path.name)


class _Reader:
    def __init__(self, folder: SourceFolder, ledger: Ledger) -> None:
        self.folder = folder
        self.ledger = ledger
        self.shelf = Shelf(folder, ledger)

    def read(self) -> SourceCourse:
        document = read_document(self.folder, COURSE_FILE)
        fields, page = document.fields, self._page(document)
        title = fields.text("title")
        slug = fields.text("slug", slugify(title))
        course = SourceCourse(
            key=f"markdown:{fields.text('id', slug)}",
            code=fields.text("code"),
            title=title,
            slug=slug,
            level=fields.choice("level", LEVELS, "introductory"),
            language=fields.text("language", "en"),
            subject=fields.text("subject", ""),
            description=page.markdown(page.body),
            objectives=fields.texts("objectives"),
            root=SourceModule(key="course", origin=COURSE_FILE, kind="course", type="course_root", title=title),
        )
        fields.finish()
        self.ledger.record_taken(COURSE_FILE, "course", page.losses)
        self._read_modules("", course.root)
        course.files = self.shelf.files
        self._name_the_rest()
        return course

    def _page(self, document: Document) -> Page:
        return Page(self.folder, self.shelf, document.fields, document.body)

    def _read_modules(self, path: str, parent: SourceModule) -> None:
        for entry in sorted(self.folder.children(path), key=_order):
            inner = self.folder.relative(entry)
            if not entry.is_dir():
                continue
            if self.folder.has(f"{inner}/{MODULE_FILE}"):
                parent.modules.append(self._read_module(inner, parent))
            else:
                self._check_holds_no_module(inner)

    def _check_holds_no_module(self, path: str) -> None:
        for file in self.folder.walk(path):
            if file.endswith(f"/{MODULE_FILE}"):
                raise BrokenSource(f"has no {MODULE_FILE}, but {file} stands below it.", file=path)

    def _read_module(self, path: str, parent: SourceModule) -> SourceModule:
        origin = f"{path}/{MODULE_FILE}"
        document = read_document(self.folder, origin)
        fields = document.fields
        type_ = fields.choice("type", MODULE_TYPES)
        module = SourceModule(
            key=fields.text("id", _key(path)), origin=origin, kind=type_, type=type_, title=fields.text("title")
        )
        fields.finish()
        # A module has a title and no text of its own; what stands here would be seen by nobody.
        losses = ["the text below the front matter is not shown: put it into a page"] if document.body.strip() else []
        self.ledger.record_taken(origin, type_, losses)
        for entry in sorted(self.folder.children(path), key=_order):
            if entry.suffix == ".md" and entry.name != MODULE_FILE and entry.is_file():
                module.items.append(self._read_item(self.folder.relative(entry)))
        self._read_modules(path, module)
        return module

    def _read_item(self, path: str) -> SourceItem:
        document = read_document(self.folder, path)
        fields, page = document.fields, self._page(document)
        content_type = fields.choice("type", READERS)
        item = SourceItem(
            key=fields.text("id", _key(path.removesuffix(".md"))),
            origin=path,
            kind=f"{content_type.replace('_', ' ')} item",
            content_type=content_type,
            title=fields.text("title"),
            data=READERS[content_type](page),
            answers=page.answers,
            objectives=fields.texts("objectives"),
            prompt_name=fields.text("prompt", ""),
            prompt_label=fields.text("prompt_label", ""),
        )
        fields.finish()
        self.ledger.record_taken(path, item.kind, page.losses)
        return item

    def _name_the_rest(self) -> None:
        for path in self.folder.walk():
            if path not in self.ledger and path not in self.folder.texts_read:
                kind = "page" if path.endswith(".md") else "file"
                reason = "its folder is not a module" if kind == "page" else "no page uses it"
                self.ledger.record(path, kind, Outcome.NOT_MAPPED, reason)


def _key(path: str) -> str:
    return "/".join(name_without_number(part) for part in path.split("/"))
