import pytest

from tutoring.providers.protocol import Turn
from tutoring.window import newest_that_fit, tokens_in


def words(count: int, letter: str) -> str:
    return letter * 4 * count


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("яяяя", 2), ("学学学学", 3), ("🧠", 1)]
)
def test_a_token_is_four_bytes(text: str, tokens: int) -> None:
    assert tokens_in(text) == tokens


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (["a"], "a"),
        ([words(30, "a"), words(30, "b"), words(40, "c")], "abc"),
        # One token more than fits: the oldest goes, and a reply does not stand first.
        ([words(31, "a"), words(30, "b"), words(40, "c")], "c"),
        ([words(1, "a"), words(70, "b"), words(20, "c"), words(20, "d"), words(20, "e")], "cde"),
        # What is older than one that does not fit is left out, short as it may be.
        (["a", "b", words(90, "c"), words(9, "d"), words(9, "e")], "e"),
        # The question itself, however long.
        (["a", "b", words(250, "c")], "c"),
        (["я" * 100, "b", "я" * 102], "я"),
    ],
)
def test_the_newest_that_fit_are_kept_whole(said: list[str], kept: str) -> None:
    turns = [Turn("assistant" if number % 2 else "user", text) for number, text in enumerate(said)]
    found = newest_that_fit(turns, 100)
    assert found == turns[len(turns) - len(kept) :]
    assert "".join(turn.text[0] for turn in found) == kept
