"""Unpacking a .tar.gz export: only plain files and folders, only inside, and counted as they come out."""

import gzip
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self, cast

from lms.courses.importing.errors import BrokenSource, TooLarge, UnsafeSource

SUFFIXES = (".tar.gz", ".tgz", ".tar")
MAX_MEMBERS = 20_000
MAX_OUTPUT_BYTES = 1_000_000_000
# An extended header is read into memory whole, whatever length it claims.
MAX_HEADER_BYTES = 100_000
CHUNK_BYTES = 1 << 16


class _CountedReader:
    """Counts what comes out of the decompressor, since what the archive says about itself proves nothing."""

    def __init__(self, stream: BinaryIO, limit: int, name: str) -> None:
        self.stream = stream
        self.left = limit
        self.name = name

    def read(self, size: int) -> bytes:
        chunk = self.stream.read(size)
        self.left -= len(chunk)
        if self.left < 0:
            raise TooLarge("unpacks to more than is accepted.", file=self.name)
        return chunk


class _Member(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        headers = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
        if member.type in headers and member.size > MAX_HEADER_BYTES:
            raise TooLarge("has a header that is too long.", file=member.name)
        return member


def is_archive(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES)


def unpack(archive: Path, into: Path, *, limit: int = MAX_OUTPUT_BYTES, members: int = MAX_MEMBERS) -> None:
    open_stream = Path.open if archive.name.lower().endswith(".tar") else gzip.open
    try:
        with open_stream(archive, "rb") as stream:
            counted = cast(BinaryIO, _CountedReader(cast(BinaryIO, stream), limit, archive.name))
            with tarfile.open(fileobj=counted, mode="r|", tarinfo=_Member) as tar:
                for number, member in enumerate(tar, start=1):
                    if number > members:
                        raise TooLarge(f"holds more than {members} files.", file=archive.name)
                    _unpack_member(tar, member, into, archive.name)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, UnicodeError, ValueError) as error:
        raise BrokenSource(f"is not a readable archive ({error}).", file=archive.name) from None


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path, archive: str) -> None:
    place = into.joinpath(*_safe_parts(member, archive))
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
        return
    # The holes of a sparse file are made up while unpacking, past the reader that counts.
    if not member.isreg() or member.issparse():
        raise UnsafeSource(
            f"{member.name!r} is a link, a device or a sparse file; only plain files are unpacked.", file=archive
        )
    content = tar.extractfile(member)
    assert content is not None  # noqa: S101 # for mypy: a file has content
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        # "x": the same name twice could put another content in place of one that was looked at.
        with place.open("xb") as out:
            while chunk := content.read(CHUNK_BYTES):
                out.write(chunk)
    except OSError as error:
        raise UnsafeSource(f"{member.name!r} cannot be unpacked ({error.strerror}).", file=archive) from None


def _safe_parts(member: tarfile.TarInfo, archive: str) -> tuple[str, ...]:
    name = member.name
    parts = PurePosixPath(name).parts
    if "\0" in name or "\\" in name or name.startswith("/") or ".." in parts:
        raise UnsafeSource(f"{name!r} leads out of the archive.", file=archive)
    return parts
