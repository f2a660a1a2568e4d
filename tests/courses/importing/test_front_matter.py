import pytest

from lms.courses.importing.errors import BrokenSource
from lms.courses.importing.folder import SourceFolder
from lms.courses.importing.front_matter import Document, read_document
from tests.courses.importing.samples import write


@pytest.fixture
def read(tmp_path):
    def read(text: str) -> Document:
        return read_document(SourceFolder(write(tmp_path, {"page.md": text})), "page.md")

    return read


def test_scalars_stay_what_the_author_wrote(read):
    fields = read("---\na: No\nb: 1.50\nc: 010\nd: 2024-01-01\ne:\nf: '  '\n---\n\nBody\n").fields
    assert [fields.text(name, "-") for name in "abcdef"] == ["No", "1.50", "010", "2024-01-01", "-", ""]


def test_typed_fields(read):
    text = "---\nlist: [a, ' ', b]\none: a\nwhole: 3\nhalf: 0.5\nyes: true\nrows:\n  - {x: 1}\n---\n---\nBody\n\n"
    document = read(text)
    fields = document.fields
    assert document.body == "---\nBody"
    assert (fields.texts("list"), fields.texts("one"), fields.texts("none")) == (["a", "b"], ["a"], [])
    assert (fields.number("whole"), fields.number("half"), fields.whole_number("none", 7)) == (3, 0.5, 7)
    assert (fields.flag("yes"), fields.flag("none")) == (True, False)
    assert [row.text("x") for row in fields.rows("rows")] == ["1"]
    assert "one" in fields
    assert "none" not in fields
    fields.finish()


@pytest.mark.parametrize(
    ("text", "ask", "problem"),
    [
        ("a: x", lambda f: f.text("b"), "page.md, line 2: b: is missing."),
        ("x: 1\na: [1]", lambda f: f.text("a"), "page.md, line 3: a: must be text."),
        ("a: {b: c}", lambda f: f.texts("a"), "page.md, line 2: a: must be a list of texts."),
        ("a: x", lambda f: f.number("a"), "page.md, line 2: a: 'x' is not a number."),
        ("a: nan", lambda f: f.number("a"), "page.md, line 2: a: 'nan' is not a number."),
        ("a: .inf", lambda f: f.number("a"), "page.md, line 2: a: '.inf' is not a number."),
        ("a: 0.5", lambda f: f.whole_number("a", 1), "page.md, line 2: a: must be a whole number."),
        ("a: maybe", lambda f: f.flag("a"), "page.md, line 2: a: 'maybe' is not one of true, false, yes, no."),
        ("a: [x]", lambda f: f.rows("a"), "page.md, line 2: a: must be a list of entries with named fields."),
        ("\n\na: x\nb: y", lambda f: f.finish(), "page.md, line 4: a: is not known here."),
        (
            "rows:\n  - {x: 1}\n  - {y: 2}",
            lambda f: [row.text("x") for row in f.rows("rows")],
            "page.md, line 4: x: is missing.",
        ),
    ],
)
def test_wrong_fields_are_named_with_their_line(read, text, ask, problem):
    fields = read(f"---\n{text}\n---\n").fields
    with pytest.raises(BrokenSource) as refusal:
        ask(fields)
    assert str(refusal.value) == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Just words", "page.md, line 1: does not begin with front matter between two lines of ---."),
        ("---\na: b\n", "page.md, line 1: its front matter has no closing line of ---."),
        ("---\n---\n", "page.md, line 1: its front matter is not a list of named fields."),
        ("---\n- a\n---\n", "page.md, line 1: its front matter is not a list of named fields."),
        ("---\na: 1\na: 2\n---\n", "page.md, line 3: its front matter cannot be read (the key 'a' stands twice)."),
        ("---\na: 'x\n---\n", "page.md, line 3: its front matter cannot be read (found unexpected end of stream)."),
        (
            "---\na: &x [1]\nb: *x\n---\n",
            "page.md, line 3: its front matter cannot be read (aliases are not supported).",
        ),
        ("---\na: \x01\n---\n", "page.md, line 1: its front matter cannot be read."),
        ("---\na: " + "[" * 1500 + "\n---\n", "page.md, line 1: its front matter cannot be read."),
    ],
)
def test_front_matter_that_cannot_be_read(read, text, problem):
    with pytest.raises(BrokenSource) as refusal:
        read(text)
    assert str(refusal.value) == problem


def test_tags_make_nothing_but_text(read):
    fields = read("---\na: !!python/object/apply:os.system ['echo']\nb: !!int x\n---\n").fields
    assert (fields.texts("a"), fields.text("b")) == (["echo"], "x")
