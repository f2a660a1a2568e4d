import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.courses.markdown import FinishedBlocks, ReplyRenderer, render_reply


def fed(pieces: list[str]) -> list[FinishedBlocks | None]:
    renderer = ReplyRenderer()
    return [*map(renderer.feed, pieces), renderer.finish()]


def test_links_show_their_host_and_follow_nothing() -> None:
    assert render_reply("[the **proof**](https://www.example.org/p?q=1) and <https://example.org>") == (
        '<p><a href="https://www.example.org/p?q=1" rel="noopener noreferrer nofollow">the <strong>proof</strong> '
        '<span class="link-host">(www.example.org)</span></a> and '
        '<a href="https://example.org" rel="noopener noreferrer nofollow">https://example.org</a></p>\n'
    )


def test_a_link_that_names_another_host_shows_the_real_one() -> None:
    assert render_reply("[https://bank.example](http://Evil.example:8080/x) [write](mailto:a@example.org)") == (
        '<p><a href="http://Evil.example:8080/x" rel="noopener noreferrer nofollow">https://bank.example '
        '<span class="link-host">(evil.example:8080)</span></a> '
        '<a href="mailto:a@example.org" rel="noopener noreferrer nofollow">write '
        '<span class="link-host">(a@example.org)</span></a></p>\n'
    )


@pytest.mark.parametrize(
    "address",
    [
        "/admin/",
        "#top",
        "page",
        "//evil.example",
        "https:evil.example",
        "ftp://example.org",
        "https://good.example@evil.example",
        "https://evil.example%5C@good.example",
        "https://[::1]/",
        "https://evil.example:port/",
        "mailto:",
    ],
)
def test_a_link_whose_host_cannot_be_told_is_only_its_words(address: str) -> None:
    assert render_reply(f"[words](<{address}>)") == "<p>words</p>\n"


def test_pictures_are_only_their_description() -> None:
    assert render_reply("![a $x$ curve](https://evil.example/?q=secret) ![](images/x.png)") == "<p>a $x$ curve </p>\n"


def test_headings_stand_below_the_panel_they_are_in() -> None:
    assert render_reply("# a\n## b\n### c\n#### d\n##### e\n###### f\n") == (
        "<h3>a</h3>\n<h3>b</h3>\n<h4>c</h4>\n<h5>d</h5>\n<h6>e</h6>\n<h6>f</h6>\n"
    )


def test_reference_definitions_are_words_so_that_nothing_changes_backwards() -> None:
    assert render_reply("[x]\n\n[x]: https://example.org\n") == "<p>[x]</p>\n<p>[x]: https://example.org</p>\n"


def test_a_paragraph_is_finished_by_the_blank_line_after_it() -> None:
    assert fed(["Hello *th", "ere*.\n", "\n", "And", " on"]) == [
        None,
        None,
        FinishedBlocks(from_block=0, html="<p>Hello <em>there</em>.</p>\n", length=16),
        None,
        None,
        FinishedBlocks(from_block=1, html="<p>And on</p>\n", length=22),
    ]


def test_a_list_is_finished_by_what_follows_it() -> None:
    items = "<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>\n"
    assert fed(["- a\n\n", "- b\n\n", "After\n", "\n"]) == [
        None,
        None,
        FinishedBlocks(from_block=0, html=items, length=10),
        FinishedBlocks(from_block=1, html="<p>After</p>\n", length=17),
        None,
    ]


@pytest.mark.parametrize(
    "open_block",
    ["$$\na = b\n", "```python\nx = 1\n\ny = 2\n\n", "- one\n\n", "    code\n\n", "| a |\n|---|\n", "> q\n"],
)
def test_an_open_block_does_not_flicker(open_block: str) -> None:
    assert fed(["Text.\n\n", open_block])[:2] == [
        FinishedBlocks(from_block=0, html="<p>Text.</p>\n", length=7),
        None,
    ]


def test_a_listing_is_finished_by_the_blank_line_after_its_end() -> None:
    assert fed(["```\nx\n\n", "y\n```\n", "\n", "z"])[2] == FinishedBlocks(
        from_block=0, html='<pre tabindex="0"><code class="highlight">x\n\ny\n</code></pre>\n', length=14
    )


def test_lengths_are_code_points() -> None:
    assert fed(["🙂 e\u0301\r\n\r", "\nx"])[1] == FinishedBlocks(from_block=0, html="<p>🙂 e\u0301</p>\n", length=8)


BLOCK_LINES = r"""
# h
text
- a
  more
    code
```py
x=1
```
$$
a=b
> q
>
| a | b |
|---|---|
1. x
2) y
---
===
~~~
<div>
[r]: http://e.org
"""
INLINE = ["$x$ ", " $$", "*", "**b**", "`c`", "[l](http://e.org)", "[r]", "&amp;", "\\", "+ ", " ", "\x0b", "\x00"]
LINE_ENDS = ["\n", "\n\n", "\r", "\r\n", "\t"]
lines = st.sampled_from([*BLOCK_LINES.splitlines(keepends=True), *INLINE, *LINE_ENDS])
markdown = st.lists(st.one_of(lines, st.text(max_size=5)), max_size=20).map("".join)


@given(markdown, st.randoms(use_true_random=False))
def test_blocks_joined_are_the_whole_wherever_the_text_is_cut(source: str, random: object) -> None:
    cuts = sorted(random.randint(0, len(source)) for _ in range(random.randint(0, 30)))
    pieces = [source[start:end] for start, end in zip([0, *cuts], [*cuts, len(source)], strict=True)]
    finished = [blocks for blocks in fed(pieces) if blocks]
    assert "".join(blocks.html for blocks in finished) == render_reply(source)
    assert [blocks.from_block for blocks in finished] == sorted({blocks.from_block for blocks in finished})
    assert [blocks.length for blocks in finished] == sorted({blocks.length for blocks in finished})


@pytest.mark.parametrize(
    "source",
    [
        "- a\n\n- $$\n# h\n$$\n\ny",
        "> $$\n# h\n$$\n",
        "text\n| a |\n|---|\n| 1 |\ntext\n\n# h",
        "a\n===\nb\n---\n\n\n- c\n\n\n  d\n\ne",
    ],
)
def test_blocks_that_a_later_line_joins_are_not_cut_apart(source: str) -> None:
    assert "".join(blocks.html for blocks in fed(list(source)) if blocks) == render_reply(source)


@pytest.mark.parametrize("block", ["```\n" + "x = 1\n\n" * 8000, "- item\n\n" * 4000, "word " * 20000])
def test_a_long_block_costs_a_few_passes_and_not_one_for_each_line(block: str) -> None:
    started = time.process_time()
    render_reply(block)
    once = time.process_time() - started
    fed([block[start : start + 7] for start in range(0, len(block), 7)])
    assert time.process_time() - started < 100 * once + 0.5
