"""Elements of an OLX course: written in place, or as a pointer to a file of their own; and the policy over both.

OLX: https://docs.openedx.org/en/latest/educators/olx/. A pointer is an element with nothing but its `url_name`
(the topmost one with `org` and `course` too), whose definition is `<tag>/<url_name>.xml`.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from lms.courses.importing.errors import BrokenSource
from lms.courses.importing.folder import SourceFolder
from lms.courses.importing.safe_xml import inner_html, parse_xml

COURSE_FILE = "course.xml"
_POINTER_ATTRIBUTES = {"url_name", "org", "course", "slug"}
# What a policy may say of an element; the rest of it is about how Open edX runs the course.
_POLICY_ATTRIBUTES = ("display_name", "start", "due", "language", "visible_to_staff_only", "group_access")


@dataclass(frozen=True)
class Block:
    """One element with its definition read; `file` is where that is written."""

    key: str
    element: Element
    file: str

    @property
    def tag(self) -> str:
        return self.element.tag

    def get(self, name: str) -> str:
        return self.element.get(name, "").strip()

    @property
    def title(self) -> str:
        return " ".join(self.get("display_name").split())[:200].strip()

    def children(self) -> list[tuple[str, Element]]:
        """(key, element) of each child, before its definition is read."""
        return [(self._child_key(child, index), child) for index, child in enumerate(self.element)]

    def _child_key(self, child: Element, index: int) -> str:
        # What is written in place may have no name; its place in the parent has to do.
        own_name = self.key.partition("/")[2]
        return f"{child.tag}/{child.get('url_name') or f'{own_name}.{index}'}"


@dataclass
class Definitions:
    folder: SourceFolder
    _policy: dict[str, Any] = field(default_factory=dict)

    def course(self) -> Block:
        pointer = parse_xml(self.folder.read_text(COURSE_FILE), file=COURSE_FILE)
        if pointer.tag != "course":
            raise BrokenSource("does not hold a course.", file=COURSE_FILE, line=1)
        self._read_policy(pointer.get("url_name", ""))
        block = self.block(f"course/{pointer.get('url_name', '')}", pointer, COURSE_FILE)
        for name in ("org", "course"):
            block.element.set(name, pointer.get(name, "") or block.get(name))
        return block

    def block(self, key: str, element: Element, named_by: str) -> Block:
        file = named_by
        if self._is_pointer(element):
            file = f"{element.tag}/{_file_name(element.get('url_name', ''))}.xml"
            element = self._read_definition(element, file, named_by)
        policy = self._policy.get(key)
        for name, value in policy.items() if isinstance(policy, dict) else ():
            if name in _POLICY_ATTRIBUTES and value is not None:
                element.set(name, value if isinstance(value, str) else json.dumps(value))
        return Block(key, element, file)

    def page(self, block: Block) -> str:
        """The HTML of an html component: in a file of its own, or written in place."""
        name = block.get("filename")
        if not name:
            return inner_html(block.element, file=block.file)
        path = f"html/{_file_name(name)}.html"
        self.folder.require(path, named_by=block.file, words=name)
        return self.folder.read_text(path)

    def _read_definition(self, pointer: Element, file: str, named_by: str) -> Element:
        url_name = pointer.get("url_name", "")
        plain_page = file.removesuffix(".xml") + ".html"
        if pointer.tag == "html" and not self.folder.has(file) and self.folder.has(plain_page):
            # As the first versions of the format had it: a page without a definition.
            return Element("html", {"url_name": url_name, "filename": url_name})
        self.folder.require(file, named_by=named_by, words=f'"{url_name}"')
        element = parse_xml(self.folder.read_text(file), file=file)
        if element.tag != pointer.tag:
            raise BrokenSource(f"holds <{element.tag}> where <{pointer.tag}> should be.", file=file, line=1)
        return element

    def _is_pointer(self, element: Element) -> bool:
        has_content = len(element) > 0 or (element.text or "").strip()
        return "url_name" in element.attrib and not has_content and set(element.attrib) <= _POINTER_ATTRIBUTES

    def _read_policy(self, run: str) -> None:
        path = f"policies/{run}/policy.json"
        if not run or not self.folder.has(path, named_by=COURSE_FILE):
            return
        try:
            policy = json.loads(self.folder.read_text(path))
        except (ValueError, RecursionError) as error:
            raise BrokenSource("is not readable JSON.", file=path, line=getattr(error, "lineno", None)) from None
        self._policy = policy if isinstance(policy, dict) else {}


def _file_name(name: str) -> str:
    # A colon stands for a folder in names of blocks.
    return name.replace(":", "/")
