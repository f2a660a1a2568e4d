"""Files of courses: for whom, with which headers, whole and in parts."""

import hashlib

import pytest
from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client, TestCase, TransactionTestCase

from lms.courses.media_ranges import ByteRange, NotSatisfiable, requested_range
from lms.courses.models import Course, MediaAsset
from tests.world import World, make_world

BYTES = bytes(range(200))


def make_asset(course: Course, path: str, media_type: str, content: bytes = BYTES) -> MediaAsset:
    return MediaAsset.objects.create(
        university=course.university,
        course=course,
        path=path,
        file=ContentFile(content, name=path.rpartition("/")[2]),
        media_type=media_type,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


@pytest.fixture
def sam(client: Client, world: World) -> Client:
    client.force_login(world.sam)
    return client


def address(world: World, path: str) -> str:
    return f"/north/media/{world.course.pk}/{path}"


def headers(response, *names: str) -> dict[str, str | None]:
    return {name: response.headers.get(name) for name in names}


class TestWhole:
    def test_comes_with_safe_headers(self, sam: Client, world: World) -> None:
        asset = make_asset(world.course, "images/Kurve ü.png", "image/png")
        answer = sam.get(address(world, "images/Kurve%20%C3%BC.png"))
        assert (answer.status_code, answer.content) == (200, BYTES)
        assert headers(
            answer,
            "Content-Type",
            "Content-Length",
            "Content-Disposition",
            "Accept-Ranges",
            "Cache-Control",
            "ETag",
            "X-Content-Type-Options",
        ) == {
            "Content-Type": "image/png",
            "Content-Length": "200",
            "Content-Disposition": None,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, max-age=300",
            "ETag": f'"{asset.sha256}"',
            "X-Content-Type-Options": "nosniff",
        }
        assert "Cookie" in answer.headers["Vary"]

    @pytest.mark.parametrize(
        ("media_type", "sent"),
        [
            ("video/mp4", "video/mp4"),
            ("text/vtt", "text/vtt"),
            ("application/pdf", "application/pdf"),
            ("text/html", None),
            ("application/zip", None),
            ("text/plain", None),
        ],
    )
    def test_only_known_types_are_shown(self, sam: Client, world: World, media_type: str, sent: str | None) -> None:
        make_asset(world.course, "a/file.bin", media_type)
        answer = sam.get(address(world, "a/file.bin"))
        assert headers(answer, "Content-Type", "Content-Disposition") == {
            "Content-Type": sent or "application/octet-stream",
            "Content-Disposition": None if sent else 'attachment; filename="file.bin"',
        }

    def test_a_drawing_is_inert(self, sam: Client, world: World) -> None:
        make_asset(world.course, "x.svg", "image/svg+xml", b"<svg><script>alert(1)</script></svg>")
        answer = sam.get(address(world, "x.svg"))
        assert headers(answer, "Content-Type", "Content-Security-Policy") == {
            "Content-Type": "image/svg+xml",
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        }

    def test_is_not_sent_again(self, sam: Client, world: World) -> None:
        asset = make_asset(world.course, "x.png", "image/png")
        answer = sam.get(address(world, "x.png"), headers={"If-None-Match": f'"{asset.sha256}"'})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", f'"{asset.sha256}"')
        assert sam.get(address(world, "x.png"), headers={"If-None-Match": '"other"'}).status_code == 200

    def test_an_empty_file_is_a_file(self, sam: Client, world: World) -> None:
        make_asset(world.course, "x.vtt", "text/vtt", b"")
        answer = sam.get(address(world, "x.vtt"))
        assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", "0")

    def test_head_has_no_body(self, sam: Client, world: World) -> None:
        make_asset(world.course, "x.png", "image/png")
        answer = sam.head(address(world, "x.png"))
        assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", "200")

    def test_costs_few_queries(self, sam: Client, world: World, django_assert_num_queries) -> None:
        make_asset(world.course, "x.png", "image/png")
        with django_assert_num_queries(3):
            sam.get(address(world, "x.png"))


class TestRights:
    def test_members_see_files_of_published_courses(self, client: Client, world: World) -> None:
        make_asset(world.course, "x.png", "image/png")
        for person, status in [("sam", 200), ("tess", 200), ("ada", 200), ("platform", 200), ("oona", 404)]:
            client.force_login(getattr(world, person))
            assert (person, client.get(address(world, "x.png")).status_code) == (person, status)
        Course.objects.update(status="draft")
        for person, status in [("sam", 404), ("tess", 200), ("platform", 200), ("oona", 404)]:
            client.force_login(getattr(world, person))
            assert (person, client.get(address(world, "x.png")).status_code) == (person, status)

    def test_absent_and_foreign_are_the_same(self, client: Client, world: World) -> None:
        make_asset(world.course, "x.png", "image/png")
        client.force_login(world.oona)
        paths = [
            address(world, "x.png"),
            address(world, "absent.png"),
            f"/south/media/{world.course.pk}/x.png",
            f"/south/media/{world.south_course.pk}/x.png",
            "/north/media/999999/x.png",
        ]
        answers = [client.get(path) for path in paths]
        assert [answer.status_code for answer in answers] == [404] * 5
        assert len({answer.content for answer in answers}) == 1

    def test_a_course_has_its_own_files(self, sam: Client, world: World) -> None:
        other = Course.objects.create(
            university=world.north, code="O1", title="Other", slug="other", status="published"
        )
        make_asset(other, "x.png", "image/png")
        assert sam.get(address(world, "x.png")).status_code == 404

    def test_strangers_sign_in_first_and_nobody_posts(self, client: Client, world: World) -> None:
        make_asset(world.course, "x.png", "image/png")
        assert client.get(address(world, "x.png")).status_code == 302
        client.force_login(world.sam)
        assert client.post(address(world, "x.png")).status_code == 405

    def test_a_file_that_the_storage_lost_is_absent(self, sam: Client, world: World) -> None:
        asset = make_asset(world.course, "x.png", "image/png")
        default_storage.delete(asset.file.name)
        assert sam.get(address(world, "x.png")).status_code == 404

    @pytest.mark.parametrize("path", ["../x.png", "%2e%2e/x.png", "a%00b.png", "/etc/passwd"])
    def test_paths_lead_nowhere_else(self, sam: Client, world: World, path: str) -> None:
        make_asset(world.course, "x.png", "image/png")
        assert sam.get(address(world, path)).status_code == 404


class TestParts:
    def part(self, sam: Client, world: World, wanted: str, **more: str):
        return sam.get(address(world, "film.mp4"), headers={"Range": wanted, **more})

    @pytest.fixture(autouse=True)
    def film(self, world: World) -> MediaAsset:
        return make_asset(world.course, "film.mp4", "video/mp4")

    def test_is_sent_alone(self, sam: Client, world: World) -> None:
        answer = self.part(sam, world, "bytes=10-19")
        assert (answer.status_code, answer.content) == (206, BYTES[10:20])
        assert headers(answer, "Content-Range", "Content-Length", "Content-Type") == {
            "Content-Range": "bytes 10-19/200",
            "Content-Length": "10",
            "Content-Type": "video/mp4",
        }
        assert self.part(sam, world, "bytes=-5").content == BYTES[195:]
        assert self.part(sam, world, "bytes=190-").content == BYTES[190:]

    def test_beyond_the_end_is_refused(self, sam: Client, world: World) -> None:
        answer = self.part(sam, world, "bytes=200-")
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */200")

    def test_of_another_version_is_the_whole_file(self, sam: Client, world: World, film: MediaAsset) -> None:
        assert self.part(sam, world, "bytes=0-1", **{"If-Range": f'"{film.sha256}"'}).status_code == 206
        assert self.part(sam, world, "bytes=0-1", **{"If-Range": '"other"'}).content == BYTES


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("bytes=0-", ByteRange(0, 99)),
        ("bytes=0-0", ByteRange(0, 0)),
        ("bytes=5-1000", ByteRange(5, 99)),
        ("bytes=-1000", ByteRange(0, 99)),
        ("bytes=99-99", ByteRange(99, 99)),
        # What makes no sense, or asks for several, is passed over.
        ("bytes=9-5", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_ranges(header: str, expected: ByteRange | None) -> None:
    assert requested_range(header, 100) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-", 0)])
def test_ranges_that_are_not_there(header: str, size: int) -> None:
    with pytest.raises(NotSatisfiable):
        requested_range(header, size)


class LargeFileTest(TestCase):
    """Larger than what is read at once, over the ASGI path that serves the site."""

    def setUp(self) -> None:
        self.world = make_world()
        self.content = hashlib.shake_128(b"film").digest(1_500_000)
        make_asset(self.world.course, "film.mp4", "video/mp4", self.content)

    async def fetch(self, **sent: str) -> tuple[int, list[bytes]]:
        await self.async_client.aforce_login(self.world.sam)
        answer = await self.async_client.get(address(self.world, "film.mp4"), headers=sent)
        return answer.status_code, [chunk async for chunk in answer]

    async def test_is_sent_as_it_is_read(self) -> None:
        status, chunks = await self.fetch()
        assert (status, b"".join(chunks) == self.content) == (200, True)
        assert [len(chunk) for chunk in chunks] == [262_144] * 5 + [189_280]

    async def test_a_large_part_is_too(self) -> None:
        status, chunks = await self.fetch(Range="bytes=100000-1399999")
        assert (status, b"".join(chunks) == self.content[100_000:1_400_000]) == (206, True)
        assert len(chunks) == 5


class SlowReaderTest(TransactionTestCase):
    """Outside a test's transaction, as the site runs."""

    async def test_holds_no_connection_while_reading(self) -> None:
        world = await sync_to_async(make_world)()
        await sync_to_async(make_asset)(world.course, "film.mp4", "video/mp4", bytes(1_500_000))
        await self.async_client.aforce_login(world.sam)
        answer = await self.async_client.get(address(world, "film.mp4"))
        assert await sync_to_async(lambda: connection.connection)() is None
        assert sum([len(chunk) async for chunk in answer]) == 1_500_000
