"""A conversation is a tree: editing a question and asking for another reply make siblings. No database.

`messages` are all of one conversation. Siblings answer the same message: they have one parent and one role.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from tutoring.models import Message


def path_to(messages: Iterable[Message], leaf: UUID | None) -> list[Message]:
    """From the first question down to the message `leaf`, along the parents; empty where it is none of them."""
    by_id = {message.pk: message for message in messages}
    path = []
    step = by_id.get(leaf) if leaf else None
    while step is not None:
        path.append(step)
        step = by_id.get(step.parent_id) if step.parent_id else None
    return path[::-1]


def branch_through(messages: Sequence[Message], chosen: UUID | None = None) -> list[Message]:
    """The branch that goes through the message `chosen` and on to the newest that came of it.

    Without one, or with one that is not of this conversation, the branch of the newest message.
    """
    if not messages:
        return []
    known = {message.pk for message in messages}
    below = _with_descendants(messages, chosen) if chosen in known else messages
    newest = max(below, key=lambda message: message.seq)
    return path_to(messages, newest.pk)


def siblings(messages: Iterable[Message]) -> dict[UUID, list[UUID]]:
    """For each message the ids of it and its siblings, oldest first."""
    groups: dict[tuple[UUID | None, str], list[UUID]] = defaultdict(list)
    placed = sorted(messages, key=lambda message: message.seq)
    for message in placed:
        groups[message.parent_id, message.role].append(message.pk)
    return {message.pk: groups[message.parent_id, message.role] for message in placed}


def _with_descendants(messages: Iterable[Message], chosen: UUID | None) -> list[Message]:
    found: dict[UUID | None, Message] = {}
    # Parents come before their children.
    for message in sorted(messages, key=lambda message: message.seq):
        if message.pk == chosen or message.parent_id in found:
            found[message.pk] = message
    return list(found.values())
