"""Short ways to write prompts, and to see that a refusal left everything as it was."""

import pytest

from prompts.actions import create_prompt
from prompts.models import Prompt, PromptLabel, PromptLabelMove, PromptVersion
from prompts.queries import compile_prompt
from tenants.models import AuditEntry


def tag(name, label="production"):
    return f"@@@langfusePrompt:name={name}|label={label}@@@"


def text(world, name, body, *labels, university="north"):
    """A text prompt, of North by its administrator or, for None, of the platform."""
    by, whose = (world.ada, world.north) if university else (world.platform, None)
    return create_prompt(by=by, university=whose, name=name, type="text", body=body, labels=labels or ["production"])


def body_at(university, name="root"):
    return compile_prompt(name=name, university=university).body


def kept():
    """Everything that a refused change must leave as it was."""
    return (
        list(Prompt.objects.order_by("pk").values_list("pk", "name", "latest_number")),
        list(PromptVersion.objects.order_by("pk").values_list("pk", "body")),
        list(PromptLabel.objects.order_by("pk").values_list("pk", "version")),
        PromptLabelMove.objects.count(),
        AuditEntry.objects.count(),
    )


def refused(error, write):
    before = kept()
    with pytest.raises(error) as caught:
        write()
    assert kept() == before
    return caught.value
