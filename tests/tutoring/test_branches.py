"""A conversation as a tree. No database."""

from uuid import UUID, uuid4

import pytest

from tutoring.branches import branch_through, path_to, siblings
from tutoring.models import Message

# Each message with its parent. 1 has the replies 2 and 3; after 2 the question 4 and, beside it, 6, each answered.
TREE = {1: None, 2: 1, 3: 1, 4: 2, 5: 4, 6: 2, 7: 6}
IDS = {number: uuid4() for number in TREE}


def messages(tree: dict[int, int | None] = TREE) -> list[Message]:
    """Questions have odd depths, replies even ones."""
    depth: dict[int, int] = {}
    made = []
    for number, parent in tree.items():
        depth[number] = depth[parent] + 1 if parent else 1
        role = "user" if depth[number] % 2 else "assistant"
        made.append(Message(pk=IDS[number], seq=number, role=role, parent_id=IDS[parent] if parent else None))
    return made


def numbers(path: list[Message]) -> list[int]:
    return [message.seq for message in path]


@pytest.mark.parametrize(("leaf", "path"), [(1, [1]), (3, [1, 3]), (5, [1, 2, 4, 5]), (7, [1, 2, 6, 7])])
def test_a_path_leads_from_the_first_question_down(leaf: int, path: list[int]) -> None:
    assert numbers(path_to(messages(), IDS[leaf])) == path


@pytest.mark.parametrize("leaf", [None, uuid4()])
def test_there_is_no_path_to_what_is_not_there(leaf: UUID | None) -> None:
    assert path_to(messages(), leaf) == []


@pytest.mark.parametrize(
    ("chosen", "branch"),
    [
        (1, [1, 2, 6, 7]),
        (2, [1, 2, 6, 7]),
        (3, [1, 3]),
        (4, [1, 2, 4, 5]),
        (5, [1, 2, 4, 5]),
        (6, [1, 2, 6, 7]),
    ],
)
def test_a_branch_goes_through_a_message_to_the_newest_that_came_of_it(chosen: int, branch: list[int]) -> None:
    assert numbers(branch_through(messages(), IDS[chosen])) == branch


def test_without_a_choice_the_newest_message_leads() -> None:
    # By its number, in whatever order they come.
    for given in (messages(), messages()[::-1]):
        assert numbers(branch_through(given)) == [1, 2, 6, 7]
        assert numbers(branch_through(given, uuid4())) == [1, 2, 6, 7]
    assert numbers(branch_through(messages({1: None, 2: 1, 4: 2, 5: 4, 6: 1}))) == [1, 6]
    assert branch_through([]) == []


def test_siblings_have_one_parent_and_one_role() -> None:
    found = siblings(reversed(messages()))
    by_number = {number: [list(IDS.values()).index(each) + 1 for each in found[IDS[number]]] for number in TREE}
    assert by_number == {1: [1], 2: [2, 3], 3: [2, 3], 4: [4, 6], 5: [5], 6: [4, 6], 7: [7]}


def test_first_questions_are_siblings() -> None:
    assert siblings(messages({1: None, 2: 1, 3: None}))[IDS[3]] == [IDS[1], IDS[3]]
