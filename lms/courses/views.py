"""Files of courses, for those who may see the course."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import PurePosixPath

from django.contrib.auth.decorators import login_required
from django.core.files import File
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from lms.courses.access import access_media
from lms.courses.media_ranges import ByteRange, NotSatisfiable, requested_range
from lms.courses.models import MediaAsset
from tenants.errors import NotVisible
from tenants.requests import signed_in

# Shown in the page; everything else is a download of no particular type.
_INLINE = frozenset(
    {
        "application/pdf",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/svg+xml",
        "image/webp",
        "text/vtt",
        "video/mp4",
        "video/webm",
    }
)
# An SVG is a document that may carry scripts: opened by itself it gets no origin and no right to load anything.
_SVG_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
_CHUNK_BYTES = 1 << 18
# Up to this size a body is read at once; beyond it, it is sent as it is read.
_WHOLE_BYTES = 1 << 20


@login_required
@require_safe
def media(request: HttpRequest, university: str, course: int, path: str) -> HttpResponseBase:
    asset = access_media(signed_in(request), university, course, path)
    etag = f'"{asset.sha256}"'
    unchanged = get_conditional_response(request, etag=etag, response=None)
    response = unchanged if unchanged is not None else _body(request, asset, etag)
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, max-age=300"
    response["X-Content-Type-Options"] = "nosniff"
    if asset.media_type == "image/svg+xml":
        response["Content-Security-Policy"] = _SVG_POLICY
    return response


def _body(request: HttpRequest, asset: MediaAsset, etag: str) -> HttpResponseBase:
    """The whole file, or the range that is asked for by one who has the rest of the same version."""
    is_same = request.headers.get("If-Range", etag) == etag
    try:
        part = requested_range(request.headers.get("Range", "") if is_same else "", asset.size_bytes)
    except NotSatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{asset.size_bytes}"})
    sent = part or ByteRange(0, asset.size_bytes - 1)
    headers = {"Content-Length": str(sent.length)}
    if part:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{asset.size_bytes}"
    is_inline = asset.media_type in _INLINE
    name = PurePosixPath(asset.path).name
    disposition = content_disposition_header(as_attachment=not is_inline, filename=name)
    if disposition and not is_inline:
        headers["Content-Disposition"] = disposition
    headers["Content-Type"] = asset.media_type if is_inline else "application/octet-stream"
    status = 206 if part else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    return _bytes(asset, sent, status=status, headers=headers)


def _bytes(asset: MediaAsset, sent: ByteRange, *, status: int, headers: dict[str, str]) -> HttpResponseBase:
    try:
        file = asset.file.open("rb")
    except FileNotFoundError:
        raise NotVisible from None
    if sent.length <= _WHOLE_BYTES:
        with closing(file):
            file.seek(sent.first)
            return HttpResponse(file.read(sent.length), status=status, headers=headers)
    # A slow reader must not hold one of the pool's connections until the last byte.
    if not connection.in_atomic_block:
        connection.close()
    return StreamingHttpResponse(_read(file, sent), status=status, headers=headers)


async def _read(file: "File[bytes]", sent: ByteRange) -> AsyncIterator[bytes]:
    """Asynchronous, because Django collects a synchronous one whole before it sends the first byte."""
    left = sent.length
    with closing(file):
        await asyncio.to_thread(file.seek, sent.first)
        while left > 0 and (chunk := await asyncio.to_thread(file.read, min(left, _CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk
