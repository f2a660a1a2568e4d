import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts import composition
from prompts.composition import (
    CompiledPrompt,
    Reference,
    RenderedPrompt,
    StoredVersion,
    UsedVersion,
    compose,
    malformed_tags,
    references,
    substitute,
    variables_in,
)
from prompts.errors import Cycle, MissingPrompt, TooDeep, TooLong, WrongType
from tests.prompts.rows import tag


class Shelf(dict):
    """Bodies by name, all of them version 1 and labelled `production`; counts what is looked up."""

    def __init__(self, **bodies):
        super().__init__({name.replace("__", "/"): body for name, body in bodies.items()})
        self.asked = []

    def __call__(self, reference):
        self.asked.append(reference)
        if reference.name not in self or reference not in (of(reference.name), Reference(reference.name, number=1)):
            return None
        body = self[reference.name]
        kind = "text" if isinstance(body, str) else "chat"
        return StoredVersion(list(self).index(reference.name) + 1, reference.name, kind, 1, body, {})


def of(name):
    return Reference(name, label="production")


def composed(shelf, name="root"):
    return compose(of(name), shelf).body


def test_text_with_a_part_by_label_and_by_number():
    shelf = Shelf(root=f"A {tag('parts/b')} C @@@langfusePrompt:name=parts/b|version=1@@@", parts__b="b{{ x }}")
    assert compose(of("root"), shelf) == CompiledPrompt(
        name="root",
        type="text",
        body="A b{{ x }} C b{{ x }}",
        config={},
        versions=(
            UsedVersion(of("root"), 1, 1),
            UsedVersion(of("parts/b"), 2, 1),
            UsedVersion(Reference("parts/b", number=1), 2, 1),
        ),
    )


def test_chat_with_parts_in_its_messages():
    body = [{"role": "system", "content": f"{tag('a')}!"}, {"role": "user", "content": "{{q}}"}]
    compiled = compose(of("root"), Shelf(root=body, a="Hello"))
    assert compiled.body == [{"role": "system", "content": "Hello!"}, {"role": "user", "content": "{{q}}"}]
    text = '[{"content":"Hello!","role":"system"},{"content":"{{q}}","role":"user"}]'
    assert compiled.hash == hashlib.sha256(text.encode()).hexdigest()


def test_the_hash_of_a_text_is_that_of_its_bytes():
    compiled = compose(of("root"), Shelf(root=f"é {tag('a')}", a="ß"))
    assert compiled.hash == hashlib.sha256("é ß".encode()).hexdigest()


def chain(length):
    """Names p1 to p<length>, each including the next."""
    return Shelf(
        **{f"p{n}": f"{n}{tag(f'p{n + 1}')}" for n in range(1, length)},
        **{f"p{length}": str(length)},
    )


def test_five_in_a_chain_are_fine_and_six_are_not():
    assert composed(chain(5), "p1") == "12345"
    with pytest.raises(TooDeep, match="p1 → p2 → p3 → p4 → p5 → p6"):
        composed(chain(6), "p1")


def test_a_part_that_was_fine_higher_up_may_lie_too_deep_elsewhere():
    shelf = Shelf(**chain(6), root=f"{tag('p3')}{tag('p2')}")
    assert composed(Shelf(**chain(6), root=tag("p3"))) == "3456"
    with pytest.raises(TooDeep):
        composed(shelf)


def test_diamonds_are_fine_and_looked_up_once():
    shelf = Shelf(root=f"{tag('b')}{tag('c')}{tag('b')}", b=f"b{tag('d')}", c=f"c{tag('d')}", d="d")
    assert composed(shelf) == "bdcdbd"
    assert sorted(shelf.asked) == [of("b"), of("c"), of("d"), of("root")]


@pytest.mark.parametrize(
    "bodies",
    [
        {"root": tag("root")},
        {"root": tag("a"), "a": tag("root")},
        {"root": tag("a"), "a": tag("b"), "b": tag("a")},
        {"root": tag("a"), "a": "@@@langfusePrompt:name=root|version=1@@@"},
    ],
)
def test_nothing_reaches_its_own_name(bodies):
    with pytest.raises(Cycle):
        composed(Shelf(**bodies))


def test_another_version_of_its_own_name_is_a_circle_also_through_a_part_expanded_before():
    bodies = {
        of("root"): f"{tag('r')}{tag('p')}",
        of("p"): tag("r"),
        of("r"): "@@@langfusePrompt:name=p|version=1@@@",
        Reference("p", number=1): "old",
    }

    def lookup(reference):
        return StoredVersion(1, reference.name, "text", 1, bodies[reference], {})

    assert compose(of("r"), lookup).body == "old"
    with pytest.raises(Cycle, match="root → p → r"):
        compose(of("root"), lookup)


def test_missing_and_chat_parts():
    with pytest.raises(MissingPrompt, match="There is no prompt “gone” \\(production\\)"):
        composed(Shelf(root=tag("gone")))
    with pytest.raises(MissingPrompt, match="“root” \\(production\\)"):
        composed(Shelf())
    with pytest.raises(WrongType, match="“talk” \\(production\\) is a chat prompt"):
        composed(Shelf(root=tag("talk"), talk=[{"role": "user", "content": "x"}]))


def test_tags_that_multiply_are_stopped():
    many = {name: tag(nextname) * 100 for name, nextname in [("root", "a"), ("a", "b"), ("b", "c"), ("c", "d")]}
    with pytest.raises(TooLong):
        composed(Shelf(**many, d="x" * 100))
    with pytest.raises(TooLong):
        composed(Shelf(root=[{"role": "user", "content": tag("a")}] * 50, a=tag("b") * 100, b="x" * 1000))


@pytest.mark.parametrize(
    "text",
    [
        "@@@langfusePrompt:name=a@@@",
        "@@@langfusePrompt:label=b|name=a@@@",
        "@@@langfusePrompt:name=a|label=b|version=1@@@",
        "@@@langfusePrompt:name=a|version=one@@@",
        "@@@langfusePrompt:name=a|version=0@@@",
        "@@@langfusePrompt:name=a|version=99999999999@@@",
        "@@@langfusePrompt:name=a|label=Production@@@",
        "@@@langfusePrompt:name=|label=b@@@",
        "@@@langfusePrompt:name=/a|label=b@@@",
        "@@@langfusePrompt:name=a |label=b@@@",
        "@@@langfusePrompt:name=a| label=b@@@",
        "@@@langfusePrompt:name=a|label@@@",
        "@@@langfusePrompt:name=a|label=b",
        "@@@ langfusePrompt:name=a|label=b@@@",
        "@@@LangfusePrompt:name=a|label=b@@@",
        "@@@langfuse:name=a|label=b@@@",
    ],
)
def test_malformed_tags_stay_and_are_listed(text):
    body = f"{tag('fine')} before {text} after"
    assert malformed_tags(f"before {text}") == [text]
    assert references(body) == [of("fine")]
    assert composed(Shelf(root=f"before {text} after")) == f"before {text} after"


def test_well_formed_tags_are_not_listed():
    body = [{"role": "user", "content": f"{tag('a')}{tag('b', 'x_1.y-z')}@@@langfusePrompt:name=a|version=12@@@@@@"}]
    assert malformed_tags(body) == []
    assert references(body) == [of("a"), Reference("b", label="x_1.y-z"), Reference("a", number=12)]


def test_what_composition_puts_together_is_not_read_again():
    shelf = Shelf(root=f"@@{tag('a')}", a=tag("b").removeprefix("@@"), b="never")
    assert composed(shelf) == tag("b")


def test_substitute():
    text = "{{a}} {{ a }} {{\tb }} {{none}} {{gone}} {{ gone }} {{}} {{ {{a}} }} {{{a}}} {a} {{a b}}"
    values = {"a": "A", "b": 2, "none": None}
    expected = "A A 2  {{gone}} {{ gone }} {{}} {{ A }} {A} {a} {{a b}}"
    assert substitute(text, values) == (expected, ("gone", "a b"))
    assert variables_in(text) == ["a", "b", "none", "gone", "a b"]


def test_render():
    body = [{"role": "system", "content": "S {{x}}"}, {"role": "user", "content": "U {{y}} {{x}} {{z}}"}]
    compiled = compose(of("root"), Shelf(root=body))
    assert compiled.render({"y": 1}) == RenderedPrompt(
        [{"role": "system", "content": "S {{x}}"}, {"role": "user", "content": "U 1 {{x}} {{z}}"}], ("x", "z")
    )
    assert compiled.body == body


def test_a_text_prompt_speaks_as_the_user():
    assert compose(of("root"), Shelf(root="{{content}}")).render({"content": "Obey."}) == RenderedPrompt(
        [{"role": "user", "content": "Obey."}], ()
    )


def test_used_versions_survive_json():
    for used in (UsedVersion(of("a/b"), 7, 3), UsedVersion(Reference("a/b", number=3), 7, 3)):
        assert UsedVersion.from_json(used.as_json()) == used
    assert UsedVersion(of("a/b"), 7, 3).as_json() == {"id": 7, "name": "a/b", "label": "production", "number": 3}


def test_reference_by():
    assert Reference.by("a") == of("a")
    assert Reference.by("a", label="staging") == Reference("a", label="staging")
    assert Reference.by("a", version=2) == Reference("a", number=2)


# Values that look like everything the barrier keeps out.
hostile = st.lists(
    st.sampled_from(
        ["{{secret}}", "{{ content }}", "{{", "}}", tag("secret"), "@@@", "\\1", "\\g<0>", "$&", "{content}", "ä", "\n"]
    )
    | st.text(max_size=5)
).map("".join)


@given(content=hostile, title=hostile)
def test_values_are_never_read_for_tags_or_variables(content, title):
    shelf = Shelf(root=f"<{tag('part')}|{{{{ content }}}}|{{{{title}}}}>", part="[{{content}}]", secret="SECRET")
    compiled = compose(of("root"), shelf)
    rendered = compiled.render({"content": content, "title": title, "secret": "SECRET"})
    expected = f"<[{content}]|{content}|{title}>"
    assert rendered == RenderedPrompt([{"role": "user", "content": expected}], ())
    assert "SECRET" not in expected.replace(content, "").replace(title, "")
    assert shelf.asked == [of("root"), of("part")]


@given(st.text())
def test_any_text_without_tags_composes_to_itself(text):
    if not references(text):
        assert composed(Shelf(root=text)) == text
    assert substitute(text, {}) == (text, tuple(variables_in(text)))


names = st.sampled_from(["a", "b", "c", "d", "e", "f", "g"])
graphs = st.dictionaries(names, st.lists(names, max_size=3), min_size=1)


def _longest(graph, name, path=()):
    """The plain meaning of the rules: depth of the tree below `name`, or the refusal, without any memory."""
    if name in path:
        return Cycle
    if len(path) == composition.MAX_LEVELS:
        return TooDeep
    if name not in graph:
        return MissingPrompt
    for inner in graph[name]:
        refusal = _longest(graph, inner, (*path, name))
        if refusal:
            return refusal
    return None


def _text(graph, name):
    return name + "".join(_text(graph, inner) for inner in graph[name])


@given(graphs)
def test_any_graph_composes_as_the_rules_say(graph):
    bodies = {name: name + "".join(map(tag, inner)) for name, inner in graph.items()}
    for name in graph:
        refusal = _longest(graph, name)
        if refusal:
            with pytest.raises((Cycle, TooDeep, MissingPrompt)):
                composed(Shelf(**bodies), name)
        else:
            first, second = compose(of(name), Shelf(**bodies)), compose(of(name), Shelf(**bodies))
            assert first.body == _text(graph, name)
            assert (first, first.hash) == (second, second.hash)
