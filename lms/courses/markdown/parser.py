import re
from collections.abc import Callable, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from lms.courses.markdown.formulas import mathml
from lms.courses.markdown.highlighting import code_block

_SURROGATES = re.compile("[\ud800-\udfff]")


def markdown_parser() -> MarkdownIt:
    """The dialect of every text in the product: CommonMark without HTML, with tables, strikethrough, dollar formulas.

    A formula holds no blank line, as in LaTeX itself: so an opening `$$` can never reach beyond its paragraph, and a
    growing reply can be cut at blank lines.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # No blanks inside single dollars and no digits outside them, so that prices stay prices.
    dollarmath_plugin(
        parser,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,
        allow_blank_lines=False,
        double_inline=True,
    )
    parser.core.ruler.after("inline", "empty_headers", _make_empty_headers_cells)
    for name, draw in _DRAWN.items():
        parser.add_render_rule(name, render_rule(draw))
    return parser


def storable(source: str) -> str:
    """Lone surrogates, which JSON can carry and UTF-8 cannot, as the replacement character; lengths stay the same."""
    return _SURROGATES.sub("\ufffd", source)


def render_rule(draw: Callable[[Token], str]) -> Callable[..., str]:
    def rule(_renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
        return draw(tokens[index])

    return rule


def _make_empty_headers_cells(state: StateCore) -> None:
    """The corner of a table, mostly: a heading that says nothing is read aloud as one all the same."""
    for opening, content, closing in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if opening.type == "th_open" and not content.content:
            opening.tag = closing.tag = "td"


def _formula(token: Token) -> str:
    return mathml(token.content.strip(), display=token.type == "math_inline_double")


def _formula_block(token: Token) -> str:
    """Focusable, as listings and tables are, because what is wide scrolls sideways and must do so by keyboard."""
    return f'<div class="formula" tabindex="0">{mathml(token.content.strip(), display=True)}</div>\n'


def _listing(token: Token) -> str:
    words = token.info.split(maxsplit=1)
    return code_block(token.content, words[0] if words else "")


def _cell(token: Token) -> str:
    """The alignment as a class: the style attribute that markdown-it writes is not allowed on our pages."""
    _, _, alignment = str(token.attrs.get("style", "")).partition("text-align:")
    return f'<{token.tag} class="align-{alignment}">' if alignment else f"<{token.tag}>"


_DRAWN: dict[str, Callable[[Token], str]] = {
    "math_inline": _formula,
    "math_inline_double": _formula,
    "math_block": _formula_block,
    "fence": _listing,
    "code_block": _listing,
    "table_open": lambda _: '<div class="table-scroll" tabindex="0"><table>\n',
    "table_close": lambda _: "</table></div>\n",
    "th_open": _cell,
    "td_open": _cell,
}
