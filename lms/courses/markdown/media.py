import re
from urllib.parse import quote, unquote, urlsplit

from lms.courses.markdown.headings import ID_PREFIX

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")
_PUBLIC_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


# For a picture: its bytes and its drawing must not hold up the words around it.
LOADED_LATE = {"loading": "lazy", "decoding": "async"}


def media_url(reference: str, prefix: str) -> str | None:
    """The address under `prefix` of a course's own file, or None for anything that is not a path inside the course.

    A reference already under the prefix stays as it is, so that resolving twice does no harm.
    """
    path, hash_mark, fragment = reference.removeprefix(prefix).partition("#")
    path = unquote(path.partition("?")[0])
    segments = [part for part in path.split("/") if part != "."]
    # Browsers decode %2e and drop tabs and newlines before they look for "..", hence the check after decoding.
    if _UNSAFE.search(path) or not segments or "" in segments or ".." in segments or ":" in segments[0]:
        return None
    return prefix + quote("/".join(segments)) + (hash_mark + quote(unquote(fragment)) if fragment else "")


def lesson_link(address: str, prefix: str) -> str | None:
    """Where a link in a lesson may lead: a heading, the web, a mailbox or one of the course's own files; else None."""
    if address.startswith("#"):
        return f"#{ID_PREFIX}{address[1:].removeprefix(ID_PREFIX)}"
    if link_host(address):
        return address
    return media_url(address, prefix)


def link_host(address: str) -> str | None:
    """The host a link leads to, or the whole address of a mailto: link; None where no reader could tell or should go.

    User names, ports in words, backslashes and non-ASCII hosts are refused: browsers and readers disagree about them.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if _UNSAFE.search(address) or "%5c" in parts.netloc.lower():
        return None
    if parts.scheme == "mailto":
        return unquote(parts.path) or None
    if parts.scheme not in ("http", "https") or "@" in parts.netloc:
        return None
    host = parts.hostname or ""
    if not _PUBLIC_HOST.fullmatch(host):
        return None
    return host if port is None else f"{host}:{port}"
