import pytest

from prompts.composition import Reference, StoredVersion, compose, malformed_tags, variables_in
from prompts.errors import Cycle, InvalidPrompt
from prompts.files import LibraryFile, read_library

# What the tutor knows; only the last three were not written by an author or a student.
VARIABLES = {
    *("title", "content", "course_title", "module_path", "objectives", "university_name", "student_name", "attempt"),
    *("content_type", "hint_level", "locale"),
}
TRUSTED = {"content_type", "hint_level", "locale"}


def _write(directory, name, head, body=""):
    path = directory / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\n{head}\n---\n{body}\n", encoding="utf-8")


def test_reads_text_and_chat_parts_first(tmp_path):
    chat = "name: a/talk\ntype: chat\nmessages:\n  - {role: system, content: '@@@langfusePrompt:name=z|label=x@@@'}"
    _write(tmp_path, "a/talk", chat)
    _write(
        tmp_path, "z", "name: z\ntype: text\nlabels: [x]\ncommit_message: m\ndescription: d\nconfig: {1: 2}", "Béla\n\n"
    )
    assert read_library(tmp_path) == [
        LibraryFile("z", "text", "Béla", ("x",), "m", "d", {"1": 2}),
        LibraryFile(
            "a/talk", "chat", [{"role": "system", "content": "@@@langfusePrompt:name=z|label=x@@@"}], (), "", "", {}
        ),
    ]


@pytest.mark.parametrize(
    ("head", "body", "words"),
    [
        ("name: b\ntype: text", "x", "a.md: the name must be that of the file, “a”."),
        ("name: a\ntype: poem", "x", "a.md: the type must be text or chat."),
        ("name: a\ntype: text\nlabel: x", "x", "a.md: unknown in the front matter: label."),
        ("name: a\ntype: text\nlabels: [latest]", "x", "a.md: “latest” always means the newest version"),
        ("name: a\ntype: text\nconfig: [1]", "x", "a.md: the config must be a mapping."),
        ("name: a\ntype: text\nconfig: {on: 2026-01-01}", "x", "a.md: the config is not JSON"),
        ("name: a\ntype: chat\nmessages: []", "", "a.md: The body of a chat prompt is a list of messages"),
        ("name: a\ntype: chat\nmessages: [{role: user, content: x}]", "x", "a.md: a chat prompt has its messages"),
        ("name: a\ntype: chat\nmessages: [{role: boss, content: x}]", "", "a.md: The body of a chat prompt"),
        ("name: [a", "x", "a.md: the front matter cannot be read"),
    ],
)
def test_names_the_file_at_fault(tmp_path, head, body, words):
    _write(tmp_path, "a", head, body)
    with pytest.raises(InvalidPrompt) as refused:
        read_library(tmp_path)
    assert str(refused.value).startswith(words)


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "a.md").write_bytes(b"---\nname: a\n---\n\xff")
    with pytest.raises(InvalidPrompt, match=r"a\.md: the front matter cannot be read"):
        read_library(tmp_path)


def test_files_that_include_one_another(tmp_path):
    for name, other in (("a", "b"), ("b", "a")):
        _write(tmp_path, name, f"name: {name}\ntype: text", f"@@@langfusePrompt:name={other}|label=production@@@")
    with pytest.raises(Cycle):
        read_library(tmp_path)


def _shipped():
    files = {file.name: file for file in read_library()}

    def lookup(reference):
        file = files.get(reference.name)
        return file and StoredVersion(1, file.name, file.type, 1, file.body, file.config)

    return files, lookup


def test_what_ships_compiles_and_nothing_lies_around_unused():
    files, lookup = _shipped()
    compiled = compose(Reference("tutor/lesson", label="production"), lookup)
    title = compose(Reference("tutor/title", label="production"), lookup)
    assert {use.reference.name for use in (*compiled.versions, *title.versions)} == set(files)
    assert [file.labels for file in files.values()] == [("production",)] * len(files)
    assert [malformed_tags(file.body) for file in files.values()] == [[]] * len(files)
    assert (set(variables_in(compiled.body)), variables_in(title.body)) == (VARIABLES, [])


def test_nothing_that_authors_or_students_wrote_reaches_the_system_message():
    _, lookup = _shipped()
    compiled = compose(Reference("tutor/lesson", label="production"), lookup)
    by_role = {role: [m["content"] for m in compiled.body if m["role"] == role] for role in ("system", "user")}
    assert [message["role"] for message in compiled.body] == ["system", "user", "user"]
    assert set(variables_in(by_role["system"][0])) <= TRUSTED
    # The lesson's message is the same for all its students, so that the provider's cache serves them all.
    assert {"student_name", "attempt"}.isdisjoint(variables_in(by_role["user"][0]))
