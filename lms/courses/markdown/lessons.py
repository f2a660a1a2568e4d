from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from lms.courses.markdown.cleaning import cleaner_for_lessons
from lms.courses.markdown.headings import Outline
from lms.courses.markdown.inline import inline_text, rewrite_runs, words_only
from lms.courses.markdown.media import LOADED_LATE, lesson_link, link_host, media_url
from lms.courses.markdown.parser import markdown_parser, storable


def render_lesson(source: str, *, media_prefix: str) -> str:
    """A lesson's Markdown as safe HTML: headings from h2 with ids, the course's own files under `media_prefix`.

    A picture from anywhere else becomes a link with its description; a link to anywhere but the course's files, a
    heading, the web or a mailbox becomes its words.
    """
    rendered: str = _parser().render(storable(source), {"media_prefix": media_prefix})
    return cleaner_for_lessons(media_prefix).clean(rendered)


@cache
def _parser() -> MarkdownIt:
    parser = markdown_parser()
    parser.core.ruler.after("inline", "lesson_references", _place_references)
    parser.core.ruler.after("inline", "lesson_headings", _set_headings)
    return parser


def _set_headings(state: StateCore) -> None:
    outline = Outline()
    for opening, content, closing in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if opening.type == "heading_open":
            opening.tag = closing.tag = f"h{outline.level(int(opening.tag[1]))}"
            opening.attrSet("id", outline.id(inline_text(content.children)))


def _place_references(state: StateCore) -> None:
    media_prefix: str = state.env["media_prefix"]

    def picture(token: Token, in_link: bool) -> list[Token]:
        address = str(token.attrGet("src") or "")
        if url := media_url(address, media_prefix):
            token.attrs |= {"src": url, **LOADED_LATE}
            return [token]
        return _described(token, None if in_link else address)

    def link(opening: Token, words: list[Token], closing: Token) -> list[Token]:
        target = lesson_link(str(opening.attrGet("href") or ""), media_prefix)
        return [opening, *words, closing] if target else words

    rewrite_runs(state, picture, link)


def _described(picture: Token, address: str | None) -> list[Token]:
    """The description in place of a picture, as a link where there is an address to follow."""
    description = inline_text(picture.children)
    host = link_host(address or "")
    if address is None or host is None:
        return words_only(description)
    opening, closing = Token("link_open", "a", 1, attrs={"href": address}), Token("link_close", "a", -1)
    return [opening, *words_only(description or host), closing]
