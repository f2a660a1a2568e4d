"""API group `chat`: conversations, replies as server-sent events, what became of them."""

from ninja import Router

from tutoring.api import replies, sessions

router = Router(tags=["chat"])
router.add_router("", sessions.router)
router.add_router("", replies.router)
