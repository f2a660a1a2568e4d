import re
from functools import cache
from html import escape
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lms.courses.markdown.cleaning import well_formed
from lms.courses.markdown.inline import inline_text
from lms.courses.markdown.parser import markdown_parser, render_rule, storable

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = ("blockquote", "details", "div", "dl", "dt", "figcaption", "figure", "hr", "p", "pre", "summary", "table")
_PARAGRAPH_TAGS = frozenset(_HEADINGS + _BLOCKS)
_LINE_TAGS = frozenset(("br", "caption", "dd", "tr"))
_LIST_TAGS = frozenset(("ol", "ul"))
_CELL_TAGS = frozenset(("td", "th"))


def plain_text(source: str, *, format: str) -> str:
    """The words of a "markdown" or "html" text, for the tutor's context and for search.

    Paragraphs have a blank line between them; list items, table rows and code lines a line each; formulas stay LaTeX.
    """
    if format == "html":
        return _words(well_formed(storable(source)))
    if format == "markdown":
        return _words(_parser().render(storable(source)))
    raise ValueError(f"unknown text format {format!r}")


def _words(well_formed_html: str) -> str:
    reader = _Reader()
    reader.feed(well_formed_html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._paragraphs: list[list[str]] = [[]]
        self._line: list[str] = []
        self._listings_open = 0
        self._rows_open = 0
        # For each open list the number of its next item, or None for one without numbers.
        self._lists: list[int | None] = []
        self._marker = ""

    def text(self) -> str:
        self._end_line()
        return "\n\n".join("\n".join(lines).rstrip("\n") for lines in self._paragraphs if lines)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self._add(dict(attrs).get("alt") or "")
        elif tag in _CELL_TAGS:
            self._line += [" | "] if self._line else []
        elif tag == "li":
            self._start_item()
        else:
            self._break_for(tag)
            self._enter(tag, dict(attrs).get("start") or "1")

    def handle_endtag(self, tag: str) -> None:
        if tag in _LIST_TAGS:
            self._lists.pop()
        self._rows_open -= tag == "tr"
        self._break_for(tag)
        self._listings_open -= tag == "pre"

    def handle_data(self, data: str) -> None:
        first, *others = data.split("\n") if self._listings_open else [re.sub(r"\s+", " ", data)]
        self._add(first)
        for line in others:
            self._end_line()
            self._add(line)

    def _enter(self, tag: str, start: str) -> None:
        if tag in _LIST_TAGS:
            self._lists.append((int(start) if re.fullmatch(r"\d{1,9}", start) else 1) if tag == "ol" else None)
        self._listings_open += tag == "pre"
        self._rows_open += tag == "tr"

    def _break_for(self, tag: str) -> None:
        """A nested list goes on in its item's paragraph; what stands in a table's cell stays in its row."""
        if self._rows_open:
            self._add(" " if tag in _PARAGRAPH_TAGS or tag in _LINE_TAGS else "")
        elif tag in _PARAGRAPH_TAGS or (tag in _LIST_TAGS and not self._lists):
            self._end_line()
            self._paragraphs.append([])
        elif tag in _LINE_TAGS or tag in _LIST_TAGS:
            self._end_line()

    def _start_item(self) -> None:
        self._end_line()
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        indent = "  " * (len(self._lists) - 1)
        self._marker = f"{indent}- " if number is None else f"{indent}{number}. "

    def _add(self, words: str) -> None:
        if not self._line and not self._listings_open:
            words = words.lstrip()
        if words.strip() and self._marker:
            self._line.append(self._marker)
            self._marker = ""
        if words:
            self._line.append(words)

    def _end_line(self) -> None:
        line, self._line = "".join(self._line), []
        line = line.rstrip() if self._listings_open else re.sub(r"(?<=\S) {2,}", " ", line).rstrip()
        if line or (self._listings_open and self._paragraphs[-1]):
            self._paragraphs[-1].append(line)


@cache
def _parser() -> MarkdownIt:
    parser = markdown_parser()
    for name in ("math_inline", "math_inline_double"):
        parser.add_render_rule(name, render_rule(lambda token: escape(inline_text([token]))))
    parser.add_render_rule("math_block", render_rule(_formula_source))
    for name in ("fence", "code_block"):
        parser.add_render_rule(name, render_rule(lambda token: f"<pre>{escape(token.content)}</pre>\n"))
    return parser


def _formula_source(token: Token) -> str:
    return f"<pre>$${escape(token.content.strip())}$$</pre>\n"
