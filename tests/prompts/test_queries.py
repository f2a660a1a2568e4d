import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from prompts import queries
from prompts.actions import add_version, create_prompt
from prompts.composition import Reference
from prompts.errors import MissingPrompt
from prompts.models import Prompt, PromptLabel
from tenants.errors import NotVisible
from tests.prompts.rows import tag, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def composed(world):
    """North's root of two parts, one of them the platform's, with a part in common."""
    text(world, "common", "c", university=None)
    text(world, "shared", f"s{tag('common')}", university=None)
    text(world, "own", f"o{tag('common', 'latest')}")
    return text(world, "root", f"{tag('own')} {tag('shared')} {tag('own')} {{{{ x }}}}")


def test_compile_prompt_costs_a_query_for_each_level(world, composed, django_assert_num_queries):
    with django_assert_num_queries(3):
        compiled = queries.compile_prompt(name="root", university=world.north)
    assert compiled.body == "oc sc oc {{ x }}"


def test_recompiling_from_the_stored_versions_gives_the_same(world, composed, django_assert_num_queries):
    before = queries.compile_prompt(name="root", university=world.north)
    used = [version.as_json() for version in before.versions]
    assert [(entry["name"], entry["label"], entry["number"]) for entry in used] == [
        ("root", "production", 1),
        ("own", "production", 1),
        ("common", "latest", 1),
        ("shared", "production", 1),
        ("common", "production", 1),
    ]
    add_version(by=world.platform, prompt=Prompt.objects.get(name="common"), body="changed", labels=["production"])
    text(world, "shared", "North's instead")
    now = queries.compile_prompt(name="root", university=world.north)
    assert now.body == "ochanged North's instead ochanged {{ x }}"
    with django_assert_num_queries(1):
        again = queries.recompile(used)
    assert (again, again.hash) == (before, before.hash)
    assert now.hash != before.hash


def test_recompiling_nothing_or_what_is_gone():
    with pytest.raises(MissingPrompt):
        queries.recompile([])
    with pytest.raises(MissingPrompt):
        queries.recompile([{"id": 9, "name": "a", "label": "production", "number": 1}])


def test_a_missing_prompt_is_a_conflict_at_read(world):
    with pytest.raises(MissingPrompt) as refused:
        queries.compile_prompt(name="root", university=world.north)
    assert (refused.value.status, refused.value.code) == (409, "prompt_missing")


def test_another_universitys_prompt_is_missing(world):
    text(world, "root", "North's own")
    with pytest.raises(MissingPrompt):
        queries.compile_prompt(name="root", university=world.south)
    with pytest.raises(MissingPrompt):
        queries.compile_prompt(name="root", university=None)


@pytest.mark.parametrize("label", ["production", "latest"])
def test_stored_version_prefers_the_universitys_own(world, label):
    shared, own = text(world, "a", "shared", university=None), text(world, "a", "own")
    reference = Reference("a", label=label)
    assert queries.stored_version(reference, world.north) == own
    assert queries.stored_version(reference, world.south) == shared
    assert queries.stored_version(reference, None) == shared
    assert queries.stored_version(Reference("a", number=1), world.north) == own


@pytest.mark.parametrize(
    "reference",
    [
        Reference("b", label="production"),
        Reference("a", label="staging"),
        Reference("a", number=2),
        Reference("a\x00", number=1),
        Reference("a", label="\x00"),
    ],
)
def test_stored_version_that_is_not_there(world, reference):
    text(world, "a", "own")
    with pytest.raises(NotVisible):
        queries.stored_version(reference, world.north)


def _listed(found):
    return [(prompt.name, prompt.university and prompt.university.slug) for prompt in found]


def test_prompts_for(world):
    for name in ("tutor/b", "tutor/a"):
        text(world, name, "x", university=None)
    create_prompt(
        by=world.ada, university=world.north, name="tutor/b", type="text", body="x", tags=["t"], labels=["staging"]
    )
    text(world, "other", "x")
    everything = [("other", "north"), ("tutor/a", None), ("tutor/b", "north"), ("tutor/b", None)]
    assert _listed(queries.prompts_for(world.north)) == everything
    assert _listed(queries.prompts_for(world.south)) == [("tutor/a", None), ("tutor/b", None)]
    assert _listed(queries.prompts_for(None)) == [("tutor/a", None), ("tutor/b", None)]
    assert _listed(queries.prompts_for(world.north, prefix="tutor/")) == everything[1:]
    assert _listed(queries.prompts_for(world.north, prefix="tutor/_")) == []
    assert _listed(queries.prompts_for(world.north, tag="t")) == [("tutor/b", "north")]
    assert _listed(queries.prompts_for(world.north, label="staging")) == [("tutor/b", "north")]
    assert _listed(queries.prompts_for(world.north, label="latest")) == everything


def test_versions_for(world):
    shared, own = text(world, "a", "shared", university=None), text(world, "a", "own")
    second = add_version(by=world.ada, prompt=own.prompt, body="own 2")
    assert list(queries.versions_for(world.north, "a")) == [second, own]
    assert list(queries.versions_for(world.south, "a")) == [shared]
    for name in ("b", "a\x00"):
        with pytest.raises(NotVisible):
            queries.versions_for(world.north, name)


def test_broken_labels_cost_the_same_for_one_prompt_and_for_many(world, composed):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            assert queries.broken_labels(None) == {}
        return len(captured)

    before = cost()
    for number in range(5):
        text(world, f"more/{number}", f"{tag('root')}")
    assert (before, cost()) == (4, 4)


def test_findings(world):
    text(world, "fine", "x")
    version = text(world, "odd", "@@@langfusePrompt:name=x@@@")
    part = text(world, "part", "p", university=None).prompt
    text(world, "root", tag("part"))
    assert queries.findings() == [
        "“odd” (latest) at north has a malformed tag: @@@langfusePrompt:name=x@@@",
        "“odd” (production) at north has a malformed tag: @@@langfusePrompt:name=x@@@",
    ]
    # An older version that nothing stands on is nobody's concern.
    add_version(by=world.ada, prompt=version.prompt, body="mended", labels=["production"])
    PromptLabel.objects.filter(prompt=part).delete()
    assert queries.findings() == [
        "“root” (production) at north does not compile: There is no prompt “part” (production).",
        "“root” (latest) at north does not compile: There is no prompt “part” (production).",
    ]
