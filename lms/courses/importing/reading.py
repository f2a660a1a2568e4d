"""A source of whatever format, read into plain values. Touches no database."""

import shutil
import tempfile
from pathlib import Path

from lms.courses.importing.archive import is_archive, unpack
from lms.courses.importing.checks import check_course
from lms.courses.importing.errors import BrokenSource, ImportRefused, MissingFile
from lms.courses.importing.ledger import Ledger
from lms.courses.importing.markdown_folder import COURSE_FILE as MARKDOWN_COURSE
from lms.courses.importing.markdown_folder import read_markdown_folder
from lms.courses.importing.olx import read_olx
from lms.courses.importing.olx_definitions import COURSE_FILE as OLX_COURSE
from lms.courses.importing.source import SourceCourse


def read_source(path: Path) -> tuple[SourceCourse, Ledger]:
    """The course in a folder or a .tar.gz export; raises `ImportRefused`, leaving nothing behind.

    An unpacked archive lives as long as the course: close the course once it is written.
    """
    if path.is_dir():
        return _read_folder(path)
    if not path.is_file():
        raise MissingFile("There is no such folder or file.", file=str(path))
    if not is_archive(path):
        raise BrokenSource("is neither a folder nor a .tar.gz export.", file=path.name)
    unpacked = Path(tempfile.mkdtemp(prefix="import-"))
    try:
        unpack(path, unpacked)
        course, ledger = _read_folder(_course_folder(unpacked))
    except BaseException:
        shutil.rmtree(unpacked, ignore_errors=True)
        raise
    course.own_folder(unpacked)
    return course, ledger


def _read_folder(folder: Path) -> tuple[SourceCourse, Ledger]:
    ledger = Ledger()
    if (folder / MARKDOWN_COURSE).is_file():
        course = read_markdown_folder(folder, ledger)
    elif (folder / OLX_COURSE).is_file():
        course = read_olx(folder, ledger)
    else:
        raise ImportRefused(f"holds neither {MARKDOWN_COURSE} nor {OLX_COURSE}.", file=folder.name)
    check_course(course)
    return course, ledger


def _course_folder(unpacked: Path) -> Path:
    """Exports hold one folder with the course in it; some hold the course itself."""
    entries = [entry for entry in unpacked.iterdir() if not entry.name.startswith(".")]
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else unpacked
