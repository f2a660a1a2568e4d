"""What the API's own description says of refusals, told from what an operation takes."""

from collections.abc import Iterator
from typing import Any

SHAPE: dict[str, Any] = {
    "title": "Error",
    "type": "object",
    "description": "A stable `code`, and a sentence for people; some codes bring more, see docs/api.md.",
    "required": ["detail", "code"],
    "properties": {
        "code": {"type": "string"},
        "detail": {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "array",
                    "description": "Of `invalid_input`: what is wrong where.",
                    "items": {
                        "type": "object",
                        "required": ["loc", "msg", "type"],
                        "properties": {
                            "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                            "msg": {"type": "string"},
                            "type": {"type": "string"},
                        },
                    },
                },
            ]
        },
    },
}

_WORDS = {
    400: "It makes no sense as it is.",
    401: "No sign-in, or one that is over.",
    403: "The person may not do this.",
    404: "Absent, or not for this person: the two look the same.",
    409: "It collides with what is there.",
    422: "What was sent is not what is taken.",
    429: "Too often; `Retry-After` says for how long.",
    503: "The site cannot do this just now.",
}
_WRITES = {"post", "put", "patch", "delete"}


def describe_errors(schema: Any) -> None:
    """Adds the shape of errors, and to each operation the statuses that it may answer with."""
    schema["components"]["schemas"]["Error"] = SHAPE
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for methods in schema["paths"].values():
        for method, operation in methods.items():
            for status in _statuses(method, operation):
                told = {"description": _WORDS[status], "content": content}
                operation["responses"].setdefault(status, told)


def _statuses(method: str, operation: dict[str, Any]) -> Iterator[int]:
    takes_anything = bool(operation.get("parameters") or "requestBody" in operation)
    # Those about signing in look at what they are given by themselves.
    if operation.get("security") or "auth" in operation.get("tags", []):
        yield from (401, 403)
    if takes_anything:
        yield from (404, 422)
    if method in _WRITES:
        yield from (400, 409, 429)
    elif "prompts" in operation.get("tags", []):
        # Reading one resolves it, and it may not compile.
        yield from (400, 409)
    yield 503
