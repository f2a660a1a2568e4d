"""New prompts and new versions. A version is never changed: what is wrong is said anew."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from prompts.access import require_author, require_mover
from prompts.actions.graph import changing
from prompts.actions.labels import put_label
from prompts.composition import Reference
from prompts.errors import CompositionError, InvalidPrompt, PromptExists
from prompts.models import Prompt, PromptVersion
from prompts.queries import compile_reference
from prompts.rules import Body, PromptType, checked_body, checked_label, checked_name, checked_tags, is_storable
from tenants import audit
from tenants.models import University, User

_CONFIG_MAX_CHARACTERS = 20_000


def create_prompt(
    *,
    by: User,
    university: University | None,
    name: str,
    type: PromptType,
    body: Body,
    config: Mapping[str, Any] | None = None,
    tags: Iterable[str] = (),
    description: str = "",
    commit_message: str = "",
    labels: Iterable[str] = (),
) -> PromptVersion:
    """A prompt with its first version, on which the labels are put. For None the platform's own."""
    require_author(by, university)
    labels = _movable(by, university, labels)
    with changing(university):
        prompt = insert_prompt(university, name, type, tags=tags, description=description)
        version = insert_version(prompt, body, config or {}, commit_message, by=by)
        for label in labels:
            put_label(prompt, label, version, by=by)
    return version


def add_version(
    *,
    by: User,
    prompt: Prompt,
    body: Body,
    config: Mapping[str, Any] | None = None,
    commit_message: str = "",
    labels: Iterable[str] = (),
) -> PromptVersion:
    """The next version of the prompt, to which the labels are moved. `latest` follows of itself."""
    require_author(by, prompt.university)
    labels = _movable(by, prompt.university, labels)
    with changing(prompt.university):
        version = insert_version(prompt, body, config or {}, commit_message, by=by)
        for label in labels:
            put_label(prompt, label, version, by=by)
    return version


def insert_prompt(
    university: University | None, name: str, type: PromptType, *, tags: Iterable[str] = (), description: str = ""
) -> Prompt:
    """Within `changing` and for somebody who may."""
    if Prompt.objects.owned_by(university).filter(name=checked_name(name)).exists():
        raise PromptExists(f"There is a prompt “{name}” already.")
    return Prompt.objects.create(
        university=university,
        name=name,
        type=type,
        tags=checked_tags(tags),
        description=_short(description, 2000),
    )


def insert_version(
    prompt: Prompt,
    body: Body,
    config: Mapping[str, Any],
    commit_message: str,
    *,
    by: User | None,
    from_library: bool = False,
) -> PromptVersion:
    """Within `changing` and for somebody who may. A `CompositionError` is the writer's own here: 400."""
    locked = Prompt.objects.select_for_update().get(pk=prompt.pk)
    locked.latest_number += 1
    locked.save(update_fields=["latest_number"])
    version = PromptVersion.objects.create(
        university=prompt.university,
        prompt=prompt,
        number=locked.latest_number,
        body=checked_body(prompt.type, body),
        config=_checked_config(config),
        commit_message=_short(commit_message, 500),
        from_library=from_library,
        created_by=by,
    )
    prompt.latest_number = locked.latest_number
    try:
        compile_reference(Reference(prompt.name, number=version.number), prompt.university)
    except CompositionError as error:
        raise error.at_save() from error
    audit.record(
        by=by,
        action="prompt.version_added",
        subject=prompt,
        university=prompt.university,
        detail={"name": prompt.name, "number": version.number},
    )
    return version


def _movable(by: User, university: University | None, labels: Iterable[str]) -> list[str]:
    """Each once and in order, refused before anything is written."""
    unique = list(dict.fromkeys(labels))
    for label in unique:
        require_mover(by, university, checked_label(label))
    return unique


def _checked_config(config: Mapping[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(config, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidPrompt("The configuration is not a JSON object.") from error
    if len(text) > _CONFIG_MAX_CHARACTERS or not is_storable(text) or "\\u0000" in text:
        raise InvalidPrompt(
            f"The configuration is longer than {_CONFIG_MAX_CHARACTERS:,} characters or cannot be stored."
        )
    return dict(config)


def _short(text: str, longest: int) -> str:
    if len(text) > longest or not is_storable(text):
        raise InvalidPrompt(f"A description or message is longer than {longest:,} characters or cannot be stored.")
    return text
