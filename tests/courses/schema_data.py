"""Data that a content type's schema allows, for properties that must hold of all of it."""

from typing import Any

from hypothesis import strategies as st

# Single characters that tell a careless form from a careful one: markup, maths, quotes, spaces, other scripts.
_CHARACTERS = st.sampled_from([*"aZ9 .,;:=/\\-_<>&\"'`$*#[]{}|~\u00e9\u05d0\u4e2d\U0001f600", "&amp;", "</textarea>"])
_ID = r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,8}\Z"
_BY_FORMAT = {
    "media-path": st.from_regex(r"\A[a-z]{1,8}(/[a-z ]{1,6}[a-z])?\.png\Z"),
    "uri": st.from_regex(r"\Ahttps://[a-z]{1,8}\.example/[a-z?=&]{0,8}\Z"),
}
_BY_NAME = {
    "id": st.from_regex(_ID),
    "language": st.sampled_from(["en", "pt-BR", "de"]),
    "youtube_id": st.from_regex(r"\A[A-Za-z0-9_-]{6,20}\Z"),
}


def _line(node: dict[str, Any]) -> st.SearchStrategy[str]:
    return st.lists(_CHARACTERS, min_size=1, max_size=8).map("".join).map(str.strip).filter(bool)


def _text(node: dict[str, Any]) -> st.SearchStrategy[str]:
    pieces = st.lists(st.one_of(_CHARACTERS, st.just("\n")), min_size=node.get("minLength", 0), max_size=12)
    return pieces.map("".join)


def values(name: str, node: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values as a form leaves them: lines without outer spaces, and nothing empty where it may be absent instead."""
    if "enum" in node:
        return st.sampled_from(node["enum"])
    match node["type"]:
        case "integer":
            return st.integers(node["minimum"], node["maximum"])
        case "array":
            least = 0 if "default" in node else node.get("minItems", 1)
            rows = st.lists(objects(node["items"]), min_size=least, max_size=3)
            return rows.filter(_differ)
        case "string" if node.get("format") in _BY_FORMAT:
            return _BY_FORMAT[node["format"]]
        case "string" if "pattern" in node:
            return _BY_NAME[name]
        case "string":
            is_long = node.get("format") in {"markdown", "code", "textarea"}
            return _text(node) if is_long else _line(node)
    raise AssertionError(node)


def objects(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Required properties and those with a default always, the others now and then."""
    properties = schema["properties"]
    always = {n for n in properties if n in schema.get("required", ()) or "default" in properties[n]}
    fixed = {name: values(name, properties[name]) for name in always}
    optional = {name: values(name, properties[name]) for name in properties if name not in always}
    return st.fixed_dictionaries(fixed, optional=optional)


def _differ(rows: list[dict[str, Any]]) -> bool:
    ids = [row["id"] for row in rows if "id" in row]
    return len(ids) == len(set(ids))
