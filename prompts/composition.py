"""Prompts made of prompts, and the variables put into them afterwards. No database.

The tag is Langfuse's: `@@@langfusePrompt:name=<name>|label=<label>@@@`, or `…|version=<number>@@@`. Composition comes
first and works on what prompt authors wrote; variables come second, in one pass, and nothing looks at their values
again. That order is the barrier: text of a lesson or a student can neither include a prompt nor read a variable.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from prompts.errors import Cycle, MissingPrompt, TooDeep, TooLong, WrongType
from prompts.rules import PRODUCTION, Body, ChatMessage, PromptType, is_label, is_name, texts_of

# The root is level 0 and level 5 fails: five prompts in a chain, the root included.
MAX_LEVELS = 5
# Tags multiply (a thousand in each of four levels): without a bound one small prompt could fill the memory.
MAX_COMPILED_CHARACTERS = 400_000
_MAX_NUMBER = 2**31 - 1

_TAG = re.compile(r"@@@langfusePrompt:(.*?)@@@")
_ALMOST_TAG = re.compile(r"@@@\s*langfuse.{0,60}", re.IGNORECASE)
_VARIABLE = re.compile(r"\{\{([^{}]*)\}\}")


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A prompt by name and either label or version number, never both."""

    name: str
    label: str | None = None
    number: int | None = None

    @classmethod
    def by(cls, name: str, *, label: str | None = None, version: int | None = None) -> Self:
        """With neither: the version that `production` stands on."""
        return cls(name, number=version) if version is not None else cls(name, label=label or PRODUCTION)

    def __str__(self) -> str:
        return f"“{self.name}” ({self.label or f'version {self.number}'})"


class StoredVersion(NamedTuple):
    """One version as it was saved."""

    id: int
    name: str
    type: PromptType
    number: int
    body: Body
    config: dict[str, Any]


Lookup = Callable[[Reference], StoredVersion | None]


class UsedVersion(NamedTuple):
    """Which version a reference led to. A list of these, kept as JSON, is enough to compile the same text again."""

    reference: Reference
    id: int
    number: int

    def as_json(self) -> dict[str, Any]:
        name, label = self.reference.name, self.reference.label
        return {"id": self.id, "name": name, "label": label, "number": self.number}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        label = data["label"]
        number = None if label else data["number"]
        return cls(Reference(data["name"], label=label, number=number), data["id"], data["number"])


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """Messages with their variables filled in. `missing` names variables without a value; they stand as they were."""

    messages: list[ChatMessage]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledPrompt:
    """A prompt with everything it includes, before variables.

    `versions` starts with the prompt itself. `hash` is the SHA-256 of the text; for a chat, of its messages as compact
    JSON.
    """

    name: str
    type: PromptType
    body: Body
    config: dict[str, Any]
    versions: tuple[UsedVersion, ...]
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        text = self.body if isinstance(self.body, str) else _compact_json(self.body)
        object.__setattr__(self, "hash", hashlib.sha256(text.encode()).hexdigest())

    def render(self, variables: Mapping[str, object]) -> RenderedPrompt:
        """Fill in the variables. A text prompt becomes one message of the user.

        Not of the system: a text prompt has nowhere else to put the lesson, and what authors and students wrote must
        never speak with the system's voice.
        """
        body: list[ChatMessage] = [{"role": "user", "content": self.body}] if isinstance(self.body, str) else self.body
        messages: list[ChatMessage] = []
        missing: dict[str, None] = {}
        for message in body:
            content, absent = substitute(message["content"], variables)
            messages.append({"role": message["role"], "content": content})
            missing |= dict.fromkeys(absent)
        return RenderedPrompt(messages, tuple(missing))


def references(body: Body) -> list[Reference]:
    """The well-formed tags, in order, each once."""
    found = (piece for text in texts_of(body) for piece in _pieces(text) if isinstance(piece, Reference))
    return list(dict.fromkeys(found))


def malformed_tags(body: Body) -> list[str]:
    """What looks like a tag and is none, in order: it would stay in the text and be sent to the model as it stands."""
    found = []
    for text in texts_of(body):
        for piece in _pieces(text):
            if isinstance(piece, str):
                found += [match.group() for match in _ALMOST_TAG.finditer(piece)]
    return found


def compose(root: Reference, lookup: Lookup) -> CompiledPrompt:
    """Raise `MissingPrompt`, `WrongType`, `Cycle`, `TooDeep` or `TooLong`. Each reference is looked up once."""
    return _Composer(lookup).compile(root)


def variables_in(body: Body) -> list[str]:
    """Names in order of appearance, each once."""
    names = (match.group(1).strip() for text in texts_of(body) for match in _VARIABLE.finditer(text))
    return list(dict.fromkeys(name for name in names if name))


def substitute(text: str, variables: Mapping[str, object]) -> tuple[str, tuple[str, ...]]:
    """The text with each `{{ name }}` replaced, and the names that had no value and stay as they are. None is empty.

    One pass: what a value holds is never looked at.
    """
    missing: dict[str, None] = {}

    def value(match: re.Match[str]) -> str:
        name = match.group(1).strip()
        if name in variables:
            found = variables[name]
            return "" if found is None else str(found)
        if name:
            missing[name] = None
        return match.group()

    return _VARIABLE.sub(value, text), tuple(missing)


class _Expanded(NamedTuple):
    text: str
    levels: int  # of prompts inside one another, its own included
    names: frozenset[str]  # of all prompts in it, its own included


class _Composer:
    """One composition: what was looked up and expanded already serves the next tag that asks for it."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._used: dict[Reference, StoredVersion] = {}
        self._expanded: dict[Reference, _Expanded] = {}

    def compile(self, root: Reference) -> CompiledPrompt:
        version = self._fetch(root)
        body = self._expand_body(version.body, (root.name,))
        used = tuple(UsedVersion(reference, found.id, found.number) for reference, found in self._used.items())
        return CompiledPrompt(version.name, version.type, body, version.config, used)

    def _expand_body(self, body: Body, path: tuple[str, ...]) -> Body:
        if isinstance(body, str):
            return self._expand(body, path).text
        messages: list[ChatMessage] = []
        length = 0
        for message in body:
            content = self._expand(message["content"], path).text
            length += len(content)
            if length > MAX_COMPILED_CHARACTERS:
                raise _too_long(path)
            messages.append({"role": message["role"], "content": content})
        return messages

    def _fetch(self, reference: Reference) -> StoredVersion:
        version = self._lookup(reference)
        if version is None:
            raise MissingPrompt(f"There is no prompt {reference}.")
        self._used[reference] = version
        return version

    def _expand(self, text: str, path: tuple[str, ...]) -> _Expanded:
        """`path` names the prompts from the root down to the one whose text this is."""
        parts: list[str] = []
        length, levels, names = 0, 1, {path[-1]}
        for piece in _pieces(text):
            if isinstance(piece, Reference):
                inner = self._include(piece, path)
                levels, names, piece = max(levels, inner.levels + 1), names | inner.names, inner.text
            length += len(piece)
            if length > MAX_COMPILED_CHARACTERS:
                raise _too_long(path)
            parts.append(piece)
        return _Expanded("".join(parts), levels, frozenset(names))

    def _include(self, reference: Reference, path: tuple[str, ...]) -> _Expanded:
        if reference.name in path:
            raise _cycle((*path, reference.name))
        if len(path) >= MAX_LEVELS:
            raise _too_deep((*path, reference.name))
        known = self._expanded.get(reference)
        if known is None:
            version = self._fetch(reference)
            if not isinstance(version.body, str):
                raise WrongType(f"{reference} is a chat prompt, and only text prompts can be included.")
            known = self._expanded[reference] = self._expand(version.body, (*path, reference.name))
        # It was expanded on another way from the root; on this one it may lie deeper or close a circle.
        elif not known.names.isdisjoint(path):
            raise _cycle((*path, reference.name))
        elif len(path) + known.levels > MAX_LEVELS:
            raise _too_deep((*path, reference.name))
        return known


def _pieces(text: str) -> Iterator[str | Reference]:
    """Plain text and tags in turn. A malformed tag is plain text of its own."""
    at = 0
    for match in _TAG.finditer(text):
        yield text[at : match.start()]
        yield _parsed(match.group(1)) or match.group()
        at = match.end()
    yield text[at:]


def _parsed(inside: str) -> Reference | None:
    first, bar, second = inside.partition("|")
    name, (key, _equals, value) = first.removeprefix("name="), second.partition("=")
    if not bar or not first.startswith("name=") or not is_name(name):
        return None
    if key == "label" and is_label(value):
        return Reference(name, label=value)
    if key == "version" and re.fullmatch("[0-9]{1,10}", value) and 0 < int(value) <= _MAX_NUMBER:
        return Reference(name, number=int(value))
    return None


def _cycle(path: tuple[str, ...]) -> Cycle:
    return Cycle(f"A prompt may not include itself or another version of itself: {_way(path)}.")


def _too_deep(path: tuple[str, ...]) -> TooDeep:
    return TooDeep(f"Prompts may be nested {MAX_LEVELS} deep, the outermost included: {_way(path)}.")


def _too_long(path: tuple[str, ...]) -> TooLong:
    return TooLong(f"The composed text of “{path[-1]}” is longer than {MAX_COMPILED_CHARACTERS:,} characters.")


def _way(path: tuple[str, ...]) -> str:
    return " → ".join(path)


def _compact_json(body: list[ChatMessage]) -> str:
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
