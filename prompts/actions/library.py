"""Bringing the shipped prompts into the database without ever taking back an operator's choice."""

from pathlib import Path

from prompts.actions.graph import changing
from prompts.actions.labels import put_label
from prompts.actions.versions import insert_prompt, insert_version
from prompts.errors import InvalidPrompt
from prompts.files import LIBRARY, LibraryFile, read_library
from prompts.models import Prompt, PromptVersion


def load_library(directory: Path = LIBRARY) -> list[str]:
    """Make a version of each file that says something new; all or nothing. A line for each thing done or left."""
    files = read_library(directory)
    with changing(None):
        return [line for file in files for line in _load(file)]


def _load(file: LibraryFile) -> list[str]:
    prompt = Prompt.objects.owned_by(None).filter(name=file.name).first()
    if prompt is None:
        prompt = insert_prompt(None, file.name, file.type, description=file.description)
    if prompt.type != file.type:
        raise InvalidPrompt(
            f"{file.name}: the platform has a {prompt.type} prompt of this name; the file is {file.type}."
        )
    version = prompt.versions.filter(from_library=True).first()
    lines = []
    if version is None or (version.body, version.config) != (file.body, file.config):
        version = insert_version(prompt, file.body, file.config, file.commit_message, by=None, from_library=True)
        lines.append(f"{file.name}: new version {version.number}")
    lines += [line for label in file.labels if (line := _put(prompt, label, version))]
    return lines or [f"{file.name}: unchanged"]


def _put(prompt: Prompt, label: str, version: PromptVersion) -> str | None:
    """Move a label that stands where the library left it. Anywhere else, or taken away, it is somebody's choice."""
    last_move = prompt.label_moves.filter(label=label, by_library=True).first()
    standing = prompt.labels.select_related("version").filter(name=label).first()
    left_at = last_move.to_version_id if last_move else None
    stands_at = standing.version_id if standing else None
    if stands_at == version.pk:
        return None
    if stands_at != left_at:
        where = f"on version {standing.version.number}" if standing else "removed"
        return f"{prompt.name}: label {label} left {where}, where it was put by hand"
    put_label(prompt, label, version, by=None, by_library=True)
    return f"{prompt.name}: label {label} put on version {version.number}"
