"""Langfuse's SDK, shaped to what `tutoring.tracing` needs. The one file that imports it; only its thread imports this.

Importing takes a quarter of a second, so an installation without Langfuse never does.
"""

import atexit
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from langfuse import Langfuse, LangfuseGeneration
from langfuse import LangfuseOtelSpanAttributes as Key
from langfuse._client.resource_manager import LangfuseResourceManager
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, set_span_in_context
from opentelemetry.util.types import AttributeValue

from tenants.keys import key_for
from tutoring.tracing import ReplyTrace

# For one request; the SDK tries a few times and then drops what it held.
TIMEOUT_S = 5
# Longer tags would be dropped whole.
MAX_TAG_CHARACTERS = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LangfuseClient:
    """Gives to the SDK's own threads, one for spans and one for scores, which send in batches."""

    def __init__(self, *, host: str, public_key: str, secret_key: str) -> None:
        # A provider of our own: the SDK would make its own the global one, and send whatever else then used it.
        resource = Resource({"service.name": "colloquy"})
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        self._http = httpx.Client(timeout=TIMEOUT_S)
        # There is no argument for it. Files are never sent, and a question that looks like one would be cut out.
        os.environ["LANGFUSE_MEDIA_UPLOAD_ENABLED"] = "false"
        self._sdk = Langfuse(
            base_url=host,
            public_key=public_key,
            secret_key=secret_key,
            timeout=TIMEOUT_S,
            httpx_client=self._http,
            tracer_provider=self._provider,
        )
        _hold_back(public_key)

    def record(self, trace: ReplyTrace, *, user: str) -> None:
        has_failed = trace.state == "failed"
        generation = LangfuseGeneration(
            otel_span=self._span(trace, user),
            langfuse_client=self._sdk,
            input=trace.question or None,
            output=trace.reply or None,
            metadata=_metadata(trace),
            level="ERROR" if has_failed else None,
            status_message=trace.error_code if has_failed else None,
            completion_start_time=trace.first_text_at,
            model=trace.model or None,
            usage_details=_usage_details(trace),
            cost_details=None if trace.cost_usd is None else {"total": float(trace.cost_usd)},
        )
        generation.end(end_time=_nanoseconds(trace.ended_at))

    def score(self, generation: UUID, *, is_up: bool, comment: str) -> None:
        self._sdk.create_score(
            name="thumbs",
            value=float(is_up),
            data_type="BOOLEAN",
            trace_id=generation.hex,
            score_id=f"{generation.hex}-thumbs",
            comment=comment or None,
        )

    def close(self) -> None:
        """Waits until everything is sent or given up."""
        self._sdk.shutdown()
        self._provider.shutdown()
        self._http.close()

    def _span(self, trace: ReplyTrace, user: str) -> Span:
        """Begun in the past, which `start_observation` cannot do (langfuse-python issue 1377); as it does otherwise."""
        # A span takes its trace's id from its parent only, so it gets one that nobody sends.
        above = SpanContext(
            trace_id=trace.generation.int,
            span_id=RandomIdGenerator().generate_span_id(),
            is_remote=False,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
        )
        return self._sdk._otel_tracer.start_span(
            "tutor-reply",
            context=set_span_in_context(NonRecordingSpan(above), Context()),
            start_time=_nanoseconds(trace.started_at),
            attributes=dict(_trace_attributes(trace, user)),
        )


def _hold_back(public_key: str) -> None:
    """Take from the SDK what it keeps for itself and nobody here wants."""
    # It would give the same client, once closed, to the next who asks with this key.
    resources = LangfuseResourceManager._instances.pop(public_key)
    # At the end of the process it would wait for a dead server as long as it takes.
    atexit.unregister(resources.shutdown)
    # A thread that fetches prompts anew: they live in our own database.
    resources.prompt_cache._task_manager.shutdown()


def _trace_attributes(trace: ReplyTrace, user: str) -> Iterator[tuple[str, AttributeValue]]:
    yield Key.AS_ROOT, True
    yield Key.TRACE_NAME, "tutor-reply"
    yield Key.TRACE_USER_ID, user
    yield Key.TRACE_SESSION_ID, str(trace.session)
    yield Key.TRACE_TAGS, _tags(trace)
    if trace.prompt_name and trace.prompt_version is not None:
        yield Key.OBSERVATION_PROMPT_NAME, trace.prompt_name
        yield Key.OBSERVATION_PROMPT_VERSION, trace.prompt_version


def _tags(trace: ReplyTrace) -> list[str]:
    """Under their university, so that no filter by a tag mixes two of them."""
    parts = [part for part in (trace.course, trace.hint_policy, trace.state) if part]
    university = key_for(trace.university)
    return [university, *(f"{university}/{part}"[:MAX_TAG_CHARACTERS] for part in parts)]


def _metadata(trace: ReplyTrace) -> dict[str, Any]:
    return {
        "generation": str(trace.generation),
        "university": trace.university,
        "course": trace.course,
        "content_item": trace.content_item or None,
        "hint_policy": trace.hint_policy,
        "provider": trace.provider,
        "state": trace.state,
        "tries": trace.tries,
        "prompt_versions": [dict(version) for version in trace.prompt_versions],
    }


def _usage_details(trace: ReplyTrace) -> dict[str, int]:
    """Under the names by which Langfuse knows Anthropic's prices; `input` is what the cache neither took nor gave."""
    usage = trace.usage
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cache_creation_input_tokens": usage.cache_creation_input_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
    }


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
