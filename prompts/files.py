"""The prompts that ship with the product: one Markdown file each under `prompts/library`, read and put in order.

The front matter names `name` (the file's own path), `type`, `labels`, `commit_message`, and may give `description` and
`config`. What follows is the body of a text prompt; a chat prompt has its `messages` in the front matter and no body.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import frontmatter
import yaml

from prompts.composition import references
from prompts.errors import Cycle, InvalidPrompt
from prompts.rules import Body, PromptType, checked_body, checked_label, checked_name

LIBRARY = Path(__file__).resolve().parent / "library"
_KEYS = {"name", "type", "labels", "commit_message", "description", "config", "messages"}


@dataclass(frozen=True)
class LibraryFile:
    name: str
    type: PromptType
    body: Body
    labels: tuple[str, ...]
    commit_message: str
    description: str = ""
    config: dict[str, Any] = field(default_factory=dict)


def read_library(directory: Path = LIBRARY) -> list[LibraryFile]:
    """Included prompts before those that include them, otherwise by name. `InvalidPrompt` names the file at fault."""
    found = {file.name: file for file in (_read(path, directory) for path in sorted(directory.rglob("*.md")))}
    return _parts_first(found)


def _read(path: Path, directory: Path) -> LibraryFile:
    where = path.relative_to(directory).as_posix()
    try:
        document = frontmatter.loads(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidPrompt(f"{where}: the front matter cannot be read: {error}") from error
    try:
        return _parsed(dict(document.metadata), document.content, where.removesuffix(".md"))
    except InvalidPrompt as error:
        raise InvalidPrompt(f"{where}: {error}") from error


def _parsed(head: dict[str, Any], text: str, path_name: str) -> LibraryFile:
    unknown = sorted(set(head) - _KEYS)
    if unknown:
        raise InvalidPrompt(f"unknown in the front matter: {', '.join(unknown)}.")
    if head.get("name") != path_name:
        raise InvalidPrompt(f"the name must be that of the file, “{path_name}”.")
    prompt_type = head.get("type")
    if prompt_type not in ("text", "chat"):
        raise InvalidPrompt("the type must be text or chat.")
    if prompt_type == "chat" and text:
        raise InvalidPrompt("a chat prompt has its messages in the front matter and nothing after it.")
    return LibraryFile(
        name=checked_name(path_name),
        type=prompt_type,
        body=checked_body(prompt_type, head.get("messages") if prompt_type == "chat" else text),
        labels=tuple(checked_label(str(label)) for label in head.get("labels", [])),
        commit_message=str(head.get("commit_message", "")),
        description=str(head.get("description", "")),
        config=_as_json(head.get("config", {})),
    )


def _as_json(config: Any) -> dict[str, Any]:
    """As the database will give it back: YAML knows dates and numbers as keys, JSON does not."""
    try:
        plain = json.loads(json.dumps(config, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidPrompt(f"the config is not JSON: {error}") from error
    if not isinstance(plain, dict):
        raise InvalidPrompt("the config must be a mapping.")
    return plain


def _parts_first(files: dict[str, LibraryFile]) -> list[LibraryFile]:
    includes: dict[str, Iterable[str]] = {
        name: [reference.name for reference in references(file.body) if reference.name in files]
        for name, file in files.items()
    }
    try:
        return [files[name] for name in TopologicalSorter(includes).static_order()]
    except CycleError as error:
        raise Cycle(f"Files of the library include one another: {' → '.join(error.args[1])}.") from error
