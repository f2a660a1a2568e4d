"""Finding and changing addresses in Markdown, by the parser's own rules: code, maths and escapes are left alone.

Only the addresses change; everything else comes back character by character.
"""

from collections.abc import Callable
from itertools import accumulate

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, image, link
from markdown_it.token import Token

from lms.courses.importing.errors import BrokenSource
from lms.courses.importing.references import Edit, Reference, Resolve, apply_edits
from lms.courses.markdown.parser import markdown_parser

Rule = Callable[[StateInline, bool], bool]
# The parser hands this dictionary through to its rules; ours note here what they find.
FOUND = "addresses_found"
# Start, end of the label, start and end of the address, end, within a block's content.
_Span = tuple[int, int, int, int, int, Reference]


def _noting(rule: Rule, *, is_embedded: bool) -> Rule:
    """A rule that also notes the `_Span` of each address that stands in the text itself."""

    def run(state: StateInline, silent: bool) -> bool:
        start = state.pos
        matched = rule(state, silent)
        notes = state.env.get(FOUND)
        if not matched or silent or notes is None or state.src != notes["text"]:
            return matched
        helpers = state.md.helpers
        label_end = helpers.parseLinkLabel(state, start + is_embedded, not is_embedded)
        at = label_end + 2
        # A label alone, `[a]`, may name a definition and have a bracket behind it that is no address.
        if state.src[label_end + 1 : at] == "(" and state.pos >= at:
            while at < state.posMax and state.src[at] in " \t\n":
                at += 1
            address = helpers.parseLinkDestination(state.src, at, state.posMax)
            reference = Reference(address.str, is_embedded)
            notes["spans"].append((start, label_end, at, address.pos, state.pos, reference))
        return matched

    return run


def _parser() -> MarkdownIt:
    """The dialect of lessons, with the rules that note addresses."""
    parser = markdown_parser()
    parser.options["inline_definitions"] = True
    parser.inline.ruler.at("link", _noting(link, is_embedded=False))
    parser.inline.ruler.at("image", _noting(image, is_embedded=True))
    return parser


_PARSER = _parser()


def rewrite_markdown(source: str, resolve: Resolve, *, file: str = "") -> str:
    """The same Markdown with each address replaced by what `resolve` says."""
    starts = [0, *accumulate(len(line) + 1 for line in source.split("\n"))]
    edits: list[Edit] = []
    # Up to where the source is used up, so that two table cells of the same words are told apart.
    cursor = 0
    for token in _PARSER.parse(source):
        if token.map is None:
            continue
        first, last = token.map
        cursor = max(cursor, starts[first])
        if token.type == "definition":
            edits += _definition_edits(source, starts[first], starts[last], resolve)
        elif token.type == "inline":
            offsets, cursor = _offsets(token.content, source, cursor, starts[last])
            edits += _inline_edits(token, offsets, resolve, file, first + 1)
    return apply_edits(source, edits)


def _offsets(content: str, source: str, cursor: int, end: int) -> tuple[list[int | None], int]:
    """Where each character of a block's content stands in the source (None: nowhere), and how far that reaches.

    A block's content is its source lines without their list, quote and heading marks, so that each of its lines is
    found whole in one source line.
    """
    offsets: list[int | None] = []
    for line in content.split("\n"):
        words = line.strip()
        at = source.find(words, cursor, end)
        indent = len(line) - len(line.lstrip())
        offsets += [None if at < 0 else at - indent + column for column in range(len(line) + 1)]
        cursor = cursor if at < 0 else at + len(words)
    return offsets, cursor


def _inline_edits(token: Token, offsets: list[int | None], resolve: Resolve, file: str, line: int) -> list[Edit]:
    spans: list[_Span] = []
    env = {FOUND: {"text": token.content, "spans": spans}, "references": {}}
    _PARSER.inline.parse(token.content, _PARSER, env, [])
    edits = []
    for start, label_end, address_start, address_end, end, reference in spans:
        address = resolve(reference)
        if address == reference.address:
            continue
        marks = [offsets[at] for at in (start, label_end, address_start, address_end, end)]
        if None in marks:
            raise BrokenSource(f"write the address {reference.address!r} without escapes.", file=file, line=line)
        from_, label, left, right, to = (mark or 0 for mark in marks)
        if address:
            edits.append(Edit(left, right, f"<{address}>" if " " in address else address))
        else:
            opening = 2 if reference.is_embedded else 1
            edits += [Edit(from_, from_ + opening, ""), Edit(label, to, "")]
    return edits


def _definition_edits(source: str, start: int, end: int, resolve: Resolve) -> list[Edit]:
    """For `[label]: address "title"`, the address of links and pictures that name the label."""
    at = source.index("]:", start, end) + 2
    while source[at : at + 1].isspace():
        at += 1
    found = _PARSER.helpers.parseLinkDestination(source, at, end)
    reference = Reference(found.str, is_embedded=False)
    address = resolve(reference)
    return [] if address == reference.address else [Edit(at, found.pos, address or "#")]
