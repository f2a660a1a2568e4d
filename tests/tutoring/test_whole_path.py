"""A student asks, the tutor answers: what goes to the model, what is stored, and the same reply on every way."""

import json
from decimal import Decimal

from channels.db import database_sync_to_async
from django.test import AsyncClient

from lms.courses.markdown import render_reply
from prompts.queries import recompile
from tests.fakes.claude import Answer, Gate
from tests.tutoring.live_case import KEY, EventStream, LiveCase, as_frames, new_socket, opened, reached, texts
from tutoring.briefing import prompt_variables
from tutoring.models import Generation, Message

REPLY = [
    "Think of ",
    "the **standard error**",
    ": $\\sigma",
    "/\\sqrt{n}$.\n\n",
    "- 🧠 one\n- two\n\n",
    "<b>Why?</b>\n",
]
WHOLE = "".join(REPLY)
USAGE = {"input_tokens": 120, "output_tokens": 60, "cache_creation_input_tokens": 2000, "cache_read_input_tokens": 0}


class WholePath(LiveCase):
    async def test_the_request_carries_the_lesson_the_prompt_and_the_cache_mark(self):
        self.claude.will(Answer(["First reply."]))
        await self.answered("Why do samples vary?")
        await self.answered("And how much?")
        request = (await self.upstream(1)).body
        assert (request["model"], request["max_tokens"], request["stream"]) == ("claude-sonnet-5-5", 2000, True)
        assert (await self.upstream(1)).key == KEY

        generation = await Generation.objects.afirst()
        prompt = await database_sync_to_async(recompile)(generation.prompt_versions)
        assert (prompt.hash, prompt.versions[0].reference.name) == (generation.prompt_hash, "tutor/lesson")
        system, *briefing = prompt.render(prompt_variables(self.session)).messages
        assert request["system"] == [{"type": "text", "text": system["content"]}]

        first, reply, question = request["messages"]
        lesson, student, asked = first["content"]
        assert [lesson["text"], student["text"]] == [message["content"] for message in briefing]
        assert [message["role"] for message in request["messages"]] == ["user", "assistant", "user"]
        assert self.session.content_context["content"] in lesson["text"]
        assert "<title>Reading: why samples vary</title>" in lesson["text"]
        assert lesson["cache_control"] == {"type": "ephemeral"}
        assert "<name>Sam Sorensen</name>" in student["text"]
        assert asked == {"type": "text", "text": "Why do samples vary?"}
        assert reply["content"] == [{"type": "text", "text": "First reply."}]
        assert question["content"] == [{"type": "text", "text": "And how much?"}]
        assert json.dumps(request).count("cache_control") == 1

    async def test_the_same_reply_byte_for_byte_on_every_way_and_after_a_reload(self):
        gate = Gate()
        self.claude.will(Answer(REPLY, gate=gate, gate_after=3, usage=USAGE))
        cookie, token = await database_sync_to_async(lambda: (self.cookie(), self.token()))()
        async with opened(new_socket(self.path, cookie=cookie)) as page:
            await page.say(action="send", key="a-key-of-its-own", text="Why?")
            started = await page.hear()
            await reached(gate)
            stream = EventStream("GET", f"/chat/generations/{started['generation']}/events", token=token)
            await stream.open()
            gate.release()
            on_page, in_stream = await page.hear_until("done"), as_frames(await stream.rest())

        assert texts(on_page).encode() == texts(in_stream).encode() == WHOLE.encode()
        html = on_page[-1]["html"]
        assert html == render_reply(WHOLE)
        finished = "".join(frame["html"] for frame in on_page if frame["event"] == "markup")
        assert finished
        assert html.startswith(finished)
        assert on_page[-1]["usage"] == in_stream[-1]["usage"]

        detail = EventStream("GET", f"/chat/sessions/{self.session.pk}", token=token)
        reply = json.loads((await detail.answer())[1])["messages"][1]
        assert (reply["id"], reply["generation"], reply["state"]) == (
            started["reply"],
            started["generation"],
            "complete",
        )
        assert reply["body"].encode() == WHOLE.encode()

        browser = AsyncClient()
        await browser.aforce_login(self.world.sam)
        lesson = f"/north/learn/{self.world.offering.pk}/{self.world.item.pk}/"
        for path in (lesson, f"/north/tutor/{self.session.pk}/"):
            loaded = await browser.get(path)
            assert loaded.context["tutor"].messages[1]["html"] == html
            assert f'data-part="body" dir="auto">{html}</div>' in loaded.content.decode()

        row = await Message.objects.aget(pk=started["reply"])
        assert row.body.encode() == WHOLE.encode()
        generation = await Generation.objects.aget(pk=started["generation"])
        assert (generation.input_tokens, generation.output_tokens, generation.cache_write_tokens) == (120, 60, 2000)
        # 120 at 3, 60 at 15 and 2000 at 3.75 USD per million tokens.
        assert generation.cost_usd == Decimal("0.008760")
