"""The group `prompts` of the API, over HTTP with real tokens."""

import hashlib
import json

import pytest

from prompts.actions import add_version, create_prompt
from prompts.models import Prompt, PromptLabel
from tenants.models import Role
from tenants.tokens import start_family
from tests import factories
from tests.prompts.rows import kept, tag, text

pytestmark = pytest.mark.django_db

PROMPTS = "/api/v1/prompts"
NOT_FOUND = {"detail": "There is nothing here.", "code": "not_found"}


@pytest.fixture
def call(client):
    """Call as somebody; the answer's status and its JSON."""
    tokens = {}

    def request(person, method, path="", payload=None):
        if person.pk not in tokens:
            tokens[person.pk] = start_family(person).access_token
        response = client.generic(
            method,
            PROMPTS + path,
            "" if payload is None else json.dumps(payload),
            content_type="application/json",
            headers={"authorization": f"Bearer {tokens[person.pk]}"},
        )
        return response.status_code, response.json() if response.content else None

    return request


@pytest.fixture
def tone(world):
    return text(world, "notes/tone", "Be calm, {{ name }}.")


ENDPOINTS = [
    ("GET", "", None),
    ("POST", "", {"name": "new", "type": "text", "body": "x"}),
    ("GET", "/named/notes/tone", None),
    ("GET", "/versions/notes/tone", None),
    ("POST", "/versions/notes/tone", {"body": "x"}),
    ("PUT", "/labels/staging/notes/tone", {"version": 1}),
    ("DELETE", "/labels/production/notes/tone", None),
]


@pytest.mark.parametrize(("method", "path", "payload"), ENDPOINTS)
def test_who_may_call(world, call, tone, client, method, path, payload):
    south_admin = factories.make_user("abe@south.example", "Abe", at=world.south, role=Role.UNIVERSITY_ADMIN)
    assistant = factories.make_user("ta@north.example", "Tara", at=world.north, role=Role.TA)
    before = kept()
    for outsider in (world.oona, south_admin):
        foreign = call(outsider, method, f"{path}?university=north", payload)
        absent = call(outsider, method, f"{path}?university=nowhere", payload)
        assert foreign == absent == (404, NOT_FOUND)
    for person in (world.sam, assistant):
        expected = (403, {"detail": "Your role does not allow this.", "code": "not_allowed"})
        assert call(person, method, f"{path}?university=north", payload) == expected
    for person in (world.ada, world.oona):
        status, answer = call(person, method, path, payload)
        assert (status, answer["code"]) == (403, "not_allowed")
    assert client.generic(method, PROMPTS + path, "{}", content_type="application/json").status_code == 401
    assert kept() == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", ""),
        ("POST", "/named/notes/tone"),
        ("DELETE", "/versions/notes/tone"),
        ("GET", "/labels/a/notes/tone"),
    ],
)
def test_wrong_method(world, call, tone, method, path):
    assert call(world.ada, method, f"{path}?university=north") == (
        405,
        {"detail": "This address does not know this method.", "code": "method_not_allowed"},
    )


@pytest.mark.parametrize(
    "query",
    [
        *("university=no%00rth", "university=", "prefix=%00", "tag=%00", "label=%00"),
        *("limit=0", "offset=9999999999999999999", "limit=101"),
    ],
)
def test_malformed_queries(world, call, query):
    status, answer = call(world.ada, "GET", f"?university=north&{query}")
    assert status == 422
    assert [error["loc"] for error in answer["detail"]] == [["query", query.partition("=")[0]]]


def test_list(world, call, tone, django_assert_num_queries):
    text(world, "tutor/a", "x", university=None)
    version = create_prompt(
        by=world.tess, university=world.north, name="tutor/a", type="text", body="x", tags=["t"], description="D"
    )
    add_version(by=world.tess, prompt=version.prompt, body="y", labels=["staging"])
    items = [
        {
            "university": "north",
            "name": "notes/tone",
            "type": "text",
            "tags": [],
            "description": "",
            "labels": {"latest": 1, "production": 1},
        },
        {
            "university": "north",
            "name": "tutor/a",
            "type": "text",
            "tags": ["t"],
            "description": "D",
            "labels": {"latest": 2, "staging": 2},
        },
        {
            "university": None,
            "name": "tutor/a",
            "type": "text",
            "tags": [],
            "description": "",
            "labels": {"latest": 1, "production": 1},
        },
    ]
    assert call(world.tess, "GET", "?university=north") == (200, {"items": items, "count": 3})
    second_page = call(world.tess, "GET", "?university=north&offset=2&limit=2")
    assert second_page == (200, {"items": items[2:], "count": 3})
    assert call(world.tess, "GET", "?university=north&prefix=notes/") == (200, {"items": items[:1], "count": 1})
    assert call(world.tess, "GET", "?university=north&tag=t") == (200, {"items": items[1:2], "count": 1})
    assert call(world.tess, "GET", "?university=north&label=staging") == (200, {"items": items[1:2], "count": 1})
    assert call(world.platform, "GET") == (200, {"items": items[2:], "count": 1})


def test_the_list_costs_the_same_for_one_and_for_three(world, call, tone, django_assert_num_queries):
    call(world.tess, "GET", "?university=north")
    with django_assert_num_queries(6):
        call(world.tess, "GET", "?university=north")
    text(world, "a", "x", university=None)
    text(world, "b", "x")
    with django_assert_num_queries(6):
        call(world.tess, "GET", "?university=north")


def _head(version, **fields):
    return {
        "university": "north",
        "name": "notes/tone",
        "type": "text",
        "number": 1,
        "config": {},
        "labels": ["latest", "production"],
        "commit_message": "",
        "created_by": "Ada Adeyemi",
        "created_at": version.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "warnings": [],
    } | fields


def test_read_resolved_and_as_written(world, call, tone):
    body = [{"role": "system", "content": tag("notes/tone")}, {"role": "user", "content": "{{ question }}"}]
    version = create_prompt(
        by=world.tess, university=world.north, name="talk", type="chat", body=body, config={"a": 1}, labels=["staging"]
    )
    head = _head(
        version, name="talk", type="chat", config={"a": 1}, labels=["latest", "staging"], created_by="Tess Tanaka"
    )
    resolved = [{"role": "system", "content": "Be calm, {{ name }}."}, body[1]]
    text_of = json.dumps(resolved, sort_keys=True, separators=(",", ":"))
    include = {"name": "notes/tone", "label": "production"}
    assert call(world.tess, "GET", "/named/talk?university=north&label=staging") == (
        200,
        {
            "version": head,
            "is_resolved": True,
            "body": resolved,
            "includes": [include | {"number": 1}],
            "variables": ["name", "question"],
            "hash": hashlib.sha256(text_of.encode()).hexdigest(),
        },
    )
    assert call(world.tess, "GET", "/named/talk?university=north&version=1&resolve=false") == (
        200,
        {
            "version": head,
            "is_resolved": False,
            "body": body,
            "includes": [include | {"number": None}],
            "variables": ["question"],
            "hash": None,
        },
    )


def test_read_without_a_label_is_production(world, call, tone):
    add_version(by=world.tess, prompt=tone.prompt, body="Not yet.")
    status, answer = call(world.tess, "GET", "/named/notes/tone?university=north")
    assert (status, answer["body"], answer["version"]) == (
        200,
        "Be calm, {{ name }}.",
        _head(tone, labels=["production"]),
    )


def test_read_what_is_not_there(world, call, tone):
    for path in ("/named/notes/other", "/named/notes/tone/", "/named/notes//tone", "/named/a%00b", "/versions/other"):
        assert call(world.tess, "GET", f"{path}?university=north") == (404, NOT_FOUND)
    for query in ("label=staging", "label=NO", "version=2"):
        assert call(world.tess, "GET", f"/named/notes/tone?university=north&{query}") == (404, NOT_FOUND)
    for query in ("version=0", "version=one", "version=99999999999"):
        assert call(world.tess, "GET", f"/named/notes/tone?university=north&{query}")[0] == 422
    assert call(world.tess, "GET", "/named/notes/tone?university=north&version=1&label=latest") == (
        400,
        {"detail": "Ask for a label or for a version, not for both.", "code": "invalid_input"},
    )


def test_read_what_a_later_change_broke(world, call, tone):
    text(world, "root", tag("notes/tone"))
    PromptLabel.objects.filter(prompt=tone.prompt).delete()
    assert call(world.tess, "GET", "/named/root?university=north") == (
        409,
        {"detail": "There is no prompt “notes/tone” (production).", "code": "prompt_missing"},
    )
    status, answer = call(world.tess, "GET", "/named/root?university=north&resolve=false")
    assert (status, answer["body"]) == (200, tag("notes/tone"))


def test_versions(world, call, tone):
    second = add_version(by=world.tess, prompt=tone.prompt, body="@@@langfuse tone@@@", commit_message="Two")
    first_item = _head(tone, labels=["production"]) | {"body": "Be calm, {{ name }}."}
    second_item = _head(
        second,
        number=2,
        labels=["latest"],
        commit_message="Two",
        created_by="Tess Tanaka",
        warnings=["Malformed tag: @@@langfuse tone@@@"],
    ) | {"body": "@@@langfuse tone@@@"}
    assert call(world.tess, "GET", "/versions/notes/tone?university=north") == (
        200,
        {"items": [second_item, first_item], "count": 2},
    )


def test_create(world, call):
    payload = {
        "name": "notes/tone",
        "type": "text",
        "body": "Be calm.",
        "config": {"k": [1]},
        "tags": ["b", "a"],
        "description": "D",
        "commit_message": "First",
        "labels": ["production"],
    }
    status, answer = call(world.ada, "POST", "?university=north", payload)
    version = Prompt.objects.get(name="notes/tone").versions.get()
    expected = _head(version, config={"k": [1]}, commit_message="First") | {"body": "Be calm."}
    assert (status, answer) == (201, expected)
    assert call(world.ada, "POST", "?university=north", payload) == (
        409,
        {"detail": "There is a prompt “notes/tone” already.", "code": "prompt_exists"},
    )


def test_the_platforms_own(world, call):
    payload = {"name": "shared", "type": "chat", "body": [{"role": "user", "content": "x"}]}
    status, answer = call(world.platform, "POST", "", payload)
    assert (status, answer["university"], answer["body"]) == (201, None, payload["body"])
    # A university uses it and cannot write it.
    assert call(world.ada, "GET", "/named/shared?university=north&label=latest")[0] == 200
    assert call(world.ada, "POST", "/versions/shared?university=north", {"body": payload["body"]}) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"type": "poem"},
        {"name": None},
        {"body": [{"role": "boss", "content": "x"}]},
        {"body": [{"role": "user", "content": "x", "more": 1}]},
        {"labels": ["x"] * 21},
        {"config": []},
    ],
)
def test_malformed_writes(world, call, change):
    payload = {"name": "a", "type": "text", "body": "x"} | change
    before = kept()
    status, answer = call(world.ada, "POST", "?university=north", payload)
    assert (status, kept()) == (422, before)
    assert all(set(error) == {"loc", "msg", "type"} for error in answer["detail"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "a//b"}, "prompt_invalid"),
        ({"name": "a\ud800"}, "prompt_invalid"),
        ({"body": "\x00"}, "prompt_invalid"),
        ({"body": [{"role": "user", "content": "x"}]}, "prompt_invalid"),
        ({"labels": ["latest"]}, "prompt_invalid"),
        ({"body": tag("gone")}, "prompt_missing"),
        ({"body": tag("a")}, "prompt_cycle"),
    ],
)
def test_refused_writes(world, call, change, code):
    before = kept()
    status, answer = call(world.ada, "POST", "?university=north", {"name": "a", "type": "text", "body": "x"} | change)
    assert (status, answer["code"], kept()) == (400, code, before)


def test_add_version_and_move_labels(world, call, tone):
    path = "/versions/notes/tone?university=north"
    status, answer = call(world.tess, "POST", path, {"body": "Calmer.", "labels": ["staging"]})
    assert (status, answer["number"], answer["labels"]) == (201, 2, ["latest", "staging"])
    label = "/labels/production/notes/tone?university=north"
    assert call(world.tess, "PUT", label, {"version": 2}) == (
        403,
        {
            "detail": "The label “production” is protected: only an administrator may move it.",
            "code": "label_protected",
        },
    )
    status, answer = call(world.ada, "PUT", label, {"version": 2})
    assert (status, answer["name"], answer["version"]) == (200, "production", 2)
    assert call(world.ada, "PUT", label, {"version": 3}) == (
        404,
        {"detail": "“notes/tone” has no version 3.", "code": "not_found"},
    )
    assert call(world.ada, "PUT", label, {"version": 0})[0] == 422
    assert call(world.ada, "DELETE", label) == (204, None)
    assert call(world.ada, "GET", "/named/notes/tone?university=north") == (404, NOT_FOUND)


def test_a_move_that_would_break_others_is_refused(world, call, tone):
    text(world, "root", tag("notes/tone"))
    before = kept()
    status, answer = call(world.ada, "DELETE", "/labels/production/notes/tone?university=north")
    assert (status, answer["code"], kept()) == (409, "prompt_would_break", before)
