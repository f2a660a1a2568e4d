"""The providers' ledgers: which requests were made for which question, and what each was sent."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tests.fakes.scripts import Received

_MARK = re.compile(r"q-[0-9a-f]{32}")


def by_mark(requests: Iterable[Received]) -> dict[str, list[Received]]:
    """In the order of their arrival."""
    found: dict[str, list[Received]] = defaultdict(list)
    for request in requests:
        if mark := _mark(request):
            found[mark].append(request)
    return {mark: sorted(made, key=lambda request: request.received_at) for mark, made in found.items()}


def _mark(request: Received) -> str:
    """Of the question, which is the last thing said; what was asked before stands in earlier blocks."""
    content = request.body["messages"][-1]["content"]
    texts = [content] if isinstance(content, str) else [block["text"] for block in content]
    marks = [mark for text in texts for mark in _MARK.findall(text)]
    return marks[-1] if marks else ""


@dataclass(frozen=True)
class Loss:
    """What had been sent before a moment and is not in the row."""

    characters: int = 0
    # Between the moment and the first of those characters.
    seconds: float = 0


def loss(body: str, request: Received, cut_at: float) -> Loss:
    sent_by_then = [(text, at) for text, at in zip(request.sent, request.sent_at, strict=False) if at <= cut_at]
    length = sum(len(text) for text, _ in sent_by_then)
    if length <= len(body):
        return Loss()
    position = 0
    for text, at in sent_by_then:
        position += len(text)
        if position > len(body):
            return Loss(length - len(body), cut_at - at)
    raise AssertionError("the lost characters were not found")
