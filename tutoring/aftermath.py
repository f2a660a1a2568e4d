"""What follows a reply that has ended: its trace, and after the first one a title. Nobody waits for either."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

import structlog
from django.conf import settings

from tenants.visits import within
from tutoring import tracing
from tutoring.actions.budgets import Spent, book_title
from tutoring.actions.titles import clean_title, give_title, title_request
from tutoring.production import Production, in_thread
from tutoring.providers.costs import cost_usd
from tutoring.providers.protocol import Answering, Finished, Provider, ProviderError, TextDelta, TutorRequest, Usage
from tutoring.queries import reply_trace

log = structlog.get_logger(__name__)

TITLE_WITHIN_S = 20


async def follow_up(production: Production, open_provider: Callable[[], Provider]) -> None:
    """Never raises."""
    if production.outcome is None:
        return
    try:
        with within(production.sent.university):
            await _trace(production)
            if settings.TUTOR_TITLES and production.outcome.state == "complete" and production.provider != "practice":
                await _make_title(production, open_provider())
    except Exception:
        log.exception("tutor_follow_up_broke", generation=str(production.sent.generation))


async def _trace(production: Production) -> None:
    if not tracing.is_on():
        return
    trace = await in_thread(reply_trace)(production.sent.generation)
    if trace:
        tracing.trace_reply(replace(trace, first_text_at=production.first_text_at))


async def _make_title(production: Production, provider: Provider) -> None:
    wanted = await in_thread(title_request)(production.sent.session)
    if wanted is None:
        return
    text, spent = await _collected(provider, wanted.request)
    if spent.usage != Usage():
        await in_thread(book_title)(production.sent.generation, spent)
    if title := clean_title(text):
        await in_thread(give_title)(production.sent.session, title, instead_of=wanted.instead_of)


async def _collected(provider: Provider, request: TutorRequest) -> tuple[str, Spent]:
    """The whole text, or none; and what it has used either way."""
    text, usage, name, model = "", Usage(), provider.name, request.model
    try:
        async with asyncio.timeout(TITLE_WITHIN_S), contextlib.aclosing(provider.stream(request)) as stream:
            async for part in stream:
                match part:
                    case TextDelta(more):
                        text += more
                    case Usage():
                        usage = part
                    case Finished(_, usage):
                        pass
                    case Answering(name, model, _):
                        pass
    except (TimeoutError, ProviderError) as error:
        log.warning("tutor_title_failed", detail=repr(error)[:500])
        text = ""
    return text, Spent(name, model, usage, cost_usd(usage, model, settings.TUTOR_PRICES))
