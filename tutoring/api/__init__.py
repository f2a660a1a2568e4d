"""API group `chat`: conversations, replies as server-sent events, what became of them."""

from ninja import Router

from tutoring.api import allowance, feedback, replies, sessions, sharing

router = Router(tags=["chat"])
router.add_router("", sessions.router)
router.add_router("", replies.router)
router.add_router("", feedback.router)
router.add_router("", allowance.router)
router.add_router("", sharing.router)
