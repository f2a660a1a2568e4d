"""Writing prompts: who may, and what is kept."""

import pytest

from prompts.actions import add_version, create_prompt, delete_label, move_label
from prompts.errors import (
    Cycle,
    InvalidPrompt,
    LabelProtected,
    MissingPrompt,
    PromptExists,
    TooDeep,
    WrongType,
)
from prompts.models import PromptLabelMove
from prompts.queries import compile_prompt
from tenants.errors import NotAllowed, NotVisible
from tenants.models import AuditEntry, Role
from tests import factories
from tests.prompts.rows import body_at, kept, refused, tag, text

pytestmark = pytest.mark.django_db


def test_create_prompt(world):
    version = create_prompt(
        by=world.tess,
        university=world.north,
        name="notes/tone",
        type="chat",
        body=[{"role": "user", "content": "{{ x }}"}],
        config={"a": [1]},
        tags=["b", "a"],
        description="How to sound",
        commit_message="First",
        labels=["staging"],
    )
    prompt = version.prompt
    assert (prompt.university, prompt.name, prompt.type, prompt.tags, prompt.description, prompt.latest_number) == (
        world.north,
        "notes/tone",
        "chat",
        ["a", "b"],
        "How to sound",
        1,
    )
    version.refresh_from_db()
    assert (version.university, version.number, version.body, version.config) == (
        world.north,
        1,
        [{"role": "user", "content": "{{ x }}"}],
        {"a": [1]},
    )
    assert (version.commit_message, version.created_by, version.from_library) == ("First", world.tess, False)
    assert list(prompt.labels.values_list("name", "version", "moved_by")) == [("staging", version.pk, world.tess.pk)]
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "university", "actor", "detail")) == [
        ("prompt.version_added", world.north.pk, world.tess.pk, {"name": "notes/tone", "number": 1}),
        (
            "prompt.label_moved",
            world.north.pk,
            world.tess.pk,
            {"name": "notes/tone", "label": "staging", "from": None, "to": 1},
        ),
    ]


def test_versions_are_numbered_and_labels_move(world):
    first = text(world, "a", "one", "production", "staging")
    second = add_version(by=world.tess, prompt=first.prompt, body="two", labels=["staging"])
    assert (second.number, first.prompt.latest_number) == (2, 2)
    found = {
        label: compile_prompt(name="a", label=label, university=world.north).body for label in ("staging", "latest")
    }
    assert found | {"production": body_at(world.north, "a")} == {
        "staging": "two",
        "latest": "two",
        "production": "one",
    }
    move_label(by=world.ada, prompt=first.prompt, label="production", number=2)
    move_label(by=world.ada, prompt=first.prompt, label="production", number=1)
    moves = PromptLabelMove.objects.order_by("pk").values_list("label", "from_version", "to_version", "moved_by")
    assert list(moves) == [
        ("production", None, first.pk, world.ada.pk),
        ("staging", None, first.pk, world.ada.pk),
        ("staging", first.pk, second.pk, world.tess.pk),
        ("production", first.pk, second.pk, world.ada.pk),
        ("production", second.pk, first.pk, world.ada.pk),
    ]


def test_a_label_that_stands_there_already_is_no_move(world):
    version = text(world, "a", "one")
    before = kept()
    label = move_label(by=world.ada, prompt=version.prompt, label="production", number=1)
    assert (label.version, kept()) == (version, before)


def test_delete_label(world):
    version = text(world, "a", "one")
    delete_label(by=world.ada, prompt=version.prompt, label="production")
    assert list(version.prompt.labels.all()) == []
    newest = PromptLabelMove.objects.first()
    assert (newest.from_version, newest.to_version, newest.moved_by) == (version, None, world.ada)
    refused(NotVisible, lambda: delete_label(by=world.ada, prompt=version.prompt, label="production"))
    refused(NotVisible, lambda: move_label(by=world.ada, prompt=version.prompt, label="production", number=9))


def test_who_may_write(world):
    prompt = text(world, "a", "one").prompt
    shared = text(world, "b", "one", university=None).prompt
    assistant = factories.make_user("ta@north.example", "Tara", at=world.north, role=Role.TA)
    for person in (world.sam, assistant, world.oona, world.platform):
        refused(NotAllowed, lambda person=person: add_version(by=person, prompt=prompt, body="x"))
        refused(
            NotAllowed,
            lambda person=person: create_prompt(by=person, university=world.north, name="c", type="text", body="x"),
        )
    for person in (world.tess, world.ada):
        assert add_version(by=person, prompt=prompt, body="x").created_by == person
        refused(NotAllowed, lambda person=person: add_version(by=person, prompt=shared, body="x"))
        refused(
            NotAllowed, lambda person=person: create_prompt(by=person, university=None, name="c", type="text", body="x")
        )
    assert add_version(by=world.platform, prompt=shared, body="x").number == 2


def test_who_may_move_labels(world):
    prompt = text(world, "a", "one", "production", "staging").prompt
    shared = text(world, "b", "one", "production", "staging", university=None).prompt
    add_version(by=world.tess, prompt=prompt, body="two")
    add_version(by=world.platform, prompt=shared, body="two")
    head = factories.make_user("dora@north.example", "Dora", at=world.north, role=Role.DEPARTMENT_ADMIN)
    south_admin = factories.make_user("abe@south.example", "Abe", at=world.south, role=Role.UNIVERSITY_ADMIN)

    def move(person, prompt, label, number=2):
        return lambda: move_label(by=person, prompt=prompt, label=label, number=number)

    for person in (world.tess, head):
        refused(LabelProtected, move(person, prompt, "production"))
        refused(LabelProtected, lambda person=person: delete_label(by=person, prompt=prompt, label="production"))
        refused(
            LabelProtected,
            lambda person=person: add_version(by=person, prompt=prompt, body="x", labels=["production"]),
        )
        refused(
            LabelProtected,
            lambda person=person: create_prompt(
                by=person, university=world.north, name="c", type="text", body="x", labels=["production"]
            ),
        )
        move(person, prompt, "staging")()
    for person in (world.sam, world.oona, south_admin):
        refused(NotAllowed, move(person, prompt, "production"))
        refused(NotAllowed, move(person, prompt, "staging"))
    for person in (world.tess, world.ada, south_admin):
        refused(NotAllowed, move(person, shared, "production"))
        refused(NotAllowed, move(person, shared, "staging"))
    for person in (world.ada, world.platform):
        assert move(person, prompt, "production")().moved_by == person
        move(person, prompt, "production", 1)()
    assert move(world.platform, shared, "production")().version.number == 2


def test_latest_cannot_be_set(world):
    prompt = text(world, "a", "one").prompt
    refused(InvalidPrompt, lambda: move_label(by=world.ada, prompt=prompt, label="latest", number=1))
    refused(InvalidPrompt, lambda: delete_label(by=world.ada, prompt=prompt, label="latest"))
    refused(InvalidPrompt, lambda: add_version(by=world.ada, prompt=prompt, body="x", labels=["latest"]))


def test_malformed_input(world):
    prompt = text(world, "a", "one").prompt
    for fields in (
        {"body": 1},
        {"body": "x", "config": {"a": float("nan")}},
        {"body": "x", "config": {"a": "\x00"}},
        {"body": "x", "config": {"a": "x" * 20_001}},
        {"body": "x", "commit_message": "x" * 501},
        {"body": "x", "commit_message": "\x00"},
        {"body": "x", "labels": ["No"]},
    ):
        refused(InvalidPrompt, lambda fields=fields: add_version(by=world.ada, prompt=prompt, **fields))
    refused(InvalidPrompt, lambda: text(world, "/a", "x"))
    refused(PromptExists, lambda: text(world, "a", "x"))


def test_composition_errors_at_save_are_400(world):
    text(world, "a", "one")
    create_prompt(
        by=world.ada,
        university=world.north,
        name="talk",
        type="chat",
        body=[{"role": "user", "content": "x"}],
        labels=["production"],
    )
    for error, body in ((MissingPrompt, tag("gone")), (WrongType, tag("talk")), (Cycle, tag("root"))):
        assert refused(error, lambda body=body: text(world, "root", body)).status == 400
    for number in range(5, 0, -1):
        text(world, f"p{number}", tag(f"p{number + 1}") if number < 5 else "end")
    assert refused(TooDeep, lambda: text(world, "p0", tag("p1"))).status == 400
    assert refused(MissingPrompt, lambda: text(world, "x", tag("a", "staging"))).status == 400


def test_a_university_cannot_include_what_is_another_universitys(world):
    text(world, "part", "North's")
    teacher = factories.make_user("sue@south.example", "Sue", at=world.south, role=Role.INSTRUCTOR)
    error = refused(
        MissingPrompt,
        lambda: create_prompt(by=teacher, university=world.south, name="root", type="text", body=tag("part")),
    )
    assert error.detail == "There is no prompt “part” (production)."
