import re
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lms.courses.markdown.parser import markdown_parser, storable

# A carriage return at the very end may be half of a line end that has not arrived.
_LINE_END = re.compile(r"\r\n|\n|\r(?!\Z)")

_BLANK_LINE = re.compile(r"[\r\n][ \t]*[\r\n]")

# These end at the first blank line, for good; a list or an indented listing may go on after one.
_ENDED_BY_BLANK_LINE = frozenset(
    ("paragraph_open", "heading_open", "hr", "table_open", "math_block", "fence", "blockquote_open")
)


def finished_part(source: str) -> tuple[int, int]:
    """Where the finished blocks at the start of `source` end, blank lines after them included, and how many they are.

    Blocks are cut only at blank lines: without one, a line that is still to come can pull two blocks into one.
    """
    if not _BLANK_LINE.search(source):
        return 0, 0
    line_ends = [match.end() for match in _LINE_END.finditer(source)]
    lines = [source[start:end].strip(" \t\r\n") for start, end in zip([0, *line_ends], line_ends, strict=False)]
    blocks = top_level_blocks(source[: line_ends[-1]]) if line_ends else []
    for index in range(len(blocks), 0, -1):
        last, following = blocks[index - 1], blocks[index : index + 1]
        line = _first_line(following[0]) if following else len(lines)
        if line and not lines[line - 1] and (following or _is_ended(last, len(lines))):
            return line_ends[line - 1], index
    return 0, 0


def _is_ended(block: Token, line_count: int) -> bool:
    """Whether the last block is over at the blank line after it. An open fence never is: it takes all lines in."""
    return block.type in _ENDED_BY_BLANK_LINE and block.map is not None and block.map[1] < line_count


def _first_line(block: Token) -> int:
    return block.map[0] if block.map else 0


def top_level_blocks(source: str) -> list[Token]:
    return [token for token in _parser().parse(storable(source)) if token.level == 0 and token.nesting >= 0]


def reply_dialect() -> MarkdownIt:
    """The dialect without reference definitions: they let the end of a text change blocks at its beginning."""
    return markdown_parser().disable("reference")


@cache
def _parser() -> MarkdownIt:
    """Only the shape of the blocks, without what stands in them."""
    return reply_dialect().disable(["inline", "text_join"])
