"""The tutor of a site without a model: it quotes the lesson and asks back. It never writes a word about the subject."""

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Awaitable, Callable

from tutoring.providers.protocol import Finished, Part, TextDelta, TutorRequest, Usage

# (the lesson's text, the question, the lesson's language) to its passages, best first.
FindPassages = Callable[[str, str, str], Awaitable[list[str]]]

MAX_PASSAGES = 3
MAX_PASSAGE_CHARS = 600
# An estimate, near enough for a budget: a token of English is about four characters.
CHARS_PER_TOKEN = 4

_FORMULA = re.compile(r"(\$\$.+?\$\$|\$[^$\n]+\$)", re.DOTALL)
# What Markdown would take for markup, and what alone on a line would make a heading of the line before.
_MARKUP = re.compile(r"[\\`*_\[\]<>#~]|[-=](?=[-= ]*$)", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?](?=\s)")
# Shorter words are seldom what a question is about.
_WORD = re.compile(r"[^\W\d_]{6,}")


class PracticeProvider:
    """Deterministic: the same lesson and question give the same reply. `pace_s` is the pause after each word."""

    name = "practice"

    def __init__(self, *, find_passages: FindPassages, pace_s: float = 0.02) -> None:
        self._find_passages = find_passages
        self._pace_s = pace_s

    async def aclose(self) -> None:
        pass

    async def stream(self, request: TutorRequest) -> AsyncGenerator[Part, None]:
        passages = await self._find_passages(request.lesson, request.question, request.language)
        reply = _reply(request, passages[:MAX_PASSAGES])
        allowed = reply[: request.max_output_tokens * CHARS_PER_TOKEN]
        for word in re.findall(r"\s*\S+\s*", allowed):
            yield TextDelta(word)
            await asyncio.sleep(self._pace_s)
        stop_reason = "end_turn" if allowed == reply else "max_tokens"
        yield Finished(stop_reason, Usage(input_tokens=_asked_tokens(request), output_tokens=_tokens(allowed)))


def _reply(request: TutorRequest, passages: list[str]) -> str:
    if passages:
        found = "These parts of the lesson are" if len(passages) > 1 else "This part of the lesson is"
        lead, question = f"{found} closest to your question:", _ask_back(request, passages[0])
        return "\n\n".join([lead, *map(_quote, passages), question])
    if opening := _opening(request.lesson):
        return "\n\n".join(
            [
                "I found nothing in this lesson that matches the words of your question. This is how it begins:",
                _quote(opening),
                "Is your question about something here? Try to ask it with one of the lesson's own terms.",
            ]
        )
    return "This lesson has no text to quote from. Is there another lesson of the course that your question fits?"


def _ask_back(request: TutorRequest, passage: str) -> str:
    terms = {word.casefold() for word in _WORD.findall(passage)}
    shared = [word for word in _WORD.findall(request.question) if word.casefold() in terms]
    if not shared:
        return "Which sentence here comes nearest to what you want to know, and what is still missing in it?"
    term = max(shared, key=len)
    return f"How would you put what it says about “{term}” into your own words, and which step is still unclear to you?"


def _opening(lesson: str) -> str:
    """The lesson's first paragraph, or its first line of any kind where it has no paragraph."""
    paragraphs = [paragraph for paragraph in lesson.split("\n\n") if paragraph.strip()]
    whole_sentences = [paragraph for paragraph in paragraphs if len(paragraph.split()) >= 8]
    return next(iter(whole_sentences or paragraphs), "")


def _quote(passage: str) -> str:
    """Plain text as a Markdown quotation that shows it word for word and line by line, with its formulas drawn."""
    return "> " + "  \n> ".join(line.rstrip() for line in _escaped(_shortened(passage)).split("\n"))


def _shortened(passage: str) -> str:
    passage = passage.strip()
    if len(passage) <= MAX_PASSAGE_CHARS:
        return passage
    start = passage[:MAX_PASSAGE_CHARS]
    ends = [match.end() for match in _SENTENCE_END.finditer(start)]
    return f"{start[: ends[-1]] if ends else start.rpartition(' ')[0]} …"


def _escaped(text: str) -> str:
    parts = _FORMULA.split(text)
    # Every second part is a formula, which stays as it is.
    parts[::2] = [_MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def _asked_tokens(request: TutorRequest) -> int:
    return _tokens("".join([request.system, *request.briefing, *(turn.text for turn in request.turns)]))


def _tokens(text: str) -> int:
    return math.ceil(len(text) / CHARS_PER_TOKEN)
