import gzip
import io
import tarfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.courses.importing import archive
from lms.courses.importing.archive import unpack
from lms.courses.importing.errors import BrokenSource, ImportRefused, TooLarge, UnsafeSource

NOT_PLAIN = "c.tar.gz: 'a' is a link, a device or a sparse file; only plain files are unpacked."


def member(name: str, content: bytes = b"x", **attributes) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content


def pack(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.name.lower().endswith("gz") else "w") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return path


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def into(tmp_path):
    place = tmp_path / "into"
    place.mkdir()
    return place


@pytest.mark.parametrize("name", ["course.tar.gz", "course.TGZ", "course.tar"])
def test_plain_files_and_folders_come_out(tmp_path, into, name):
    folder = member("course/static", b"", type=tarfile.DIRTYPE)
    unpack(pack(tmp_path / name, folder, member("course/static/a b.png", b"one"), member("./course/b", b"two")), into)
    assert files_below(into) == ["course/b", "course/static/a b.png"]
    assert (into / "course/b").read_bytes() == b"two"


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/out.txt", "a\\..\\out.txt", "..", "a/.."])
def test_names_that_climb_out(tmp_path, into, name):
    with pytest.raises(UnsafeSource) as refusal:
        unpack(pack(tmp_path / "c.tar.gz", member(name)), into)
    assert str(refusal.value) == f"c.tar.gz: {name!r} leads out of the archive."
    assert files_below(tmp_path) == ["c.tar.gz"]


@pytest.mark.parametrize("type_", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices(tmp_path, into, type_):
    with pytest.raises(UnsafeSource) as refusal:
        unpack(pack(tmp_path / "c.tar.gz", member("a", b"", type=type_, linkname="/etc/passwd")), into)
    assert str(refusal.value) == NOT_PLAIN


def test_a_sparse_file_that_claims_what_the_archive_does_not_hold(tmp_path, into):
    size, path = 50_000_000, tmp_path / "c.tar.gz"
    claims = {"size": size, "map": f"0,1,{size},0", "numblocks": 2, "name": "a", "major": 0, "minor": 1}
    info, content = member("a", pax_headers={f"GNU.sparse.{name}": str(value) for name, value in claims.items()})
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(content))
    assert path.stat().st_size < 1000
    with pytest.raises(UnsafeSource) as refusal:
        unpack(path, into, limit=1_000_000)
    assert (str(refusal.value), files_below(into)) == (NOT_PLAIN, [])


def test_the_same_name_twice(tmp_path, into):
    with pytest.raises(UnsafeSource):
        unpack(pack(tmp_path / "c.tar.gz", member("a", b"good"), member("a", b"evil")), into)


def test_a_file_where_a_folder_is(tmp_path, into):
    with pytest.raises(UnsafeSource):
        unpack(pack(tmp_path / "c.tar.gz", member("a"), member("a/b")), into)


def test_a_bomb_is_counted_as_it_comes_out(tmp_path, into):
    bomb = pack(tmp_path / "c.tar.gz", member("zeros", b"\0" * 3_000_000))
    assert bomb.stat().st_size < 10_000
    with pytest.raises(TooLarge) as refusal:
        unpack(bomb, into, limit=1_000_000)
    assert str(refusal.value) == "c.tar.gz: unpacks to more than is accepted."


def test_a_bomb_behind_the_end_of_the_archive_is_not_read(tmp_path, into):
    plain = pack(tmp_path / "c.tar", member("a")).read_bytes()
    (tmp_path / "c.tar.gz").write_bytes(gzip.compress(plain + b"\0" * 3_000_000))
    unpack(tmp_path / "c.tar.gz", into, limit=100_000)
    assert files_below(into) == ["a"]


@pytest.mark.parametrize("type_", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_an_endless_header(tmp_path, into, type_):
    size = archive.MAX_HEADER_BYTES + 1
    with pytest.raises(TooLarge):
        unpack(pack(tmp_path / "c.tar.gz", member("h", b"\0" * size, type=type_)), into)


def test_too_many_files(tmp_path, into):
    with pytest.raises(TooLarge):
        unpack(pack(tmp_path / "c.tar.gz", *(member(f"f{number}") for number in range(4))), into, members=3)


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(min_value=0, max_value=300), noise=st.binary(max_size=8))
def test_broken_archives_are_refused_in_words(tmp_path_factory, cut, noise):
    folder = tmp_path_factory.mktemp("broken")
    whole = pack(folder / "whole.tar.gz", member("a", bytes(range(256)) * 8)).read_bytes()
    (folder / "c.tar.gz").write_bytes(whole[:cut] + noise)
    (folder / "into").mkdir()
    # Any other error would be one that nobody put into words.
    with suppress(ImportRefused):
        unpack(folder / "c.tar.gz", folder / "into")


def test_what_is_no_archive(tmp_path, into):
    (tmp_path / "c.tar.gz").write_text("not packed")
    with pytest.raises(BrokenSource) as refusal:
        unpack(tmp_path / "c.tar.gz", into)
    assert str(refusal.value).startswith("c.tar.gz: is not a readable archive (")
