"""Two texts side by side. They are compared for one page of the admin."""

from hypothesis import given
from hypothesis import strategies as st

from lms.courses.comparison import Row, Span, readable, side_by_side

LINES = st.lists(st.sampled_from(["", "a", "b b", "c d e", "  f"]), max_size=12)


def same(line: str) -> Row:
    return Row("same", [Span(line, False)], [Span(line, False)])


class TestSideBySide:
    def test_words_that_differ_are_marked(self) -> None:
        assert side_by_side("one\nby mere chance", "one\nby luck alone") == [
            same("one"),
            Row(
                "different",
                [Span("by ", False), Span("mere", True), Span(" ", False), Span("chance", True)],
                [Span("by ", False), Span("luck", True), Span(" ", False), Span("alone", True)],
            ),
        ]

    def test_a_line_of_one_side_has_nothing_beside_it(self) -> None:
        assert side_by_side("a", "a\nb") == [same("a"), Row("different", None, [Span("b", True)])]
        assert side_by_side("a\nb", "a") == [same("a"), Row("different", [Span("b", True)], None)]

    def test_long_equal_runs_are_left_out(self) -> None:
        lines = [str(number) for number in range(10)]
        rows = side_by_side("\n".join(lines), "\n".join([*lines, "new"]))
        assert rows == [
            Row("gap", equal_lines=8),
            same("8"),
            same("9"),
            Row("different", None, [Span("new", True)]),
        ]

    def test_very_long_lines_are_marked_whole(self) -> None:
        left, right = "a " * 2000, "a " * 2000 + "b"
        assert side_by_side(left, right) == [Row("different", [Span(left, True)], [Span(right, True)])]

    @given(LINES, LINES)
    def test_nothing_is_lost(self, left: list[str], right: list[str]) -> None:
        left_text, right_text = "\n".join(left), "\n".join(right)
        rows = side_by_side(left_text, right_text)
        for text, sides in ((left_text, [row.left for row in rows]), (right_text, [row.right for row in rows])):
            lines = text.splitlines()
            shown = ["".join(span.text for span in side) for side in sides if side is not None]
            assert len(shown) + sum(row.equal_lines for row in rows) == len(lines)
            # What is shown is the text with nothing but whole runs of equal lines taken out.
            remaining = iter(lines)
            assert all(line in remaining for line in shown)


class TestReadable:
    def test_data_reads_like_the_form(self) -> None:
        schema = {
            "required": ["introduction", "questions"],
            "properties": {
                "questions": {
                    "title": "Questions",
                    "items": {"properties": {"prompt": {"title": "Question"}, "points": {}}},
                },
                "introduction": {"title": "Introduction"},
            },
        }
        data = {
            "introduction": "First line\nSecond line",
            "questions": [{"prompt": "Why?", "points": 2}, {"prompt": "", "odd": [1]}],
            "extra": True,
        }
        assert readable(schema, data).splitlines() == [
            "Introduction:",
            "  First line",
            "  Second line",
            "Questions:",
            "  1:",
            "    Question: Why?",
            "    Points: 2",
            "  2:",
            "    Question: ",
            "    Odd:",
            "      1: 1",
            "Extra: True",
        ]
