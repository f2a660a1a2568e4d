"""What pages, streams and commands read of conversations and of their use."""

from tutoring.queries.conversations import (
    Conversation,
    conversation,
    conversations,
    latest_conversation,
    matching_passages,
    message_count,
)
from tutoring.queries.sharing import Draft, Sharing, draft_share, live_shares, sharing_of, tutor_policy
from tutoring.queries.traces import reply_trace
from tutoring.queries.usage import Meter, meter, meter_of

__all__ = [
    "Conversation",
    "Draft",
    "Meter",
    "Sharing",
    "conversation",
    "conversations",
    "draft_share",
    "latest_conversation",
    "live_shares",
    "matching_passages",
    "message_count",
    "meter",
    "meter_of",
    "reply_trace",
    "sharing_of",
    "tutor_policy",
]
