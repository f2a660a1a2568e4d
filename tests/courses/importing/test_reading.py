import io
import tarfile
import tempfile
from pathlib import Path

import pytest

from lms.courses.importing import checks
from lms.courses.importing.errors import BrokenSource, ImportRefused, MissingFile, TooLarge
from lms.courses.importing.reading import read_source
from tests.courses.importing.samples import MARKDOWN, OLX, Files, write


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """Where archives are unpacked, to see what stays."""
    place = tmp_path / "scratch"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def pack(path: Path, files: Files, folder: str = "course/") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            raw = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(f"{folder}{name}")
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    return path


@pytest.mark.parametrize("folder", ["course/", ""])
def test_an_export_is_read_as_its_folder_is_and_leaves_nothing(tmp_path, scratch, folder):
    from_folder, folder_ledger = read_source(write(tmp_path / "folder", OLX))
    course, ledger = read_source(pack(tmp_path / "course.tar.gz", OLX, folder))
    assert ledger == folder_ledger
    assert [(item.key, item.data) for _, item in course.items()] == [
        (item.key, item.data) for _, item in from_folder.items()
    ]
    with course.files[0].open() as file:
        assert file.read() == OLX["static/the seed.png"]
    course.close()
    course.close()
    from_folder.close()
    assert list(scratch.iterdir()) == []


def test_a_course_that_nobody_closes_leaves_nothing_either(tmp_path, scratch):
    course, _ = read_source(pack(tmp_path / "course.tar.gz", MARKDOWN))
    assert len(list(scratch.iterdir())) == 1
    del course
    assert list(scratch.iterdir()) == []


def test_a_broken_course_in_an_export_leaves_nothing(tmp_path, scratch):
    with pytest.raises(BrokenSource):
        read_source(pack(tmp_path / "course.tar.gz", OLX | {"chapter/c1.xml": "<"}))
    assert list(scratch.iterdir()) == []


def test_what_is_no_source(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "course.zip").touch()
    with pytest.raises(MissingFile) as absent:
        read_source(tmp_path / "absent")
    with pytest.raises(BrokenSource) as other:
        read_source(tmp_path / "course.zip")
    with pytest.raises(ImportRefused) as empty:
        read_source(tmp_path / "empty")
    assert str(absent.value) == f"{tmp_path / 'absent'}: There is no such folder or file."
    assert str(other.value) == "course.zip: is neither a folder nor a .tar.gz export."
    assert str(empty.value) == "empty: holds neither course.md nor course.xml."


def test_courses_have_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "MAX_ITEMS", 2)
    with pytest.raises(TooLarge) as refusal:
        read_source(write(tmp_path / "course", MARKDOWN))
    assert str(refusal.value) == "course.md: has more than 5000 modules or 2 items."


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("title: Forces at rest", f"title: {'x' * 201}", "its title must have 1 to 200 characters."),
        ("code: PHYS101", f"code: {'x' * 41}", "its code must have 1 to 40 characters."),
        ("slug: forces", f"slug: {'x' * 81}", "its slug must have 1 to 80 characters."),
        (
            "  - Draw the forces on a body",
            f"  - {'x' * 501}",
            "objectives: at most 50 of at most 500 characters are allowed.",
        ),
    ],
)
def test_what_columns_cannot_hold_is_refused_before(tmp_path, old, new, problem):
    text = MARKDOWN["course.md"].replace(old, new)
    with pytest.raises(BrokenSource) as refusal:
        read_source(write(tmp_path / "course", MARKDOWN | {"course.md": text}))
    assert str(refusal.value) == f"course.md: {problem}"
