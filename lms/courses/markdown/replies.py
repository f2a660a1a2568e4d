from dataclasses import dataclass
from functools import cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from lms.courses.markdown.blocks import finished_part, reply_dialect, top_level_blocks
from lms.courses.markdown.cleaning import cleaner_for_replies
from lms.courses.markdown.inline import inline_text, rewrite_runs, words_only
from lms.courses.markdown.media import link_host
from lms.courses.markdown.parser import render_rule, storable

# Below the h1 of the page and the h2 of the panel a reply stands in. The two highest share a level, because models
# begin with either and a page should not skip one.
_HEADING_TAGS = {"h1": "h3", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6", "h6": "h6"}

# With nothing finished in the text at hand, it is looked at again only when it has grown by this share, so that a long
# listing costs a fixed number of passes and not one for each of its lines.
_GROWTH = 16


def render_reply(source: str) -> str:
    """A model's reply as safe HTML: no pictures, links with their host, headings from h3."""
    rendered: str = _parser().render(storable(source))
    return cleaner_for_replies().clean(rendered)


@dataclass(frozen=True)
class FinishedBlocks:
    """Top-level blocks that no further text can change: `html` of those from number `from_block`, zero-based.

    `length` counts the characters of the reply that all finished blocks together cover.
    """

    from_block: int
    html: str
    length: int


class ReplyRenderer:
    """Renders a growing reply block by block, each block once, when it is finished.

    The HTML of all finished blocks and of the rest, joined, equals `render_reply` of the whole: the dialect of replies
    has no reference definitions, the one thing in Markdown by which later text changes earlier blocks.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._unfinished = 0
        self._look_again_at = 0
        self._length = 0
        self._blocks = 0

    def feed(self, text: str) -> FinishedBlocks | None:
        """Take the next piece of the reply; the blocks it finished, or None."""
        self._pieces.append(text)
        self._unfinished += len(text)
        if self._unfinished < self._look_again_at or not ("\n" in text or "\r" in text):
            return None
        source = self._source()
        end, count = finished_part(source)
        if not count:
            self._look_again_at = self._unfinished + self._unfinished // _GROWTH
            return None
        return self._finish(source, end, count)

    def finish(self) -> FinishedBlocks | None:
        """The rest, when the reply has ended; None if there is none."""
        source = self._source()
        count = len(top_level_blocks(source))
        return self._finish(source, len(source), count) if count else None

    def _source(self) -> str:
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    def _finish(self, source: str, end: int, count: int) -> FinishedBlocks:
        finished = FinishedBlocks(self._blocks, render_reply(source[:end]), self._length + end)
        self._pieces = [source[end:]]
        self._unfinished = len(source) - end
        self._look_again_at = 0
        self._length += end
        self._blocks += count
        return finished


@cache
def _parser() -> MarkdownIt:
    parser = reply_dialect()
    parser.core.ruler.after("inline", "reply_links", _show_hosts)
    parser.core.ruler.after("inline", "reply_headings", _demote_headings)
    parser.add_render_rule("link_host", render_rule(_link_host))
    return parser


def _demote_headings(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = _HEADING_TAGS[token.tag]


def _show_hosts(state: StateCore) -> None:
    rewrite_runs(state, _picture, _link)


def _picture(token: Token, _in_link: bool) -> list[Token]:
    return words_only(inline_text(token.children))


def _link(opening: Token, words: list[Token], closing: Token) -> list[Token]:
    """A link with its host after its words, or only the words where the host could not be told."""
    address = str(opening.attrGet("href") or "")
    host = link_host(address)
    if host is None:
        return words
    if inline_text(words).strip() in (address, host):
        return [opening, *words, closing]
    return [opening, *words, Token("link_host", "span", 0, content=host), closing]


def _link_host(token: Token) -> str:
    return f' <span class="link-host">({escape(token.content)})</span>'
