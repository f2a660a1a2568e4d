import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.courses.importing.errors import BrokenSource
from lms.courses.importing.markdown_references import rewrite_markdown
from lms.courses.importing.references import Reference, as_address
from lms.courses.markdown.parser import markdown_parser


def moved(reference: Reference) -> str:
    return reference.address if reference.is_remote else f"unit/{reference.address}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("![a](b.png)", "![a](unit/b.png)"),
        ('![a](<b c.png> "title (x)") end', '![a](<unit/b c.png> "title (x)") end'),
        ("# ![h](h.png)", "# ![h](unit/h.png)"),
        ("> - deep ![d](d.png)\n>   [file](n.ipynb)", "> - deep ![d](unit/d.png)\n>   [file](unit/n.ipynb)"),
        ("[![in](i.png)](big.png)", "[![in](unit/i.png)](unit/big.png)"),
        ("two ![x](x.png) ![x](x.png)", "two ![x](unit/x.png) ![x](unit/x.png)"),
        ("|a|b|\n|-|-|\n|![x](x.png)|![x](x.png)|", "|a|b|\n|-|-|\n|![x](unit/x.png)|![x](unit/x.png)|"),
        ("see [the file][f]\n\n[f]: f.pdf 'F'\n", "see [the file][f]\n\n[f]: unit/f.pdf 'F'\n"),
        ("[f](no address)\n\n[f]: f.pdf\n", "[f](no address)\n\n[f]: unit/f.pdf\n"),
        ("[web](https://example.org/a) <https://example.org>", "[web](https://example.org/a) <https://example.org>"),
    ],
)
def test_addresses_change_and_nothing_else(source, expected):
    assert rewrite_markdown(source, moved) == expected


@pytest.mark.parametrize(
    "source",
    [
        "`![a](b.png)` and ``[a](b)``",
        "```\n![a](b.png)\n```",
        "    ![a](b.png)",
        r"\![a\](b.png) and $f[x](y)$",
        "<img src='b.png'>",
        "[not a link] (b.png)",
    ],
)
def test_code_formulas_and_escapes_are_left_alone(source):
    assert rewrite_markdown(source, moved) == source


def test_code_that_looks_like_the_picture_beside_it():
    source = "`![a](b.png)` ![a](b.png) `![a](b.png)`"
    assert rewrite_markdown(source, moved) == "`![a](b.png)` ![a](unit/b.png) `![a](b.png)`"


def test_links_can_go_and_leave_their_words():
    source = "see [the *next* page](02-next.md 'x') or ![a crane](crane.exe), [def]\n\n[def]: gone.md\n"
    assert rewrite_markdown(source, lambda reference: "") == "see the *next* page or a crane, [def]\n\n[def]: #\n"


def test_a_new_address_with_a_blank_is_put_in_brackets():
    assert rewrite_markdown("![a](b.png)", lambda reference: "b c.png") == "![a](<b c.png>)"


def test_what_cannot_be_found_again_is_refused_with_its_line():
    with pytest.raises(BrokenSource) as refusal:
        rewrite_markdown("x\n\n|a|\n|-|\n|![x\\|y](x.png)|\n", moved, file="page.md")
    assert str(refusal.value) == "page.md, line 5: write the address 'x.png' without escapes."


WORDS = st.sampled_from(
    [
        "![a](b.png)",
        "[l](c d)",
        "\n\n[l]: e\n",
        "[l](<c d>)",
        "`",
        "$",
        "|",
        "\n",
        "\n\n",
        "> ",
        "- ",
        "    ",
        "*",
        "[",
        "](",
        "\\",
        "é",
    ]
)


@given(st.lists(WORDS, max_size=25).map("".join))
def test_the_page_is_the_same_but_for_its_addresses(source):
    """What the parser makes of the new text is what it made of the old one, with each address moved."""
    try:
        rewritten = rewrite_markdown(source, moved)
    except BrokenSource:
        return
    assert addresses(rewritten) == [f"unit/{address}" for address in addresses(source)]
    assert rewrite_markdown(source, lambda reference: reference.address) == source


def addresses(source: str) -> list[str]:
    found = []
    for token in markdown_parser().parse(source):
        for child in token.children or ():
            found += [child.attrs[name] for name in ("src", "href") if name in child.attrs]
    return found


@pytest.mark.parametrize(
    ("address", "is_remote", "path", "suffix"),
    [
        ("images/a%20b.png#top", False, "images/a b.png", "#top"),
        ("a.pdf?x=1#p", False, "a.pdf", "?x=1#p"),
        ("#heading", False, "", "#heading"),
        ("https://example.org/a.png", True, "https://example.org/a.png", ""),
        ("//example.org/a.png", True, "//example.org/a.png", ""),
        ("mailto:a@example.org", True, "mailto:a@example.org", ""),
        ("data:image/png;base64,AA", True, "data:image/png;base64,AA", ""),
        ("http://[broken", True, "http://[broken", ""),
    ],
)
def test_what_an_address_says(address, is_remote, path, suffix):
    reference = Reference(address, is_embedded=True)
    assert (reference.is_remote, reference.path, reference.suffix) == (is_remote, path, suffix)


def test_paths_as_addresses():
    assert as_address("a b/c(1)#?é:x.png") == "a%20b/c%281%29%23%3F%C3%A9%3Ax.png"
