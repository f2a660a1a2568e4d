from collections.abc import Callable, Sequence

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

Picture = Callable[[Token, bool], list[Token]]
Link = Callable[[Token, list[Token], Token], list[Token]]


def inline_text(tokens: Sequence[Token] | None) -> str:
    """The words of one inline run: formulas as their source, pictures as their description."""
    return "".join(map(_words, tokens or ()))


def words_only(text: str) -> list[Token]:
    return [Token("text", "", 0, content=text)]


def rewrite_runs(state: StateCore, picture: Picture, link: Link) -> None:
    """Replace each picture by `picture(token, in_link)` and each link by `link(opening, words, closing)`."""
    for token in state.tokens:
        if token.children:
            token.children = _rewritten(token.children, picture, link)


def _rewritten(tokens: list[Token], picture: Picture, link: Link) -> list[Token]:
    written: list[Token] = []
    link_starts: list[int] = []
    for token in tokens:
        if token.type == "image":
            written += picture(token, bool(link_starts))
        elif token.type == "link_close":
            start = link_starts.pop()
            written[start:] = link(written[start], written[start + 1 :], token)
        else:
            if token.type == "link_open":
                link_starts.append(len(written))
            written.append(token)
    return written


def _words(token: Token) -> str:
    if token.type == "image":
        return inline_text(token.children)
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    if token.type.startswith("math_"):
        return f"{token.markup}{token.content}{token.markup}"
    return token.content if token.type in ("text", "code_inline") else ""
