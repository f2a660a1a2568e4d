"""What a browser would send of a page's form, read from the page's HTML as a browser without a script reads it."""

from html.parser import HTMLParser
from typing import Any

Fields = dict[str, str]


def fields_of(html: str, form_id: str) -> Fields:
    """Name to value of everything that the form sends when its first plain button is pressed; no button's own name."""
    parser = _Forms(form_id)
    parser.feed(html)
    assert parser.was_found, f"no form {form_id}"
    return parser.fields


class _Forms(HTMLParser):
    def __init__(self, form_id: str) -> None:
        super().__init__(convert_charrefs=True)
        self.form_id, self.fields = form_id, {}
        self.was_found = self.is_inside = False
        self.templates = 0
        self.select: tuple[str, list[tuple[str, bool]]] | None = None
        self.text: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        attrs = dict(attributes)
        if tag == "form":
            self.is_inside = attrs.get("id") == self.form_id
            self.was_found |= self.is_inside
        self.templates += tag == "template"
        if not self.is_inside or self.templates:
            return
        if tag == "input":
            self._input(attrs)
        elif tag == "select":
            self.select = (attrs["name"], [])
        elif tag == "option" and self.select:
            self.select[1].append((attrs.get("value", ""), "selected" in attrs))
        elif tag == "textarea":
            self.text = (attrs["name"], [])

    def handle_endtag(self, tag: str) -> None:
        self.templates -= tag == "template"
        if tag == "form":
            self.is_inside = False
        elif tag == "select" and self.select:
            name, options = self.select
            chosen = [value for value, is_selected in options if is_selected] or [value for value, _ in options[:1]]
            self.fields |= dict.fromkeys([name], chosen[-1]) if chosen else {}
            self.select = None
        elif tag == "textarea" and self.text:
            name, pieces = self.text
            # The line end after the tag is not of the text; those in it are sent as two characters.
            text = "".join(pieces).replace("\r\n", "\n")
            self.fields[name] = text.removeprefix("\n").replace("\n", "\r\n")
            self.text = None

    def handle_data(self, data: str) -> None:
        if self.text:
            self.text[1].append(data)

    def _input(self, attrs: dict[str, str]) -> None:
        kind = attrs.get("type", "text")
        if kind in {"submit", "button", "reset", "file"} or "name" not in attrs:
            return
        if kind in {"checkbox", "radio"} and "checked" not in attrs:
            return
        self.fields[attrs["name"]] = attrs.get("value", "on" if kind in {"checkbox", "radio"} else "") or ""
