"""The content types that ship with the product: one JSON file each, beside this module."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lms.courses.content_rules import check_schema

FOLDER = Path(__file__).parent / "content_types"


class ContentTypeFile(NamedTuple):
    slug: str
    name: str
    icon: str
    schema: dict[str, Any]


def content_type_files(folder: Path = FOLDER) -> Iterator[ContentTypeFile]:
    """In the order of their slugs. Raises `jsonschema.SchemaError` for a schema that is none."""
    for path in sorted(folder.glob("*.json")):
        row = ContentTypeFile(**json.loads(path.read_text(encoding="utf-8")))
        check_schema(row.schema)
        yield row
