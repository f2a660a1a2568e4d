"""Finding and changing addresses in HTML, and telling what the sanitiser takes away from a page."""

import html
from collections import Counter
from html.parser import HTMLParser
from itertools import accumulate

from lms.courses.importing.references import Edit, Reference, Resolve, apply_edits

LINKS = {("a", "href"), ("area", "href")}
EMBEDDED = {
    ("img", "src"),
    ("video", "src"),
    ("video", "poster"),
    ("audio", "src"),
    ("source", "src"),
    ("track", "src"),
}
# Pages within the page. No reader sees them, so a link is put in front of each.
FRAMES = {"iframe": "src", "embed": "src", "object": "data"}
# What a loss is called, by tag. Tags that only group or decorate are not a loss.
LOSSES = {
    "script": "script",
    "style": "style sheet",
    "link": "style sheet",
    "iframe": "embedded page",
    "object": "embedded page",
    "embed": "embedded page",
    "form": "form",
    "button": "form control",
    "input": "form control",
    "select": "form control",
    "textarea": "form control",
    "video": "film",
    "audio": "sound",
    "svg": "drawing",
    "canvas": "drawing",
    "map": "image map",
}

Attributes = list[tuple[str, str | None]]


class _Rewriter(HTMLParser):
    def __init__(self, source: str, resolve: Resolve) -> None:
        super().__init__()
        self.edits: list[Edit] = []
        self._resolve = resolve
        self._starts = [0, *accumulate(len(line) + 1 for line in source.split("\n"))]

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if tag in FRAMES:
            self._link_frame(FRAMES[tag], dict(attrs))
        changed = [pair for pair in (self._attribute(tag, *pair) for pair in attrs) if pair is not None]
        text = self.get_starttag_text()
        if changed == attrs or text is None:
            return
        start = self._start()
        written = "".join(f' {name}="{html.escape(value or "")}"' for name, value in changed)
        closing = " />" if text.endswith("/>") else ">"
        self.edits.append(Edit(start, start + len(text), f"<{tag}{written}{closing}"))

    def _start(self) -> int:
        line, column = self.getpos()
        return self._starts[line - 1] + column

    def _link_frame(self, name: str, attributes: dict[str, str | None]) -> None:
        reference = Reference((attributes.get(name) or "").strip(), is_embedded=False)
        address = self._resolve(reference) if reference.address else ""
        if address:
            words = attributes.get("title") or reference.path.rstrip("/").rpartition("/")[2] or address
            link = f'<p><a href="{html.escape(address)}">{html.escape(words)}</a></p>'
            self.edits.append(Edit(self._start(), self._start(), link))

    def _attribute(self, tag: str, name: str, value: str | None) -> tuple[str, str | None] | None:
        """The attribute as it should be, or None where it goes."""
        if (tag, name) == ("img", "srcset"):
            # Its addresses would win over the one that was rewritten.
            return None
        if value is None or (tag, name) not in LINKS | EMBEDDED:
            return name, value
        # Browsers ignore blanks around an address and line breaks in it.
        address = "".join(value.split("\n")).strip()
        new = self._resolve(Reference(address, (tag, name) in EMBEDDED))
        return (name, value if new == address else new) if new else None


def rewrite_html(source: str, resolve: Resolve) -> str:
    """The same HTML with each address replaced by what `resolve` says. Raises ValueError where it is not HTML."""
    rewriter = _Rewriter(source, resolve)
    _feed(rewriter, source)
    return apply_edits(source, rewriter.edits)


class _Census(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.styles = 0
        self.handlers = 0

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self.tags[tag] += 1
        self.styles += any(name == "style" for name, _ in attrs)
        self.handlers += sum(name.startswith("on") for name, _ in attrs)


def _census(source: str) -> _Census:
    census = _Census()
    _feed(census, source)
    return census


def _feed(parser: HTMLParser, source: str) -> None:
    try:
        parser.feed(source)
        parser.close()
    except AssertionError as error:
        # How html.parser tells of a `<![` section that it does not know.
        raise ValueError(str(error)) from None


def losses(source: str, shown: str) -> list[str]:
    """What of a page does not reach its readers, such as "2 scripts", from the page and its sanitised form."""
    before, after = _census(source), _census(shown)
    lost: Counter[str] = Counter()
    for tag, name in LOSSES.items():
        lost[name] += max(0, before.tags[tag] - after.tags[tag])
    lost["style attribute"] += max(0, before.styles - after.styles)
    lost["event handler"] += max(0, before.handlers - after.handlers)
    return [f"{count} {name}{'s' if count > 1 else ''} taken out" for name, count in lost.items() if count]


def has_pictures(shown: str) -> bool:
    return bool(_census(shown).tags.keys() & {"img", "video", "audio", "svg", "math", "table"})
