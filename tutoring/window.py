"""How much of a conversation the model is sent. Pure: no settings, no database."""

from collections.abc import Sequence
from math import ceil

from tutoring.providers.protocol import Turn

BYTES_PER_TOKEN = 4


def tokens_in(text: str) -> int:
    """An estimate: four bytes of UTF-8 are a token.

    About right for English; other scripts, whose characters take more tokens, take more bytes as well. Formulas and
    code may have a third more.
    """
    return ceil(len(text.encode()) / BYTES_PER_TOKEN)


def newest_that_fit(turns: Sequence[Turn], max_tokens: int) -> list[Turn]:
    """Whole turns without a gap, beginning with one of the student's; the last one whatever its length."""
    kept: list[Turn] = []
    room = max_tokens
    for turn in reversed(turns):
        room -= tokens_in(turn.text)
        if kept and room < 0:
            break
        kept.insert(0, turn)
    while kept and kept[0].role != "user":
        kept.pop(0)
    return kept
