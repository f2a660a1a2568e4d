"""`manage.py tutor_usage`: the same sums as a table, as CSV and as JSON."""

import csv
import json
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.world import World
from tutoring.models import UsageEntry


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("tutor_usage", *arguments, stdout=output)
    return output.getvalue()


def table(*arguments: str) -> list[list[str]]:
    """Rows of cells; between columns there are two blanks or more."""
    lines = [line.split("  ") for line in run(*arguments).splitlines()]
    return [[cell.strip() for cell in line if cell.strip()] for line in lines]


def use(world: World, day: int, **fields: Any) -> UsageEntry:
    fields = {
        "university": world.north,
        "user": world.sam,
        "course": world.course,
        "provider": "anthropic",
        "model": "claude-sonnet-5-5",
        "input_tokens": 100,
        "output_tokens": 20,
        "cost_usd": Decimal("0.0006"),
    } | fields
    return UsageEntry.objects.create(day=date(2026, 11, day), **fields)


@pytest.fixture
def ledger(world: World) -> World:
    use(world, 1, cache_write_tokens=1000, cache_read_tokens=5, is_estimated=True)
    use(world, 1, purpose="title", model="claude-haiku-5-5", input_tokens=30, output_tokens=4, cost_usd="0.00005")
    use(world, 2, model="homemade", cost_usd=None)
    use(world, 3, provider="practice", model="", input_tokens=0, output_tokens=0, cost_usd=None)
    use(
        world,
        2,
        university=world.south,
        user=world.oona,
        course=world.south_course,
        input_tokens=7_000_000,
        cost_usd=Decimal("21.5"),
    )
    return world


def test_by_university_unless_told_otherwise(ledger: World) -> None:
    assert run() == (
        "university  replies  titles  input_tokens  output_tokens  cache_write_tokens  cache_read_tokens        usd"
        "  unpriced  estimated\n"
        "north             3       1           230             44                1000                  5   0.000650"
        "         1          1\n"
        "south             1       0       7000000             20                   0                  0  21.500000"
        "         0          0\n"
    )


@pytest.mark.parametrize(
    ("arguments", "groups"),
    [
        (["--by=day"], [["2026-11-01", "1", "1"], ["2026-11-02", "2", "0"], ["2026-11-03", "1", "0"]]),
        (["--by=day", "--university=north"], [["2026-11-01", "1", "1"], ["2026-11-02", "1", "0"], ["2026-11-03", "1"]]),
        (["--by=day", "--since=2026-11-02"], [["2026-11-02", "2", "0"], ["2026-11-03", "1", "0"]]),
        (["--by=day", "--until=2026-11-02"], [["2026-11-01", "1", "1"], ["2026-11-02", "2", "0"]]),
        (["--by=day", "--since=2026-11-02", "--until=2026-11-02"], [["2026-11-02", "2", "0"]]),
        (["--since=2026-12-01"], None),
    ],
)
def test_days_and_universities(ledger: World, arguments: list[str], groups: list[list[str]] | None) -> None:
    if groups is None:
        assert run(*arguments) == "Nothing was used.\n"
        return
    rows = table(*arguments)[1:]
    assert [row[: len(group)] for row, group in zip(rows, groups, strict=True)] == groups


def test_courses_come_with_their_university(ledger: World) -> None:
    deleted = use(ledger, 4, course=None)
    rows = [row[:4] for row in table("--by=course")]
    assert rows == [
        ["university", "course", "course_title", "replies"],
        ["north", "STAT101", "Thinking with samples", "3"],
        ["north", "(deleted)", "(deleted)", "1"],
        ["south", "BIO101", "Cells of the south", "1"],
    ]
    assert deleted.course is None


@pytest.mark.parametrize("arguments", [["--by=model,day"], ["--by=model", "--by=day"], ["--by=model,day,model"]])
def test_more_than_one_thing_at_once(ledger: World, arguments: list[str]) -> None:
    rows = list(csv.DictReader(run(*arguments, "--format=csv", "--university=north").splitlines()))
    assert [(row["provider"], row["model"], row["day"], row["usd"]) for row in rows] == [
        ("anthropic", "claude-haiku-5-5", "2026-11-01", "0.000050"),
        ("anthropic", "claude-sonnet-5-5", "2026-11-01", "0.000600"),
        ("anthropic", "homemade", "2026-11-02", "0.000000"),
        ("practice", "", "2026-11-03", "0.000000"),
    ]


def test_csv_has_the_same_columns_with_and_without_rows(ledger: World) -> None:
    header = (
        "university,course,course_title,day,provider,model,replies,titles,input_tokens,output_tokens,"
        "cache_write_tokens,cache_read_tokens,usd,unpriced,estimated\n"
    )
    by = "--by=university,course,day,model"
    assert run(by, "--format=csv", "--since=2026-12-01") == header
    assert run(by, "--format=csv", "--university=south") == (
        header
        + "south,BIO101,Cells of the south,2026-11-02,anthropic,claude-sonnet-5-5,1,0,7000000,20,0,0,21.500000,0,0\n"
    )


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1"])
def test_no_title_becomes_a_formula_or_breaks_a_line(ledger: World, title: str) -> None:
    ledger.course.title = f"{title}\nsecond"
    ledger.course.save()
    rows = list(csv.DictReader(run("--by=course", "--format=csv").splitlines()))
    assert [row["course_title"] for row in rows] == [f"'{title.strip()} second", "Cells of the south"]
    assert table("--by=course")[1][2] == f"{title.strip()} second"


def test_json_keeps_money_exact(ledger: World) -> None:
    use(ledger, 4, university=ledger.south, course=None, cost_usd=Decimal("0.1"))
    assert json.loads(run("--by=course,day", "--format=json", "--university=south")) == [
        {
            "university": "south",
            "course": "BIO101",
            "course_title": "Cells of the south",
            "day": "2026-11-02",
            "replies": 1,
            "titles": 0,
            "input_tokens": 7_000_000,
            "output_tokens": 20,
            "cache_write_tokens": 0,
            "cache_read_tokens": 0,
            "usd": "21.500000",
            "unpriced": 0,
            "estimated": 0,
        },
        {
            "university": "south",
            "course": None,
            "course_title": None,
            "day": "2026-11-04",
            "replies": 1,
            "titles": 0,
            "input_tokens": 100,
            "output_tokens": 20,
            "cache_write_tokens": 0,
            "cache_read_tokens": 0,
            "usd": "0.100000",
            "unpriced": 0,
            "estimated": 0,
        },
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--by=person"], "Error: argument --by: 'person' is none of university, course, day, model."),
        (["--by=day,"], "Error: argument --by: '' is none of university, course, day, model."),
        (["--since=yesterday"], "Error: argument --since: 'yesterday' is no date. Write it as 2026-11-30."),
        (["--until=2026-02-30"], "Error: argument --until: '2026-02-30' is no date. Write it as 2026-11-30."),
        (
            ["--since=2026-11-02", "--until=2026-11-01"],
            "--until (2026-11-01) must not be before --since (2026-11-02).",
        ),
        (["--university=west"], "There is no university 'west'. There are: north, south."),
        (["--format=xml"], "Error: argument --format: invalid choice: 'xml' (choose from 'table', 'csv', 'json')"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_is_allowed(ledger: World, arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert str(caught.value) == reason


def test_one_query_however_many_groups(ledger: World, django_assert_num_queries: Any) -> None:
    # And the audit of the platform's connection.
    with django_assert_num_queries(2):
        run("--by=university,course,day,model")
