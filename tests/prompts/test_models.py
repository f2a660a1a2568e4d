"""What the database itself refuses."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from prompts.models import Prompt, PromptLabel, PromptVersion

pytestmark = pytest.mark.django_db


def _prompt(university=None, name="notes/tone", text="Be calm."):
    prompt = Prompt.objects.create(university=university, name=name, type="text", latest_number=1)
    version = PromptVersion.objects.create(university=university, prompt=prompt, number=1, body=text)
    return prompt, version


def _refused(write):
    def write_and_check():
        with transaction.atomic():
            write()
            connection.check_constraints()

    with pytest.raises(IntegrityError):
        write_and_check()


@pytest.mark.parametrize("field", ["body", "number", "config", "commit_message", "from_library"])
def test_a_version_never_changes(field):
    _, version = _prompt()
    changed = {"body": "Be loud.", "number": 2, "config": {"a": 1}, "commit_message": "x", "from_library": True}
    _refused(lambda: PromptVersion.objects.filter(pk=version.pk).update(**{field: changed[field]}))
    version.refresh_from_db()
    assert (version.body, version.number, version.config) == ("Be calm.", 1, {})


def test_a_version_outlives_the_account_of_its_author(world):
    prompt, _ = _prompt(world.north)
    version = PromptVersion.objects.create(
        university=world.north, prompt=prompt, number=2, body="b", created_by=world.tess
    )
    world.tess.delete()
    version.refresh_from_db()
    assert (version.created_by, version.body) == (None, "b")


def test_name_type_and_university_never_change(world):
    prompt, _ = _prompt()
    for change in ({"name": "other"}, {"type": "chat"}, {"university": world.north}):
        _refused(lambda change=change: Prompt.objects.filter(pk=prompt.pk).update(**change))


def test_a_name_is_unique_for_each_university_and_for_the_platform(world):
    _prompt()
    _prompt(world.north)
    _prompt(world.south)
    _refused(_prompt)
    _refused(lambda: _prompt(world.north))


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "a|b"])
def test_malformed_names(name):
    _refused(lambda: _prompt(name=name))


def test_numbers_are_unique_and_start_at_1():
    prompt, _ = _prompt()
    for number in (0, 1):
        _refused(lambda number=number: PromptVersion.objects.create(prompt=prompt, number=number, body=""))


@pytest.mark.parametrize("name", ["latest", "", "Production", "a b", "a" * 37])
def test_malformed_labels(name):
    prompt, version = _prompt()
    with pytest.raises(DatabaseError), transaction.atomic():
        PromptLabel.objects.create(prompt=prompt, name=name, version=version)
    assert not prompt.labels.exists()


def test_children_are_of_the_university_of_their_prompt(world):
    prompt, version = _prompt(world.north)
    shared, _ = _prompt()
    _refused(lambda: PromptVersion.objects.create(university=None, prompt=prompt, number=2, body="Everybody's."))
    _refused(lambda: PromptVersion.objects.create(university=world.south, prompt=shared, number=2, body="South's."))
    _refused(lambda: PromptLabel.objects.create(university=world.south, prompt=prompt, name="a", version=version))


def test_a_label_stands_on_a_version_of_its_own_prompt(world):
    prompt, _ = _prompt(world.north)
    _, foreign = _prompt(world.north, name="notes/other")
    _refused(lambda: PromptLabel.objects.create(university=world.north, prompt=prompt, name="a", version=foreign))


def test_a_label_stands_on_one_version():
    prompt, version = _prompt()
    PromptLabel.objects.create(prompt=prompt, name="a", version=version)
    _refused(lambda: PromptLabel.objects.create(prompt=prompt, name="a", version=version))


def test_deleting_a_university_takes_its_prompts_along():
    from tests.factories import make_university

    east = make_university("east", "Eastern University")
    prompt, version = _prompt(east)
    PromptLabel.objects.create(university=east, prompt=prompt, name="a", version=version)
    east.delete()
    assert list(Prompt.objects.all()) == []
