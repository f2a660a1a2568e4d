"""Every way by every person by every object: with both walls, and with each of them taken away."""

import os
from collections.abc import Iterator

import pytest

from tests.postgresql.base import without_second_wall
from tests.security.matrix.cast import make_cast
from tests.security.matrix.first_wall import without_first_wall
from tests.security.matrix.runner import Asker, Outcome
from tests.security.matrix.table import PEOPLE, read_table, write_table
from tests.security.matrix.ways import all_ways

pytestmark = pytest.mark.django_db(transaction=True)

IS_WRITING = os.environ.get("MATRIX") == "write"
# Who could see what is another university's, were a wall not there.
CURIOUS = ("sam", "tess", "ada", "oona")
_asked: dict[str, Outcome] = {}
_totals: dict[str, tuple[int, int, int]] = {}


@pytest.fixture(scope="module", autouse=True)
def _sums() -> Iterator[None]:
    yield
    if "MATRIX" in os.environ:
        for walls, (ways, cells, violations) in _totals.items():
            print(f"\n{walls:<24} {ways} ways, {cells} cells, {violations} violations in all", end="")
        print()


@pytest.fixture(autouse=True)
def unlimited(settings: object) -> None:
    settings.TUTOR_SENDS_PER_MINUTE_PER_USER = settings.TUTOR_SENDS_PER_MINUTE_PER_ADDRESS = 100_000


def test_every_way_has_a_row_and_every_row_a_way() -> None:
    assert IS_WRITING or sorted(read_table()) == sorted(way.name for way in all_ways())


@pytest.mark.parametrize("person", PEOPLE)
def test_with_both_walls(person: str) -> None:
    outcome = _asked[person] = Asker(make_cast(), person).run()
    _print("both walls", person, outcome)
    assert "\n".join(outcome.violations) == ""
    if IS_WRITING:
        if len(_asked) == len(PEOPLE):
            write_table(_asked)
        return
    expected = {way: cells[person] for way, cells in read_table().items()}
    assert {way: "/".join(statuses) for way, statuses in outcome.statuses.items()} == expected


@pytest.mark.parametrize("person", CURIOUS)
def test_without_the_first_wall_the_second_holds(person: str) -> None:
    asker = Asker(make_cast(), person)
    with without_first_wall():
        outcome = asker.run(only_foreign=True)
    _print("without the first wall", person, outcome)
    assert "\n".join(_wrong(outcome, "without the first wall")) == ""


def test_without_both_walls_there_is_none() -> None:
    """Else the tests around this one would show nothing."""
    asker = Asker(make_cast(), "tess")
    with without_first_wall(), without_second_wall():
        outcome = asker.run(only_foreign=True)
    assert len([line for line in outcome.violations if "shows what is south's" in line]) > 20
    assert any("changed rows of another university" in line for line in outcome.violations)


@pytest.mark.parametrize("person", CURIOUS)
def test_without_the_second_wall_the_first_holds(person: str) -> None:
    asker = Asker(make_cast(), person)
    with without_second_wall():
        outcome = asker.run(only_foreign=True)
    _print("without the second wall", person, outcome)
    assert "\n".join(outcome.violations) == ""


def _wrong(outcome: Outcome, walls: str) -> list[str]:
    """Without the first wall what is refused is refused otherwise, and a write that the database refuses ends as an
    error; but nothing of theirs is shown, and nothing of theirs is changed.
    """
    refusals = ("from missing ones", "answered 500") if walls == "without the first wall" else ()
    return [line for line in outcome.violations if not line.endswith(tuple(refusals))]


def _print(walls: str, person: str, outcome: Outcome) -> None:
    if "MATRIX" not in os.environ:
        return
    ways, wrong = len(outcome.statuses), _wrong(outcome, walls)
    _ways, cells, violations = _totals.get(walls, (0, 0, 0))
    _totals[walls] = ways, cells + outcome.cells, violations + len(wrong)
    print(f"\n{walls:<24} {person:<7} {ways} ways, {outcome.cells} cells, {len(wrong)} violations", end=" ")
    print(*(f"\n  {line}" for line in wrong[:50]), end=" ")
