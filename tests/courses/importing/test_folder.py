from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.courses.importing.errors import BrokenSource, ImportRefused, MissingFile, TooLarge, UnsafeSource
from lms.courses.importing.folder import MAX_TEXT_BYTES, SourceFolder, join, line_of

PARTS = st.sampled_from(["..", ".", "a", "b c", "..a", "", "/", "\\", "\0", "~", "%2e%2e", "…", "x" * 300])


@given(parts=st.lists(PARTS, max_size=8), base=st.lists(st.sampled_from(["a", "b"]), max_size=3))
def test_no_path_leads_out_of_the_course(parts, base):
    folder = SourceFolder(Path(__file__).parent)
    try:
        path = join("/".join(base), "/".join(parts), named_by="page.md")
        place = folder.locate(path)
    except UnsafeSource:
        return
    assert place.resolve().is_relative_to(folder.root)
    assert ".." not in PurePosixPath(path).parts


@given(path=st.text(max_size=60))
def test_no_text_at_all_leads_out_of_the_course(path):
    folder = SourceFolder(Path(__file__).parent)
    try:
        folder.has(path)
        place = folder.locate(path)
    except UnsafeSource:
        return
    assert place.resolve().is_relative_to(folder.root)


@pytest.mark.parametrize(
    ("base", "relative", "path"),
    [
        ("", "a.png", "a.png"),
        ("unit/lesson", "images/a.png", "unit/lesson/images/a.png"),
        ("unit/lesson", "../../media/./a b.png", "media/a b.png"),
    ],
)
def test_paths_are_relative_to_the_file_that_names_them(base, relative, path):
    assert join(base, relative, named_by="page.md") == path


@pytest.mark.parametrize("relative", ["../a", "x/../../a", "/etc/passwd", "..\\a", "a\0b"])
def test_paths_that_climb_out(relative):
    with pytest.raises(UnsafeSource) as refusal:
        join("", relative, named_by="page.md")
    assert str(refusal.value).startswith("page.md: the path ")


def test_links_are_refused_wherever_they_stand(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    root = tmp_path / "course"
    (root / "images").mkdir(parents=True)
    (root / "linked").symlink_to(tmp_path)
    (root / "images" / "x.txt").symlink_to(secret)
    folder = SourceFolder(root)
    for path in ("linked/secret.txt", "images/x.txt"):
        with pytest.raises(UnsafeSource):
            folder.read_text(path)
    with pytest.raises(UnsafeSource) as refusal:
        list(folder.walk("images"))
    assert str(refusal.value) == "images/x.txt: is a link; links are not followed."
    with pytest.raises(UnsafeSource):
        folder.children()


def test_the_folder_itself_may_be_reached_by_a_link(tmp_path):
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "a.md").write_text("here")
    (tmp_path / "link").symlink_to(tmp_path / "course")
    assert SourceFolder(tmp_path / "link").read_text("a.md") == "here"


def test_text_is_utf_8_with_plain_line_ends(tmp_path):
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbfone\r\ntwo")
    (tmp_path / "b.md").write_bytes(b"one\ntw\xff")
    (tmp_path / "c.md").write_bytes(b"x" * (MAX_TEXT_BYTES + 1))
    folder = SourceFolder(tmp_path)
    assert folder.read_text("a.md") == "one\ntwo"
    with pytest.raises(BrokenSource) as broken:
        folder.read_text("b.md")
    assert (broken.value.code, broken.value.status) == ("import_broken", 422)
    assert str(broken.value) == "b.md, line 2: is not UTF-8 text."
    with pytest.raises(TooLarge) as large:
        folder.read_text("c.md")
    assert (large.value.code, large.value.status) == ("import_too_large", 413)
    assert str(large.value) == "c.md: is larger than 5 MB."
    with pytest.raises(MissingFile) as missing:
        folder.read_text("d.md")
    assert str(missing.value) == "d.md: is not there."


def test_what_is_named_and_missing_is_told_with_its_line(tmp_path):
    (tmp_path / "page.md").write_text("one\nsee images/a.png\n")
    with pytest.raises(MissingFile) as missing:
        SourceFolder(tmp_path).require("images/a.png", named_by="page.md", words="images/a.png")
    assert str(missing.value) == "page.md, line 2: images/a.png is named here but is not there."


def test_hidden_files_are_left_out_and_the_rest_is_in_order(tmp_path):
    for name in ("b.txt", ".git/config", "a/z.txt", "a/.hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(SourceFolder(tmp_path).walk()) == ["a/z.txt", "b.txt"]


def test_a_folder_that_cannot_be_read_is_a_refusal(tmp_path):
    with pytest.raises(ImportRefused):
        SourceFolder(tmp_path / "absent").children()


def test_lines_count_from_one():
    assert (line_of("a\nb", "a"), line_of("a\nb", "b"), line_of("a\nb", "c")) == (1, 2, None)
