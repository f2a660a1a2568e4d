from lms.courses.outlines import Entry, Unit, build_tree


def module(id: int, level: int, lft: int, rght: int, title: str, *items: tuple[int, str], closed: bool = False) -> list:
    rows = items or [(None, "")]
    return [Entry(id, level, lft, rght, title, closed, *row) for row in rows]


def item(title: str, url: str = "", state: str = "open", *, current: bool = False) -> dict:
    return {"is_group": False, "title": title, "url": url, "state": state, "is_current": current}


def heading(title: str) -> dict:
    return {"is_group": True, "title": title, "url": "", "state": "open", "is_current": False}


COURSE = [
    *module(1, 0, 1, 20, "Course"),
    *module(2, 1, 2, 9, "First"),
    *module(3, 2, 3, 4, "Alpha", (10, "A"), (11, "B")),
    *module(4, 2, 5, 6, "Empty"),
    *module(5, 2, 7, 8, "Beta", (12, "C")),
    *module(6, 1, 10, 13, "Second"),
    *module(7, 2, 11, 12, "Gamma", (13, "D"), (14, "E")),
    *module(8, 1, 14, 15, "Nothing yet"),
    *module(9, 1, 16, 19, "Third"),
    *module(10, 2, 17, 18, "F", (15, "F")),
]


def test_around_a_lesson_only_its_unit_has_rows() -> None:
    tree = build_tree(COURSE, done={11, 13, 99}, item_url="/x/", current_item=11)

    assert tree.units == [
        Unit(
            "First",
            done=1,
            total=3,
            is_open=True,
            rows=[
                heading("Alpha"),
                item("A", "/x/10/"),
                item("B", "/x/11/", "done", current=True),
                heading("Beta"),
                item("C", "/x/12/"),
            ],
        ),
        # Links lead to what is not done yet.
        Unit("Second", url="/x/14/", done=1, total=2),
        Unit("Third", url="/x/15/", done=0, total=1),
    ]
    assert (tree.done, tree.total, tree.path) == (2, 6, ["First", "Alpha"])
    assert (tree.previous, tree.next) == ({"title": "A", "url": "/x/10/"}, {"title": "C", "url": "/x/12/"})


def test_neighbours_cross_units_and_end_with_the_course() -> None:
    assert build_tree(COURSE, item_url="/x/", current_item=12).next == {"title": "D", "url": "/x/13/"}
    assert build_tree(COURSE, item_url="/x/", current_item=10).previous is None
    assert build_tree(COURSE, item_url="/x/", current_item=15).next is None
    stray = build_tree(COURSE, item_url="/x/", current_item=99)
    assert (stray.previous, stray.next, stray.path) == (None, None, [])


def test_a_syllabus_shows_everything_without_links() -> None:
    tree = build_tree(COURSE)
    assert [(unit.title, unit.url, len(unit.rows)) for unit in tree.units] == [
        ("First", "", 5),
        ("Second", "", 3),
        ("Third", "", 1),
    ]
    # "F" in a module "F": said once.
    assert tree.units[2].rows == [item("F")]


def test_items_of_the_root_are_a_unit_of_their_own() -> None:
    tree = build_tree([*module(1, 0, 1, 4, "Course", (10, "A")), *module(2, 1, 2, 3, "First", (11, "B"))])
    assert [(unit.title, [row["title"] for row in unit.rows]) for unit in tree.units] == [
        ("Course", ["A"]),
        ("First", ["B"]),
    ]


def test_headings_of_deep_modules_come_with_their_first_item() -> None:
    rows = build_tree(
        [
            *module(1, 0, 1, 12, "Course"),
            *module(2, 1, 2, 11, "Unit"),
            *module(3, 2, 3, 8, "Section"),
            *module(4, 3, 4, 5, "One", (10, "A")),
            *module(5, 3, 6, 7, "Two", (11, "B")),
            *module(6, 2, 9, 10, "Other", (12, "C")),
        ]
    ).units[0]
    assert [(row["is_group"], row["title"]) for row in rows.rows] == [
        (True, "Section"),
        (True, "One"),
        (False, "A"),
        (True, "Two"),
        (False, "B"),
        (True, "Other"),
        (False, "C"),
    ]


CLOSED = [
    *module(1, 0, 1, 14, "Course"),
    *module(2, 1, 2, 5, "Open"),
    *module(3, 2, 3, 4, "Alpha", (10, "A")),
    *module(4, 1, 6, 9, "Later", closed=True),
    *module(5, 2, 7, 8, "Beta", (11, "B"), closed=True),
    *module(6, 1, 10, 13, "Open again"),
    *module(7, 2, 11, 12, "Gamma", (12, "C")),
]


def test_times_close_all_below_and_are_passed_over() -> None:
    tree = build_tree(CLOSED, item_url="/x/", current_item=10)
    assert tree.units[1] == Unit("Later", total=1, rows=[heading("Beta"), item("B", "", "locked")])
    assert tree.next == {"title": "C", "url": "/x/12/"}


def test_staff_open_what_is_closed() -> None:
    tree = build_tree(CLOSED, item_url="/x/", current_item=10, opens_closed=True)
    assert tree.units[1] == Unit("Later", url="/x/11/", total=1)
    assert tree.next == {"title": "B", "url": "/x/11/"}


def test_an_empty_course_has_no_units() -> None:
    assert build_tree([]).units == []
    assert build_tree(module(1, 0, 1, 2, "Course")).units == []
