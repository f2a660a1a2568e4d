"""Each way in which database, content and site may not be as they must."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.models.functions import Now

from lms.courses.models import ContentType
from lms.doctor import content, database, site
from lms.doctor.findings import Verdict, fail, ok, warn
from prompts.models import PromptLabel
from tenants.register import POLICIES, Policy, Wall
from tests.tutoring.rows import make_reply
from tests.world import World


@pytest.mark.django_db
class TestDatabase:
    def test_a_role_that_may_too_much(self, monkeypatch: pytest.MonkeyPatch) -> None:
        said = []
        for role in ("colloquy_owner", "postgres"):
            monkeypatch.setitem(connections["default"].settings_dict, "USER", role)
            said.append(re.sub(r"\d+", "N", database.application_role().sentence))
        assert said == [
            "The application's role colloquy_owner owns N relations: give DATABASE_URL a role without rights.",
            "The application's role postgres is a superuser and passes by row-level security and owns N relations:"
            " give DATABASE_URL a role without rights.",
        ]

    def test_one_role_for_two_addresses(self, settings: Any) -> None:
        settings.APPLICATION_ROLE = settings.PLATFORM_ROLE = "colloquy_owner"
        assert database.owner() == fail(
            "DATABASE_OWNER_URL names the role colloquy_owner, which one of the other two addresses names too."
        )
        assert database.platform() == fail(
            "DATABASE_URL and DATABASE_PLATFORM_URL name the same role, colloquy_platform."
        )

    def test_a_wall_that_differs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(POLICIES, Wall.DIRECTORY, [Policy("other", "SELECT", "true")])
        assert database.walls() == fail(
            "The table tenants_university lacks its policy other. (3 in all: see manage.py check --database default)"
        )

    def test_a_server_that_does_not_answer(self, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        for alias in ("default", "owner"):
            monkeypatch.setitem(connections[alias].settings_dict, "PORT", closed_port)
        said = [database.database(), database.owner()]
        assert [verdict.state for verdict in said] == ["fail", "fail"]
        assert f'server at "127.0.0.1", port {closed_port} failed: Connection refused' in said[0].sentence

    def test_an_old_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database, "_OLDEST", 99)
        verdict = database.database()
        assert (verdict.state, verdict.sentence.endswith("It must be 99 or newer.")) == ("fail", True)

    def test_the_embedded_server_is_no_server_for_a_site(self, settings: Any) -> None:
        settings.DEBUG = False
        verdict = database.database()
        assert (verdict.state, "It is meant for trials" in verdict.sentence) == ("warn", True)

    @pytest.mark.parametrize(
        ("size", "processes", "verdict"),
        [
            (10, "", ok("At most 10 connections, of 197 that the server has.")),
            (10, "4", ok("At most 40 connections, of 197 that the server has.")),
            (50, "4", warn("The pool may take 200 connections, and the server has 197: lower DATABASE_POOL_SIZE.")),
        ],
    )
    def test_pools(self, size: int, processes: str, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WEB_CONCURRENCY", processes)
        monkeypatch.setitem(database.settings.DATABASES["default"], "OPTIONS", {"pool": {"max_size": size}})
        assert database.pool() == verdict


class TestContent:
    def test_content_types_that_are_missing_or_old(self, whole: World) -> None:
        ContentType.objects.filter(slug="quiz").update(schema={})
        assert content.content_types() == warn("Not as they ship: quiz. Run manage.py load_content_types.")
        ContentType.objects.exclude(slug="text").delete()
        assert content.content_types() == fail(
            "Missing: assignment, engineering_lab, quiz, resource, video. Run manage.py load_content_types."
        )

    def test_a_prompt_that_does_not_compile(self, whole: World) -> None:
        PromptLabel.objects.exclude(prompt__name="tutor/lesson").delete()
        verdict = content.prompts()
        assert verdict.state == "fail"
        pattern = r"“tutor/lesson” .* does not compile: .* \(2 in all: see manage\.py prompts check\)"
        assert re.fullmatch(pattern, verdict.sentence)
        assert content.lesson_prompts() == fail(
            "Lessons name a prompt that does not compile: tutor/lesson (production) at north, and 1 more."
        )

    def test_only_published_items_count(self, whole: World) -> None:
        whole.item.prompt_name = "tutor/none"
        whole.item.save()
        assert content.lesson_prompts() == fail(
            "Lessons name a prompt that does not compile: tutor/none (production) at north."
        )
        whole.item.status = "draft"
        whole.item.save()
        assert content.lesson_prompts() == ok("Every published item's prompt compiles; 2 are in use.")

    def test_replies_whose_process_is_gone(self, whole: World) -> None:
        make_reply(whole.sam, whole.offering, whole.item, "a", lease_until=Now() + timedelta(seconds=30))
        assert content.replies() == ok("None waits for a process that is gone.")
        make_reply(whole.sam, whole.offering, whole.item, "b")
        assert content.replies() == warn(
            "1 wait for a process that is gone. A running server ends them within seconds; without one, run"
            " manage.py recover_replies."
        )


class TestSite:
    @pytest.mark.parametrize(
        ("secret", "signing", "verdict"),
        [
            ("s" * 50, "j" * 50, ok("Long, and not those of the source.")),
            ("development-only", "j" * 50, "SECRET_KEY is the one of the source: give it a long random value."),
            ("s" * 50, "development-only-" + "j" * 32, "JWT_SIGNING_KEY is the one of the source: give it a long"),
            ("s" * 31, "j" * 50, "SECRET_KEY is shorter than 32 characters."),
            ("s" * 50, "s" * 50, "SECRET_KEY and JWT_SIGNING_KEY are the same, so that renewing one spends the other."),
        ],
    )
    def test_secrets(self, settings: Any, secret: str, signing: str, verdict: Verdict | str) -> None:
        settings.DEBUG, settings.SECRET_KEY, settings.JWT_SIGNING_KEY = False, secret, signing
        found = site.secrets()
        if isinstance(verdict, str):
            assert (found.state, found.sentence[: len(verdict)]) == ("fail", verdict)
        else:
            assert found == verdict

    @pytest.mark.parametrize(
        ("url", "hosts", "state"),
        [
            ("https://learn.example", ["learn.example"], "ok"),
            ("https://learn.example", [".example"], "ok"),
            ("https://[::1]:8000", ["[::1]"], "ok"),
            ("https://learn.example", ["other.example"], "fail"),
            ("https://learn.example", ["*"], "warn"),
            ("http://learn.example", ["learn.example"], "warn"),
        ],
    )
    def test_addresses(self, settings: Any, url: str, hosts: list[str], state: str) -> None:
        settings.DEBUG, settings.SITE_URL, settings.ALLOWED_HOSTS = False, url, hosts
        settings.IS_HTTPS = url.startswith("https")
        assert site.addresses().state == state

    def test_static_files(self, settings: Any, tmp_path: Path) -> None:
        settings.STATIC_ROOT = tmp_path
        storage = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
        settings.STORAGES = settings.STORAGES | {"staticfiles": storage}
        assert site.static_files() == fail("Not collected, and every page needs them: run manage.py collectstatic.")
        manifest = {"version": "1.1", "paths": {"a.css": "a.1.css"}, "hash": ""}
        (tmp_path / "staticfiles.json").write_text(json.dumps(manifest))
        settings.STATIC_ROOT = str(tmp_path)
        assert site.static_files() == ok("1 are collected.")

    def test_media_files(self, settings: Any, tmp_path: Path) -> None:
        settings.MEDIA_ROOT = tmp_path
        assert site.media_files() == ok("The storage can be written.")
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
        (tmp_path / "file").touch()
        settings.MEDIA_ROOT = tmp_path / "file"
        assert site.media_files() == fail("The storage of media files cannot be written (NotADirectoryError).")
