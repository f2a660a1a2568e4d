"""Names of things outside PostgreSQL, which begin with their university."""

import pytest
from channels.layers import InMemoryChannelLayer

from lms.courses.models import MediaAsset, media_upload_path
from tenants.keys import PLATFORM, key_for
from tenants.slugs import RESERVED

ID = "0b0e7a52-5f0c-4f0e-8f3b-7a1d9b6c2e10"
# The largest that a column holds.
LAST = 2**63 - 1


def test_the_university_comes_first():
    assert [
        key_for(7, "tutor", ID),
        key_for("north"),
        key_for(PLATFORM, "sends_per_minute", "user", 42),
        key_for(7, 12, "a1b2.png", joined_by="/"),
    ] == [f"7.tutor.{ID}", "north", "platform.sends_per_minute.user.42", "7/12/a1b2.png"]


def test_no_university_can_be_taken_for_the_platform():
    assert PLATFORM in RESERVED


def test_a_key_may_name_a_channel_group():
    assert InMemoryChannelLayer().require_valid_group_name(key_for(LAST, "tutor", ID))


@pytest.mark.parametrize(
    ("university", "parts", "joined_by"),
    [
        (7, ["a.b"], "."),
        (7, ["a/b"], "."),
        (7, ["a b"], "."),
        (7, ["ä"], "."),
        (7, ["a\n"], "."),
        (7, [""], "."),
        (7, ["12", "..", "8"], "/"),
        (7, ["."], "/"),
        (7, [""], "/"),
        (7, ["8/9.png"], "/"),
        (7, ["..\\8"], "/"),
        ("7.tutor", ["a"], "."),
        ("7/8", ["a"], "/"),
        ("", ["a"], "."),
    ],
)
def test_what_could_reach_into_another_university_is_refused(university, parts, joined_by):
    with pytest.raises(ValueError, match="cannot be part of a key"):
        key_for(university, *parts, joined_by=joined_by)


def test_files_lie_where_they_always_lay():
    asset = MediaAsset(university_id=7, course_id=12, sha256="a1b2")
    assert media_upload_path(asset, "pictures/Chart.PNG") == "7/12/a1b2.png"
