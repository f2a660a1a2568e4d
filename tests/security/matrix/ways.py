"""The ways into the site, read from its code: the URLconf with the API's operations and the admin, and the sockets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLResolver, get_resolver

from lms.urls import api
from tutoring import schemas
from tutoring.routing import _sockets

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
_CONVERTER = re.compile(r"<\w+:")
# Pages and views of the admin take both, whatever they make of them.
_METHODS = ["GET", "POST"]


@dataclass(frozen=True)
class Way:
    """`route` as the URLconf has it; `method` is one of HTTP, or an action of the tutor's socket."""

    method: str
    route: str

    @property
    def name(self) -> str:
        return f"{self.method} /{self.route}"

    @property
    def parameters(self) -> list[str]:
        return [named or matched for named, matched in _PARAMETER.findall(self.route)]

    def path(self, values: dict[str, str]) -> str:
        """Regular expressions keep nothing but their group."""
        filled = _PARAMETER.sub(lambda found: values[found[1] or found[2]], self.route)
        return "/" + filled.replace("^", "").replace("$", "")


def all_ways() -> list[Way]:
    return sorted({*_http_ways(), *_socket_ways()}, key=lambda way: (way.route, way.method))


def _http_ways() -> Iterator[Way]:
    """Operations of the API by its own schema, as one address has several; all else by the URLconf."""
    operations = {
        (path.removeprefix("/").replace("{", "<").replace("}", ">"), method.upper())
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method in methods
    }
    known = {route for route, _method in operations}
    for route, method in operations:
        yield Way(method, route)
    for route in _leaves(get_resolver().url_patterns, ""):
        if _CONVERTER.sub("<", route) not in known:
            for method in _METHODS:
                yield Way(method, route)


def _leaves(patterns: list[Any], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _leaves(pattern.url_patterns, route)
        else:
            yield route


def _socket_ways() -> Iterator[Way]:
    """An action each for every frame that the socket knows, and one for an address that is none."""
    actions = [frame.model_fields["action"].annotation.__args__[0] for frame in schemas.Frame.__args__]
    for route in _sockets.routes:
        pattern = str(route.pattern)
        for action in actions if pattern else ["open"]:
            yield Way(f"socket:{action}", pattern or "ws/elsewhere/")
