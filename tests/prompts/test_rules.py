import pytest

from prompts.errors import InvalidPrompt
from prompts.rules import checked_body, checked_label, checked_name, checked_tags


@pytest.mark.parametrize("name", ["a", "tutor/lesson", "A b/c-d_e.f/ä=1", "a" * 200, "x@@y"])
def test_names(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "/", "/a", "a/", "a//b", "../a", "a/./b", "a|b", "a@@@b", " a", "a /b", "a" * 201),
        *("a\nb", "a\x00", "a\u2028b", "a\ud800"),
    ],
)
def test_no_names(name):
    with pytest.raises(InvalidPrompt):
        checked_name(name)


@pytest.mark.parametrize("label", ["production", "a", "0.9_rc-1", "x" * 36])
def test_labels(label):
    assert checked_label(label) == label


@pytest.mark.parametrize("label", ["", "latest", "A", "a b", "a/b", "é", "a\n", "x" * 37])
def test_no_labels(label):
    with pytest.raises(InvalidPrompt):
        checked_label(label)


def test_tags():
    assert checked_tags(["b", "a", "b"]) == ["a", "b"]
    for tags in (["A"], [""], ["a" * 37], [f"t{n}" for n in range(21)]):
        with pytest.raises(InvalidPrompt):
            checked_tags(tags)


def test_bodies():
    messages = [{"role": "system", "content": ""}, {"role": "assistant", "content": "b"}]
    assert checked_body("text", "") == ""
    assert checked_body("chat", messages) == messages


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text", None),
        ("text", [{"role": "user", "content": "a"}]),
        ("text", "a\x00"),
        ("text", "\udfff"),
        ("text", "a" * 100_001),
        ("chat", "a"),
        ("chat", []),
        ("chat", ["a"]),
        ("chat", [{"role": "user"}]),
        ("chat", [{"role": "tool", "content": "a"}]),
        ("chat", [{"role": "user", "content": 1}]),
        ("chat", [{"role": "user", "content": "a", "name": "b"}]),
        ("chat", [{"role": "user", "content": "a\x00"}]),
        ("chat", [{"role": "user", "content": "a" * 50_001}] * 2),
        ("chat", [{"role": "user", "content": "a"}] * 51),
    ],
)
def test_no_bodies(kind, body):
    with pytest.raises(InvalidPrompt):
        checked_body(kind, body)
