"""The files of a course: their rows in the import's transaction, their bytes in the storage, both or neither."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction

from lms.courses.importing.source import SourceFile
from lms.courses.models import Course, MediaAsset, media_upload_path


@contextmanager
def undone_on_failure() -> Iterator[list[str]]:
    """Stored files whose names are put into the list go again when the block fails."""
    stored: list[str] = []
    try:
        yield stored
    except BaseException:
        _delete(stored)
        raise


def write_media(course: Course, files: list[SourceFile], stored: list[str] | None, *, count: Callable[[], None]) -> int:
    """Take in new and changed files; returns how many. With `stored` None no bytes are written.

    A file that is replaced leaves the storage once the transaction is through. Files that the source no longer has
    stay: pages that were edited here may use them.
    """
    known = {asset.path: asset for asset in MediaAsset.objects.filter(course=course)}
    changed = 0
    for file in files:
        asset = known.get(file.path)
        if asset is None or asset.sha256 != file.sha256:
            _write(course, file, asset, stored)
            changed += 1
        count()
    return changed


def _write(course: Course, file: SourceFile, old: MediaAsset | None, stored: list[str] | None) -> None:
    asset = old or MediaAsset(university_id=course.university_id, course=course, path=file.path)
    replaced = asset.file.name
    asset.media_type, asset.size_bytes, asset.sha256 = file.media_type, file.size_bytes, file.sha256
    if stored is None:
        asset.file.name = media_upload_path(asset, file.path)
    else:
        with file.open() as content:
            asset.file.save(file.path, File(content), save=False)
        stored.append(str(asset.file.name))
        if replaced:
            transaction.on_commit(lambda: _delete([replaced]))
    asset.save()


def _delete(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)
