"""The order in which people meet the properties of a JSON Schema. No database."""

from collections.abc import Mapping
from typing import Any


def ordered_properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of the schema's own `propertyOrder`, else with the required ones first, as listed there.

    The order of the properties themselves is lost: PostgreSQL keeps JSON objects in an order of its own.
    """
    properties = schema.get("properties", {})
    named = [name for name in schema.get("propertyOrder") or schema.get("required", ()) if name in properties]
    return {name: properties[name] for name in dict.fromkeys([*named, *properties])}
