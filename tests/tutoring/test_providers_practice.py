import asyncio
from contextlib import aclosing

from lms.courses.markdown import plain_text, render_reply
from tutoring.providers.practice import PracticeProvider
from tutoring.providers.protocol import Finished, TextDelta, Turn, TutorRequest, Usage

LESSON = """Charging

A capacitor stores charge. Its voltage rises as $V(t) = V_0 (1 - e^{-t/RC})$.

- measure
- plot"""


def reply(
    passages: list[str], *, lesson: str = LESSON, question: str = "What does a capacitor store?", tokens: int = 500
):
    asked: list[tuple[str, str, str]] = []

    async def find_passages(*wanted: str) -> list[str]:
        asked.append(wanted)
        return passages

    async def all_parts() -> list[TextDelta | Finished]:
        provider = PracticeProvider(find_passages=find_passages, pace_s=0)
        request = TutorRequest(
            model="", system="Be kind.", briefing=[], lesson=lesson, language="en",
            turns=[Turn("user", question)], max_output_tokens=tokens,
        )  # fmt: skip
        async with aclosing(provider.stream(request)) as stream:
            return [part async for part in stream]

    *pieces, finished = asyncio.run(all_parts())
    assert asked == [(lesson, question, "en")]
    return [piece.text for piece in pieces], finished


def test_it_quotes_the_passages_and_asks_back():
    pieces, finished = reply(["A capacitor stores charge.", "Its voltage rises as $V_0 (1 - e^{-t/RC})$."])
    text = (
        "These parts of the lesson are closest to your question:\n\n"
        "> A capacitor stores charge.\n\n"
        "> Its voltage rises as $V_0 (1 - e^{-t/RC})$.\n\n"
        "How would you put what it says about “capacitor” into your own words, and which step is still unclear to you?"
    )
    assert "".join(pieces) == text
    assert finished == Finished("end_turn", Usage(input_tokens=9, output_tokens=61))
    assert [len(piece.split()) for piece in pieces] == [1] * len(pieces)


def test_without_a_match_it_says_so_and_offers_the_beginning():
    pieces, _ = reply([], question="And football?")
    assert "".join(pieces) == (
        "I found nothing in this lesson that matches the words of your question. This is how it begins:\n\n"
        "> A capacitor stores charge. Its voltage rises as $V(t) = V_0 (1 - e^{-t/RC})$.\n\n"
        "Is your question about something here? Try to ask it with one of the lesson's own terms."
    )


def test_a_lesson_without_text_is_said_to_have_none():
    pieces, _ = reply([], lesson=" \n\n ")
    assert "".join(pieces) == (
        "This lesson has no text to quote from. Is there another lesson of the course that your question fits?"
    )


def test_a_quotation_reads_as_the_lesson_whatever_signs_stand_in_it():
    passage = "# not a heading\na_b * c <b> [x](y) `z` ~~w~~ $a_b$\n---\n> 1 < 2\n\\ and x ="
    quoted = "".join(reply([passage])[0]).split("\n\n")[1]
    assert plain_text(quoted, format="markdown").split("\n") == passage.split("\n")
    assert render_reply(quoted).startswith(
        "<blockquote>\n<p># not a heading<br>\na_b * c &lt;b&gt; [x](y) `z` ~~w~~ <math"
    )


def test_a_quoted_list_stays_a_list():
    quoted = "".join(reply(["Steps:\n- measure\n- plot"])[0]).split("\n\n")[1]
    assert render_reply(quoted) == (
        "<blockquote>\n<p>Steps:</p>\n<ul>\n<li>measure</li>\n<li>plot</li>\n</ul>\n</blockquote>\n"
    )


def test_a_long_passage_ends_after_a_sentence():
    pieces, _ = reply(["One sentence of the lesson. " * 40])
    quoted = "".join(pieces).split("\n\n")[1]
    assert quoted == "> " + "One sentence of the lesson. " * 20 + "One sentence of the lesson. …"


def test_it_quotes_three_passages_at_most_and_keeps_to_its_allowance():
    pieces, _ = reply(["One.", "Two.", "Three.", "Four."])
    assert [line for line in "".join(pieces).split("\n") if line.startswith(">")] == [
        "> One.",
        "> Two.",
        "> Three.",
    ]
    pieces, finished = reply(["A capacitor stores charge."], tokens=5)
    assert ("".join(pieces), finished) == ("This part of the les", Finished("max_tokens", Usage(9, 5)))


def test_it_takes_its_time():
    async def find_passages(*_: str) -> list[str]:
        return []

    async def timed() -> float:
        provider = PracticeProvider(find_passages=find_passages, pace_s=0.01)
        request = TutorRequest("", "", [], "", "en", [Turn("user", "?")], 500)
        started = asyncio.get_running_loop().time()
        async with aclosing(provider.stream(request)) as stream:
            words = [part async for part in stream]
        return (asyncio.get_running_loop().time() - started) / len(words)

    assert asyncio.run(timed()) >= 0.009
