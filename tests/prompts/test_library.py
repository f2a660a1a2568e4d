"""Loading what ships, and the two commands."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from prompts.actions import add_version, create_prompt, delete_label, load_library, move_label
from prompts.errors import InvalidPrompt, MissingPrompt, WouldBreak
from prompts.models import Prompt, PromptLabel, PromptVersion
from prompts.queries import compile_prompt
from tenants.models import AuditEntry
from tests.prompts.rows import kept, tag, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def library(tmp_path):
    """Writes files of text prompts, labelled `production`; returns the folder."""

    def write(**bodies):
        for name, body in bodies.items():
            head = f"name: {name}\ntype: text\nlabels: [production]\ncommit_message: From the file"
            (tmp_path / f"{name}.md").write_text(f"---\n{head}\n---\n{body}\n", encoding="utf-8")
        return tmp_path

    return write


def production(name):
    return PromptLabel.objects.get(prompt__name=name, name="production").version.number


def test_loads_and_loads_again_without_a_change(library):
    folder = library(root=f"r {tag('part')}", part="p")
    assert load_library(folder) == [
        "part: new version 1",
        "part: label production put on version 1",
        "root: new version 1",
        "root: label production put on version 1",
    ]
    version = PromptVersion.objects.get(prompt__name="part")
    assert (version.university, version.body, version.commit_message, version.from_library, version.created_by) == (
        None,
        "p",
        "From the file",
        True,
        None,
    )
    before = kept()
    assert load_library(folder) == ["part: unchanged", "root: unchanged"]
    assert kept() == before


def test_a_changed_file_makes_a_version_and_takes_production_along(library):
    folder = library(root=f"r {tag('part')}", part="p")
    load_library(folder)
    library(part="p2")
    assert load_library(folder) == [
        "part: new version 2",
        "part: label production put on version 2",
        "root: unchanged",
    ]
    assert compile_prompt(name="root", university=None).body == "r p2"
    assert AuditEntry.objects.filter(action="prompt.label_moved", actor=None).count() == 3


def test_an_operators_choice_stays(world, library):
    folder = library(part="p")
    load_library(folder)
    prompt = Prompt.objects.get(name="part")
    add_version(by=world.platform, prompt=prompt, body="ours", labels=["production"])
    assert load_library(folder) == ["part: label production left on version 2, where it was put by hand"]
    library(part="p2")
    assert load_library(folder) == [
        "part: new version 3",
        "part: label production left on version 2, where it was put by hand",
    ]
    # Taken away is a choice too; back where the library left it, the library goes on from there.
    delete_label(by=world.platform, prompt=prompt, label="production")
    assert load_library(folder) == ["part: label production left removed, where it was put by hand"]
    move_label(by=world.platform, prompt=prompt, label="production", number=1)
    assert load_library(folder) == ["part: label production put on version 3"]


def test_a_prompt_that_the_platform_has_already(world, library):
    create_prompt(by=world.platform, university=None, name="part", type="text", body="ours", labels=["production"])
    assert load_library(library(part="p")) == [
        "part: new version 2",
        "part: label production left on version 1, where it was put by hand",
    ]
    messages = [{"role": "user", "content": "x"}]
    create_prompt(by=world.platform, university=None, name="talk", type="chat", body=messages)
    with pytest.raises(InvalidPrompt, match="talk: the platform has a chat prompt of this name; the file is text"):
        load_library(library(talk="x"))


def test_a_universitys_own_prompt_is_left_alone(world, library):
    text(world, "part", "north")
    load_library(library(part="p"))
    assert compile_prompt(name="part", university=world.north).body == "north"
    assert compile_prompt(name="part", university=world.south).body == "p"


def test_all_or_nothing(world, library):
    folder = library(a="a", root=tag("gone"))
    with pytest.raises(MissingPrompt):
        load_library(folder)
    assert list(Prompt.objects.all()) == []
    (folder / "root.md").unlink()
    load_library(folder)
    text(world, "north", tag("a"))
    text(world, "b", tag("north"))
    text(world, "a2", "x", university=None)
    library(a=tag("b"), b="harmless here")
    before = kept()
    with pytest.raises(WouldBreak, match="“north” \\(production\\) at north"):
        load_library(folder)
    assert kept() == before


def run(*command):
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_load_prompts_loads_what_ships():
    first = run("load_prompts")
    assert "tutor/lesson: new version 1\ntutor/lesson: label production put on version 1\n" in first
    assert set(run("load_prompts").splitlines()) == {f"{prompt.name}: unchanged" for prompt in Prompt.objects.all()}
    compiled = compile_prompt(name="tutor/lesson", university=None)
    assert [message["role"] for message in compiled.body] == ["system", "user", "user"]
    assert run("prompts", "check") == "Every label compiles, and no tag is malformed.\n"


def test_load_prompts_says_why_not(world):
    create_prompt(by=world.platform, university=None, name="tutor/lesson", type="text", body="x")
    with pytest.raises(CommandError, match="tutor/lesson: the platform has a text prompt"):
        run("load_prompts")


def test_prompts_check_fails_on_a_malformed_tag(world):
    text(world, "odd", "@@@langfusePrompt:odd@@@")
    out = StringIO()
    with pytest.raises(CommandError, match="2 found") as failed:
        call_command("prompts", "check", stdout=out)
    assert failed.value.returncode == 1
    assert out.getvalue() == (
        "“odd” (latest) at north has a malformed tag: @@@langfusePrompt:odd@@@\n"
        "“odd” (production) at north has a malformed tag: @@@langfusePrompt:odd@@@\n"
    )
