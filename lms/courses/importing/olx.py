"""Open edX courses (OLX): the tree with its html and video components; everything else is named in the ledger."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element

from django.utils.dateparse import parse_datetime
from django.utils.text import slugify

from lms.courses.importing.errors import BrokenSource
from lms.courses.importing.folder import SourceFolder
from lms.courses.importing.ledger import Ledger, Outcome
from lms.courses.importing.media import Shelf
from lms.courses.importing.olx_definitions import COURSE_FILE, Block, Definitions
from lms.courses.importing.olx_html import read_html
from lms.courses.importing.olx_static import STATIC, Statics
from lms.courses.importing.olx_video import read_video
from lms.courses.importing.source import SourceCourse, SourceItem, SourceModule
from lms.courses.markdown import plain_text

# The levels of a course, outermost first, and what each is called here. A level may be left out, never turned around.
MODULE_TYPES = {"chapter": "chapter", "sequential": "section", "vertical": "lesson"}
_LEVELS = ("course", *MODULE_TYPES)
_NOT_IN_TREE = {
    "about": "pages about the course are not imported, but for the short description",
    "info": "updates and handouts are not imported",
    "tabs": "pages beside the course are not imported",
    "policies": "policies are read for titles and dates only",
    "assets": "lists of files are not needed",
    STATIC: "no imported page uses it",
}


def read_olx(root: Path, ledger: Ledger) -> SourceCourse:
    return _Reader(SourceFolder(root), ledger).read()


@dataclass(frozen=True)
class _Place:
    """Where in the tree an element stands; what is hidden hides all below it."""

    module: SourceModule
    tag: str
    why_hidden: str = ""


class _Reader:
    def __init__(self, folder: SourceFolder, ledger: Ledger) -> None:
        self.folder = folder
        self.ledger = ledger
        self.shelf = Shelf(folder, ledger)
        self.definitions = Definitions(folder)

    def read(self) -> SourceCourse:
        block = self.definitions.course()
        organisation, code, run = block.get("org"), block.get("course"), block.key.partition("/")[2]
        if not code:
            raise BrokenSource("the course has no number (the attribute `course`).", file=COURSE_FILE, line=1)
        course_id = f"{organisation}+{code}+{run}"
        title = block.title or code
        self.language = block.get("language") or "en"
        self.statics = Statics(self.folder, self.shelf, course_id)
        root = SourceModule(key=block.key, origin=block.key, kind="course", type="course_root", title=title)
        self.ledger.record_taken(block.key, "course", [])
        self._read_children(block, _Place(root, block.tag))
        course = SourceCourse(
            key=f"olx:{course_id}",
            code=code,
            title=title,
            slug=slugify(title)[:80].strip("-") or slugify(code),
            root=root,
            language=self.language,
            description=self._description(),
            files=self.shelf.files,
        )
        self._name_the_rest()
        return course

    def _description(self) -> str:
        """The short one is plain text, the long one a page; a course has either, both or none."""
        for name in ("short_description", "overview"):
            path = f"about/{name}.html"
            words = plain_text(self.folder.read_text(path), format="html").strip() if self.folder.has(path) else ""
            if words:
                self.ledger.record(path, "about", Outcome.MAPPED)
                return words
        return ""

    def _read_children(self, block: Block, place: _Place) -> None:
        for key, child in block.children():
            if child.tag not in (*MODULE_TYPES, "html", "video"):
                what = "problems are" if child.tag == "problem" else "elements of this kind are"
                self.ledger.record(key, child.tag, Outcome.NOT_MAPPED, f"{what} not imported yet")
            elif key in self.ledger:
                reason = "stands in the course twice; its first place counts"
                self.ledger.record(f"{key} in {block.key}", child.tag, Outcome.REFUSED, reason)
            elif child.tag in MODULE_TYPES:
                self._read_module(key, child, block, place)
            else:
                self._read_item(key, child, block, place)

    def _read_module(self, key: str, element: Element, parent: Block, place: _Place) -> None:
        if _LEVELS.index(element.tag) <= _LEVELS.index(place.tag):
            reason = f"a {element.tag} inside a {place.tag} is not imported"
            self.ledger.record(key, element.tag, Outcome.NOT_MAPPED, reason)
            return
        block = self.definitions.block(key, element, parent.file)
        losses: list[str] = []
        module = SourceModule(
            key=key,
            origin=key,
            kind=element.tag,
            type=MODULE_TYPES[element.tag],
            title=block.title or element.tag.capitalize(),
            available_from=_start(block, losses),
        )
        place.module.modules.append(module)
        why_hidden = _why_hidden(block) or place.why_hidden
        if block.get("due"):
            losses.append("its due date is not imported")
        if _why_hidden(block):
            losses.append(f"its pages are drafts, because it was {why_hidden}")
        self.ledger.record_taken(key, element.tag, losses)
        self._read_children(block, _Place(module, element.tag, why_hidden))

    def _read_item(self, key: str, element: Element, parent: Block, place: _Place) -> None:
        block = self.definitions.block(key, element, parent.file)
        item = SourceItem(
            key=key,
            origin=key,
            kind=f"{element.tag} item",
            content_type="text",
            title=block.title or place.module.title,
            data={},
        )
        losses = self._fill(item, block)
        why_hidden = _why_hidden(block) or place.why_hidden
        if why_hidden:
            item.is_draft = True
            losses.append(f"it was {why_hidden}, so it is a draft that students do not see")
        if not item.data:
            self.ledger.record(key, item.kind, Outcome.REFUSED, "; ".join(losses))
            return
        place.module.items.append(item)
        self.ledger.record_taken(key, item.kind, losses)

    def _fill(self, item: SourceItem, block: Block) -> list[str]:
        """Give the item its content; returns what is lost. Without data there is nothing to take in."""
        if block.tag == "video":
            video = read_video(block.element, self.statics, self.language)
            item.content_type, item.data = video.content_type, video.data
            return video.losses
        page = read_html(self.definitions.page(block), self.statics)
        item.data = {"format": "html", "body": page.body}
        item.is_draft = page.is_empty
        return page.losses

    def _name_the_rest(self) -> None:
        for path in self.folder.walk():
            kind, _, name = path.partition("/")
            is_known = path in self.ledger or path in self.folder.texts_read
            if is_known or not name or f"{kind}/{name.rpartition('.')[0]}" in self.ledger:
                continue
            reason = _NOT_IN_TREE.get(kind, "no imported part of the course names it")
            self.ledger.record(path, "file" if kind == STATIC else kind, Outcome.NOT_MAPPED, reason)


def _why_hidden(block: Block) -> str:
    if block.get("visible_to_staff_only").lower() == "true":
        return "for staff only"
    return "for some content groups only" if block.get("group_access") not in ("", "{}", "null") else ""


def _start(block: Block, losses: list[str]) -> datetime | None:
    """When the module opens. Courses carry a date of their own, which belongs to an offering here."""
    text = block.get("start").strip('"')
    if not text:
        return None
    try:
        start = parse_datetime(text)
    except ValueError:
        start = None
    if start is None:
        losses.append("its start date cannot be read")
        return None
    return start if start.tzinfo else start.replace(tzinfo=UTC)
