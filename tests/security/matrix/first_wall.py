"""The first wall taken away: as if every query had forgotten whose rows somebody may see."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from django.apps import apps

from lms.learning.lesson_row import fetch_lesson_row
from tenants.access import has_role, highest_role, require_role
from tenants.admin.scoped import choices_within, refuse_strangers
from tenants.admin_site import Scope, scope_of
from tenants.models import Role


@contextmanager
def without_first_wall() -> Iterator[None]:
    """Everybody sees every row, may do what administrators may, and is everywhere in the admin."""
    with ExitStack() as stack:
        for model in apps.get_models():
            queryset = type(model._default_manager.get_queryset())
            if hasattr(queryset, "visible_to"):
                stack.enter_context(patch.object(queryset, "visible_to", lambda rows, _user: rows))
        everywhere = Scope(is_everywhere=True, roles={})
        for function, instead in (
            (has_role, lambda *_args, **_kwargs: True),
            (require_role, lambda *_args, **_kwargs: None),
            (highest_role, lambda *_args: Role.UNIVERSITY_ADMIN),
            (scope_of, lambda _request: everywhere),
            (choices_within, lambda queryset, _request, _least: queryset),
            (refuse_strangers, lambda _row: None),
            (fetch_lesson_row, _as_staff),
        ):
            _patch_everywhere(stack, function, instead)
        yield


def _as_staff(**place: Any) -> Any:
    row = _fetch(**place)
    return replace(row, roles=[Role.UNIVERSITY_ADMIN]) if row else None


_fetch = fetch_lesson_row


def _patch_everywhere(stack: ExitStack, function: Callable[..., Any], instead: Callable[..., Any]) -> None:
    """Wherever it was imported by name."""
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is function and module.__name__.split(".")[0] in ("lms", "tenants", "tutoring", "prompts"):
                stack.enter_context(patch.object(module, name, instead))
