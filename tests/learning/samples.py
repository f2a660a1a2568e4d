"""A quiz with a question of each kind, and its key. The key's words stand nowhere else."""

from lms.courses.actions.content_types import load_content_types
from lms.courses.actions.items import create_item
from lms.courses.models import ContentItem, ContentType, Module

CANARY = "quixotic-canary"


def options(*ids: str) -> list[dict[str, str]]:
    return [{"id": one, "text": f"Option **{one}**"} for one in ids]


def question(id: str, kind: str, *ids: str, points: int = 1) -> dict[str, object]:
    return {"id": id, "kind": kind, "prompt": f"What of {id}?", "options": options(*ids), "points": points}


DATA = {
    "introduction": "Look *closely*.",
    "questions": [
        question("one", "single", "a", "b", points=2),
        question("many", "multiple", "a", "b", "c"),
        question("number", "numeric"),
        question("word", "short_text"),
        question("order", "ordering", "c", "a", "b"),
        question("match", "matching", "a", "b", "x", "y"),
    ],
}
KEY = {
    "one": {"correct": ["b"], "explanation": f"Because *{CANARY}* b."},
    "many": {"correct": ["a", "c"]},
    "number": {"correct": [3.1], "tolerance": 0.1, "explanation": f"{CANARY} pi."},
    "word": {"correct": [f"{CANARY} answer", "variance"]},
    "order": {"correct": ["a", "b", "c"]},
    "match": {"correct": [["a", "x"], ["b", "y"]]},
}


def make_quiz(module: Module, **fields: object) -> ContentItem:
    load_content_types()
    values = {
        "by": None,
        "module": module,
        "content_type": ContentType.objects.get(slug="quiz"),
        "title": "Check yourself",
        "data": DATA,
        "answer_key": KEY,
    }
    return create_item(**(values | fields))
