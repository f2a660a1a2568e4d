from html import escape
from html.parser import HTMLParser

from lms.courses.markdown.cleaning import cleaner_for_lessons, well_formed
from lms.courses.markdown.headings import Outline
from lms.courses.markdown.media import LOADED_LATE, lesson_link, link_host, media_url
from lms.courses.markdown.parser import storable


def render_imported_html(source: str, *, media_prefix: str) -> str:
    """An imported page's HTML as safe HTML, to the same rules as a lesson written in Markdown."""
    rewriter = _Rewriter(media_prefix)
    rewriter.feed(well_formed(storable(source)))
    rewriter.close()
    return cleaner_for_lessons(media_prefix).clean("".join(rewriter.written))


class _Rewriter(HTMLParser):
    """Fits well-formed HTML into a lesson page: headings, wide tables, pictures. Its output is not yet clean."""

    def __init__(self, media_prefix: str) -> None:
        super().__init__(convert_charrefs=True)
        self.written: list[str] = []
        self._media_prefix = media_prefix
        self._outline = Outline()
        self._heading = ""
        # For each open link whether it was kept.
        self._links: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a":
            self._open_link(values)
        elif tag == "img":
            self.written.append(self._picture(values))
        elif tag == "table":
            self.written += ['<div class="table-scroll" tabindex="0">', _opening(tag, values)]
        elif _is_heading(tag):
            self._heading = f"h{self._outline.level(int(tag[1]))}"
            self.written.append(_opening(self._heading, values))
        else:
            self.written.append(_opening(tag, values | ({"tabindex": "0"} if tag == "pre" else {})))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.written.append("</a>" if self._links.pop() else "")
        elif tag == "table":
            self.written.append("</table></div>")
        else:
            self.written.append(f"</{self._heading if _is_heading(tag) else tag}>")

    def handle_data(self, data: str) -> None:
        self.written.append(escape(data, quote=False))

    def _open_link(self, values: dict[str, str]) -> None:
        kept = lesson_link(values.get("href", ""), self._media_prefix) is not None
        self._links.append(kept)
        self.written.append(_opening("a", values) if kept else "")

    def _picture(self, values: dict[str, str]) -> str:
        address, description = values.get("src", ""), values.get("alt", "")
        if url := media_url(address, self._media_prefix):
            return _opening("img", values | {"src": url} | LOADED_LATE)
        host = link_host(address)
        if any(self._links) or host is None:
            return escape(description)
        return f"{_opening('a', {'href': address})}{escape(description or host)}</a>"


def _is_heading(tag: str) -> bool:
    return len(tag) == 2 and tag[0] == "h" and tag[1] in "123456"


def _opening(tag: str, values: dict[str, str]) -> str:
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in values.items())
    return f"<{tag}{attributes}>"
