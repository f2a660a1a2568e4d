"""What the columns themselves demand, told in a sentence instead of by the database."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import models

from prompts.rules import is_storable
from tenants.errors import InvalidInput


def check_fields(row: models.Model, fields: Collection[str]) -> None:
    """Raise `InvalidInput` that names the field; asks the database nothing."""
    for name in fields:
        value = getattr(row, name)
        if isinstance(value, str) and not is_storable(value):
            raise InvalidInput(f"{name.capitalize()}: it holds characters that cannot be stored.")
    others = [field.name for field in row._meta.fields if field.name not in fields]
    try:
        row.clean_fields(exclude=others)
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(f"{name.capitalize()}: {' '.join(messages)}") from None
