import pytest

from lms.learning.marking import Mark, mark

RIGHT, PARTLY, WRONG = Mark(True), Mark(False, is_partly=True), Mark(False)


@pytest.mark.parametrize(
    ("kind", "key", "given", "expected"),
    [
        ("single", ["b"], ["b"], RIGHT),
        ("single", ["b"], ["a"], WRONG),
        ("single", ["b"], ["b", "a"], WRONG),
        ("single", ["b"], [("b", "a")], WRONG),
        ("multiple", ["a", "c"], ["c", "a"], RIGHT),
        ("multiple", ["a", "c"], ["a"], PARTLY),
        ("multiple", ["a", "c"], ["a", "b", "c"], PARTLY),
        ("multiple", ["a", "c"], ["b"], WRONG),
        ("multiple", ["a", "c"], [["a", "c"]], WRONG),
        ("short_text", ["Variance"], ["  vaRiance "], RIGHT),
        ("short_text", ["standard  error", "SE"], ["Standard error"], RIGHT),
        ("short_text", ["Straße"], ["STRASSE"], RIGHT),
        ("short_text", ["variance"], ["variances"], WRONG),
        ("ordering", ["a", "b", "c"], ["a", "b", "c"], RIGHT),
        ("ordering", ["a", "b", "c"], ["a", "c", "b"], PARTLY),
        ("ordering", ["a", "b", "c"], ["b", "c", "a"], WRONG),
        ("ordering", ["a", "b", "c"], ["a", "b"], PARTLY),
        ("matching", [["a", "x"], ["b", "y"]], [["b", "y"], ["a", "x"]], RIGHT),
        ("matching", [["a", "x"], ["b", "y"]], [("a", "x"), ("b", "x")], PARTLY),
        ("matching", [["a", "x"], ["b", "y"]], [["x", "a"]], WRONG),
        ("matching", [["a", "x"], ["b", "y"]], ["ax", "by"], WRONG),
    ],
)
def test_marks(kind: str, key: list, given: list, expected: Mark) -> None:
    assert mark(kind, {"correct": key}, given) == expected


@pytest.mark.parametrize(
    ("given", "tolerance", "expected"),
    [
        ("3", 0, RIGHT),
        ("3.0", 0, RIGHT),
        ("3.1", 0.1, RIGHT),
        ("2,9", 0.1, RIGHT),
        ("3.11", 0.1, WRONG),
        ("3.0001", 0, WRONG),
        ("-3", 0.5, WRONG),
        ("30e-1", 0, RIGHT),
        ("three", 1, WRONG),
        ("", 1, WRONG),
        ("NaN", 1, WRONG),
        ("sNaN", 1, WRONG),
        ("inf", 1, WRONG),
        ("1e999999999", 1, WRONG),
    ],
)
def test_numbers_are_compared_as_decimals(given: str, tolerance: float, expected: Mark) -> None:
    assert mark("numeric", {"correct": [3], "tolerance": tolerance}, [given]) == expected


def test_any_of_several_numbers_will_do() -> None:
    assert mark("numeric", {"correct": [1, -1]}, ["-1"]) == RIGHT


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="'essay'"):
        mark("essay", {"correct": []}, ["x"])
