"""The allow lists. Whatever was rendered before, only what these name reaches a page."""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate

import nh3

from lms.courses.markdown import highlighting
from lms.courses.markdown.headings import ID_PREFIX
from lms.courses.markdown.media import LOADED_LATE, lesson_link, link_host, media_url


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TEXT_TAGS = _names(
    """
    a abbr b blockquote br cite code dd del dfn div dl dt em h2 h3 h4 h5 h6 hr i ins kbd li mark ol p pre q s
    samp small span strong sub sup table tbody td tfoot th thead tr u ul var
    """
)
_LESSON_TAGS = _names("caption details figcaption figure img summary")

# What latex2mathml writes and authors paste, without annotation, annotation-xml, maction and mglyph: the first two can
# switch the parser back to HTML, the others load or do things.
_MATH_TAGS = _names(
    """
    math menclose merror mfenced mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms
    mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover semantics
    """
)
_MATH_LENGTHS = _names("width height depth lspace rspace voffset minsize maxsize linethickness")
_MATH_WORDS = _names(
    """
    accent accentunder columnlines columnspacing displaystyle fence form frame largeop mathvariant movablelimits
    notation rowlines rowspacing scriptlevel separator stretchy symmetric
    """
)
# Less than 10 em, so that no formula can be laid over the rest of the page.
_MATH_LENGTH = re.compile(r"[+-]?(?:\d(?:\.\d{0,4})?|\.\d{1,4})(?:em|ex)|\d{1,2}(?:\.\d{1,4})?(?:px|pt|%)|0")
_MATH_WORD = re.compile(r"[a-z0-9. -]{1,40}")
# Named lengths are gone from the MathML that browsers draw.
_NAMED_LENGTHS = {
    "negativethinmathspace": "-0.167em",
    "negativemediummathspace": "-0.222em",
    "negativethickmathspace": "-0.278em",
    "thinmathspace": "0.167em",
    "mediummathspace": "0.222em",
    "thickmathspace": "0.278em",
}

_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"lang", "dir"},
    "a": {"href"},
    "abbr": {"title"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "math": {"display"},
    **{tag: set(_MATH_LENGTHS | _MATH_WORDS) for tag in _MATH_TAGS - {"math"}},
}
_LESSON_ATTRIBUTES: dict[str, set[str]] = {
    "img": {"src", "alt", "width", "height"},
    **{f"h{level}": {"id"} for level in range(2, 7)},
}
_ALIGNMENTS = {"align-left", "align-center", "align-right"}
_CLASSES: dict[str, set[str]] = {
    "code": {"highlight", "formula-source"},
    "div": {"table-scroll", "formula"},
    "span": {"link-host", *highlighting.CLASSES},
    "td": _ALIGNMENTS,
    "th": _ALIGNMENTS,
    "mtd": _ALIGNMENTS,
}
_FIXED_VALUES = {
    "div": {"tabindex": {"0"}},
    "pre": {"tabindex": {"0"}},
    "img": {name: {value} for name, value in LOADED_LATE.items()},
}

# Their text means nothing without the element: programs, styles, dead controls.
_DROPPED_WITH_TEXT = _names(
    """
    script style template noscript iframe object embed svg title button select textarea annotation annotation-
    xml
    """
)

_MAX_DEPTH = 1000
_ANY_TAG = re.compile(r"<[^>]*>?")
# Without the elements that hold nothing or end by themselves where the next one begins.
_NESTING_TAG = re.compile(
    r"<(/?)(?!(?:br|hr|img|input|link|meta|p|li|d[dt]|t[drh]|tbody|option)\b)[a-z]", re.IGNORECASE
)

AttributeFilter = Callable[[str, str, str], str | None]


def cleaner_for_replies() -> nh3.Cleaner:
    return _cleaner(_TEXT_TAGS, {}, _reply_attribute, link_rel="noopener noreferrer nofollow")


@lru_cache(maxsize=256)
def cleaner_for_lessons(media_prefix: str) -> nh3.Cleaner:
    def lesson_attribute(tag: str, name: str, value: str) -> str | None:
        if (tag, name) == ("img", "src"):
            return media_url(value, media_prefix)
        if (tag, name) == ("a", "href"):
            return lesson_link(value, media_prefix)
        if name == "id":
            return value if value.startswith(ID_PREFIX) else None
        return _attribute(tag, name, value)

    return _cleaner(_TEXT_TAGS | _LESSON_TAGS, _LESSON_ATTRIBUTES, lesson_attribute)


def well_formed(source: str) -> str:
    """Any HTML as the well-formed HTML a browser would make of it, for a rewriter to read. Not yet safe to show."""
    return _WELL_FORMED.clean(_ANY_TAG.sub(" ", source) if _is_too_deep(source) else source)


def _is_too_deep(source: str) -> bool:
    """Parsing takes time by the square of the depth: 100,000 nested elements are a minute, 1,000 nothing."""
    depths = accumulate(-1 if match.group(1) else 1 for match in _NESTING_TAG.finditer(source))
    return max(depths, default=0) > _MAX_DEPTH


def _cleaner(
    tags: frozenset[str],
    attributes: dict[str, set[str]],
    attribute_filter: AttributeFilter,
    *,
    link_rel: str = "noopener noreferrer",
) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=tags | _MATH_TAGS,
        clean_content_tags=_DROPPED_WITH_TEXT,
        attributes=_ATTRIBUTES | attributes,
        attribute_filter=attribute_filter,
        link_rel=link_rel,
        tag_attribute_values=_FIXED_VALUES,
        url_schemes={"http", "https", "mailto"},
        allowed_classes=_CLASSES,
    )


def _reply_attribute(tag: str, name: str, value: str) -> str | None:
    if (tag, name) == ("a", "href"):
        return value if link_host(value) else None
    return _attribute(tag, name, value)


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag not in _MATH_TAGS:
        return value
    if name in _MATH_LENGTHS:
        value = _NAMED_LENGTHS.get(value, value)
        return value if _MATH_LENGTH.fullmatch(value) else None
    return value if _MATH_WORD.fullmatch(value) else None


_WELL_FORMED = nh3.Cleaner(
    tags=_TEXT_TAGS | _LESSON_TAGS | _MATH_TAGS | {"h1"},
    clean_content_tags=_DROPPED_WITH_TEXT,
    attributes=_ATTRIBUTES | _LESSON_ATTRIBUTES,
    link_rel=None,
    url_schemes={"http", "https", "mailto"},
)
