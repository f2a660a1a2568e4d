import asyncio
from contextlib import aclosing

from hypothesis import given
from hypothesis import strategies as st

from lms.courses.markdown import render_reply
from tutoring.events import Ending
from tutoring.live import LiveReply

COMPLETE = Ending(state="complete", stop_reason="end_turn", usage={"output_tokens": 3})


async def read(reply: LiveReply, after: int = 0, *, pages: bool = False) -> list[dict]:
    async with aclosing(reply.follow(after, pages=pages)) as stream:
        return [event async for event in stream]


def test_a_reader_gets_what_was_said_and_what_comes():
    async def scene():
        reply = LiveReply()
        reply.append("One ")
        reading = asyncio.create_task(read(reply))
        await asyncio.sleep(0)
        reply.append("two ")
        reply.append("three")
        await asyncio.sleep(0)
        reply.end(COMPLETE)
        return await reading

    assert asyncio.run(scene()) == [
        {"event": "delta", "from": 0, "text": "One "},
        {"event": "delta", "from": 4, "text": "two three"},
        {
            "event": "done",
            "state": "complete",
            "code": "",
            "stop_reason": "end_turn",
            "length": 13,
            "usage": {"output_tokens": 3},
        },
    ]


def test_a_reader_after_the_end_gets_the_rest_and_the_end():
    async def scene():
        reply = LiveReply()
        reply.append("One two")
        reply.end(COMPLETE)
        return await read(reply, after=4)

    events = asyncio.run(scene())
    assert [(e["event"], e.get("from"), e.get("text")) for e in events] == [("delta", 4, "two"), ("done", None, None)]


def test_positions_are_code_points_not_utf16_units():
    async def scene():
        reply = LiveReply()
        reply.append("🧠é")
        reply.append("n")
        reply.end(COMPLETE)
        return await read(reply, after=1)

    assert asyncio.run(scene())[0] == {"event": "delta", "from": 1, "text": "én"}


def test_a_page_gets_each_finished_block_once_and_the_whole_at_the_end():
    text = "First paragraph.\n\n- one\n- two\n\nMiddle words.\n\nLast words.\n"

    async def scene():
        reply = LiveReply()
        reading = asyncio.create_task(read(reply, pages=True))
        for character in text:
            reply.append(character)
            await asyncio.sleep(0)
        reply.end(COMPLETE)
        return await reading

    events = asyncio.run(scene())
    runs = [e for e in events if e["event"] == "markup"]
    assert [run["from_block"] for run in runs] == [0, 1, 2]
    assert render_reply(text).startswith("".join(run["html"] for run in runs))
    assert events[-1]["html"] == render_reply(text)


def test_a_page_that_comes_late_gets_the_blocks_from_the_first():
    async def scene():
        reply = LiveReply()
        early = asyncio.create_task(read(reply, pages=True))
        await asyncio.sleep(0)
        reply.append("One.\n\nTwo.\n\nThr")
        await asyncio.sleep(0)
        late = asyncio.create_task(read(reply, after=15, pages=True))
        await asyncio.sleep(0)
        reply.end(COMPLETE)
        return await early, await late

    early, late = asyncio.run(scene())
    assert [e for e in late if e["event"] == "markup"] == [e for e in early if e["event"] == "markup"]
    assert [e for e in late if e["event"] == "delta"] == []


def test_a_reader_who_leaves_is_forgotten():
    async def scene():
        reply = LiveReply()
        reading = asyncio.create_task(read(reply))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        return len(reply._readers)

    assert asyncio.run(scene()) == 0


@given(st.lists(st.text(max_size=20), max_size=12), st.integers(0, 60))
def test_any_cut_of_any_text_joins_to_the_text(pieces: list[str], after: int):
    async def scene():
        reply = LiveReply()
        for piece in pieces:
            reply.append(piece)
        reply.end(COMPLETE)
        return await read(reply, after=after)

    whole = "".join(pieces)
    assert "".join(e["text"] for e in asyncio.run(scene()) if e["event"] == "delta") == whole[after:]


def test_a_reader_who_has_more_than_the_row_is_told_what_the_row_has():
    """The process that made the reply was killed, or has lost its lease, with text that nobody has saved."""

    async def scene():
        reply = LiveReply()
        reply.append("One two three")
        reading = asyncio.create_task(read(reply, pages=True))
        await asyncio.sleep(0)
        reply.end(Ending(state="failed", code="interrupted"), "One two")
        return await reading

    events = asyncio.run(scene())
    assert (events[0]["text"], events[-1]["length"], events[-1]["html"]) == ("One two three", 7, "<p>One two</p>\n")


def test_dismissed_readers_get_what_there_is_and_are_sent_away():
    async def scene():
        reply = LiveReply()
        reply.append("One ")
        early = asyncio.create_task(read(reply))
        await asyncio.sleep(0)
        reply.append("two")
        reply.dismiss(250)
        return await early, await read(reply, after=4)

    restart = {"event": "restart", "retry_ms": 250}
    assert asyncio.run(scene()) == (
        [
            {"event": "delta", "from": 0, "text": "One "},
            {"event": "delta", "from": 4, "text": "two"},
            restart,
        ],
        [{"event": "delta", "from": 4, "text": "two"}, restart],
    )


def test_a_long_text_comes_in_pieces():
    async def scene():
        reply = LiveReply()
        reply.append("x" * 40_000)
        reply.append("y" * 40_000)
        reply.end(COMPLETE)
        return await read(reply, after=10)

    *deltas, done = asyncio.run(scene())
    assert [(each["from"], len(each["text"])) for each in deltas] == [(10, 32_768), (32_778, 32_768), (65_546, 14_454)]
    assert "".join(each["text"] for each in deltas) == ("x" * 40_000 + "y" * 40_000)[10:]
    assert done["length"] == 80_000
