"""What may be written: the names of prompts, their labels and their bodies. No database."""

import re
from collections.abc import Iterable
from typing import Any, Literal, TypedDict, get_args

from prompts.errors import InvalidPrompt

PromptType = Literal["text", "chat"]
ChatRole = Literal["system", "user", "assistant"]


class ChatMessage(TypedDict):
    role: ChatRole
    content: str


Body = str | list[ChatMessage]

# The same two patterns stand as constraints in the database.
NAME_PATTERN = r"^[^/|]+(/[^/|]+)*$"
LABEL_PATTERN = r"^[a-z0-9_.-]{1,36}$"
NAME_MAX_CHARACTERS = 200
BODY_MAX_CHARACTERS = 100_000
BODY_MAX_MESSAGES = 50
TAG_PATTERN = r"^[a-z0-9_.-]{1,36}$"

LATEST = "latest"
PRODUCTION = "production"
PROTECTED_LABELS = frozenset({PRODUCTION})

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def is_name(name: str) -> bool:
    """Folders by `/`; no `|`, no leading, trailing or double slash.

    Beyond that: nothing that could end a tag, and no part that a browser or proxy would fold out of an address.
    """
    parts = name.split("/")
    return (
        len(name) <= NAME_MAX_CHARACTERS
        and re.fullmatch(NAME_PATTERN, name) is not None
        and _CONTROL.search(name) is None
        and "@@@" not in name
        and all(part == part.strip() and part not in {"", ".", ".."} for part in parts)
        and is_storable(name)
    )


def is_label(label: str) -> bool:
    return re.fullmatch(LABEL_PATTERN, label) is not None


def is_storable(text: str) -> bool:
    """PostgreSQL keeps neither the zero character nor half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def checked_name(name: str) -> str:
    if not is_name(name):
        raise InvalidPrompt(
            f"“{name[:NAME_MAX_CHARACTERS]}” is no name for a prompt: up to {NAME_MAX_CHARACTERS} characters, "
            "folders divided by single slashes, without “|” and “@@@”."
            if is_storable(name)
            else "The name holds characters that cannot be stored."
        )
    return name


def checked_label(label: str) -> str:
    """A label that may be put on a version by hand."""
    if not is_label(label):
        raise InvalidPrompt("A label has 1 to 36 characters out of a-z, 0-9, “_”, “.” and “-”.")
    if label == LATEST:
        raise InvalidPrompt("“latest” always means the newest version and cannot be set.")
    return label


def checked_tags(tags: Iterable[str]) -> list[str]:
    """Sorted, each once."""
    unique = sorted(set(tags))
    if len(unique) > 20 or not all(re.fullmatch(TAG_PATTERN, tag) for tag in unique):
        raise InvalidPrompt("At most 20 tags, each of 1 to 36 characters out of a-z, 0-9, “_”, “.” and “-”.")
    return unique


def checked_body(prompt_type: str, body: Any) -> Body:
    """A string for `text`; for `chat` a list of messages with `role` and `content` and nothing else."""
    if prompt_type == "text":
        if not isinstance(body, str):
            raise InvalidPrompt("The body of a text prompt is a text.")
        _check_texts([body])
        return body
    if not isinstance(body, list) or not body or not all(_is_message(message) for message in body):
        raise InvalidPrompt(
            f"The body of a chat prompt is a list of messages, each with a role ({', '.join(get_args(ChatRole))}) "
            "and a content."
        )
    if len(body) > BODY_MAX_MESSAGES:
        raise InvalidPrompt(f"A chat prompt has at most {BODY_MAX_MESSAGES} messages.")
    _check_texts([message["content"] for message in body])
    return [ChatMessage(role=message["role"], content=message["content"]) for message in body]


def texts_of(body: Body) -> list[str]:
    return [body] if isinstance(body, str) else [message["content"] for message in body]


def _is_message(message: Any) -> bool:
    return (
        isinstance(message, dict)
        and message.keys() == {"role", "content"}
        and message["role"] in get_args(ChatRole)
        and isinstance(message["content"], str)
    )


def _check_texts(texts: list[str]) -> None:
    if sum(map(len, texts)) > BODY_MAX_CHARACTERS:
        raise InvalidPrompt(f"The body is longer than {BODY_MAX_CHARACTERS:,} characters.")
    if not all(map(is_storable, texts)):
        raise InvalidPrompt("The body holds characters that cannot be stored.")
