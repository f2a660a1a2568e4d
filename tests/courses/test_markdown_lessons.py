import pytest

from lms.courses.markdown import render_imported_html, render_lesson

PREFIX = "/north/media/12/"


def lesson(source: str) -> str:
    return render_lesson(source, media_prefix=PREFIX)


def imported(source: str) -> str:
    return render_imported_html(source, media_prefix=PREFIX)


def test_words_lists_and_quotes() -> None:
    assert lesson("A *first* and ~~old~~ **second** line.\n\n- one\n- `two`\n\n> said\n") == (
        "<p>A <em>first</em> and <s>old</s> <strong>second</strong> line.</p>\n"
        "<ul>\n<li>one</li>\n<li><code>two</code></li>\n</ul>\n"
        "<blockquote>\n<p>said</p>\n</blockquote>\n"
    )


def test_html_in_markdown_is_text() -> None:
    assert lesson("<b>not bold</b>") == "<p>&lt;b&gt;not bold&lt;/b&gt;</p>\n"


def test_headings_start_below_the_page_title_without_gaps_and_have_ids() -> None:
    assert lesson("# Charging\n#### *Time* constant\n## Charging\n") == (
        '<h2 id="section-charging">Charging</h2>\n'
        '<h3 id="section-time-constant"><em>Time</em> constant</h3>\n'
        '<h3 id="section-charging-2">Charging</h3>\n'
    )


def test_a_formula_in_a_line_and_money() -> None:
    assert lesson("It costs $5 and $6, and $x_1 < 2$.") == (
        '<p>It costs $5 and $6, and <math display="inline"><mrow><msub><mi>x</mi><mn>1</mn></msub>'
        "<mo>&lt;</mo><mn>2</mn></mrow></math>.</p>\n"
    )


def test_a_formula_block_scrolls_and_aligns() -> None:
    assert lesson("$$\n\\begin{aligned} a &= b \\end{aligned}\n$$\n") == (
        '<div class="formula" tabindex="0"><math display="block"><mrow><mtable displaystyle="true" rowspacing="3pt" '
        'columnspacing="0em 2em"><mtr><mtd class="align-right"><mi>a</mi></mtd><mtd class="align-left"><mi></mi>'
        "<mo>=</mo><mi>b</mi></mtd></mtr></mtable></mrow></math></div>\n"
    )


@pytest.mark.parametrize("formula", ["x^", "{" * 990 + "}" * 990, "x" * 2001, r"\left("])
def test_a_formula_that_cannot_be_converted_is_shown_as_its_source(formula: str) -> None:
    assert lesson(f"${formula}$") == f'<p><code class="formula-source">{formula}</code></p>\n'


def test_text_in_a_formula_is_text() -> None:
    assert lesson(r"$\text{<b>if</b>}$") == (
        '<p><math display="inline"><mrow><mtext>&lt;b&gt;if&lt;/b&gt;</mtext></mrow></math></p>\n'
    )


def test_formulas_lose_links_styles_and_sizes_beyond_reason() -> None:
    assert lesson(r"$\href{https://example.org}{x}\style{color:red}{y}\hspace{99em}\!$") == (
        '<p><math display="inline"><mrow><mrow><mrow><mi>x</mi></mrow></mrow><mrow><mi>y</mi></mrow><mspace></mspace>'
        '<mspace width="-0.167em"></mspace></mrow></math></p>\n'
    )


def test_a_listing_is_coloured_by_classes() -> None:
    assert lesson("```python\nx = 1\n```\n") == (
        '<pre tabindex="0"><code class="highlight"><span class="n">x</span> <span class="o">=</span> '
        '<span class="mi">1</span>\n</code></pre>\n'
    )


@pytest.mark.parametrize(
    ("language", "code"),
    [("", "x = 1\n"), ("klingon", "x = 1\n"), ("python", f"{'x' * 400}\n"), ("c", "\n" * 50), ("java", "a \n" * 2000)],
)
def test_a_listing_in_no_language_of_ours_or_too_large_to_colour_is_plain(language: str, code: str) -> None:
    assert lesson(f"```{language}\n{code}```\n") == f'<pre tabindex="0"><code class="highlight">{code}</code></pre>\n'


def test_a_table_scrolls_and_keeps_its_alignment() -> None:
    assert lesson("| a | b |\n|---|--:|\n| 1 | 2 |\n") == (
        '<div class="table-scroll" tabindex="0"><table>\n<thead>\n<tr>\n<th>a</th>\n<th class="align-right">b</th>\n'
        '</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td class="align-right">2</td>\n</tr>\n</tbody>\n</table></div>\n'
    )


def test_an_empty_heading_of_a_table_is_a_plain_cell() -> None:
    assert lesson("|  | b |\n|---|:-:|\n| 1 | 2 |\n") == (
        '<div class="table-scroll" tabindex="0"><table>\n<thead>\n<tr>\n<td></td>\n<th class="align-center">b</th>\n'
        '</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td class="align-center">2</td>\n</tr>\n</tbody>\n</table></div>\n'
    )


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("images/curve.png", "images/curve.png"),
        ("./images/curve.png", "images/curve.png"),
        ("images/the%20curve.png", "images/the%20curve.png"),
        ("images/kurve-ü.png", "images/kurve-%C3%BC.png"),
        ("images/curve.png?size=9", "images/curve.png"),
        ("/north/media/12/images/curve.png", "images/curve.png"),
    ],
)
def test_pictures_come_from_the_course(written: str, path: str) -> None:
    assert lesson(f'![The "curve"](<{written}>)') == (
        f'<p><img src="/north/media/12/{path}" alt="The &quot;curve&quot;" loading="lazy" decoding="async"></p>\n'
    )


@pytest.mark.parametrize(
    "elsewhere",
    [
        "../secret.png",
        "images/../../secret.png",
        "%2e%2e/secret.png",
        "images/%2e%2e/%2e%2e/secret.png",
        "/north/media/13/secret.png",
        "/north/media/12/../13/secret.png",
        "//evil.example/x.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "file:///etc/passwd",
        "a\\..\\secret.png",
        "images//x.png",
        "",
    ],
)
def test_a_picture_from_nowhere_we_serve_leaves_its_description(elsewhere: str) -> None:
    assert imported(f'<p><img src="{elsewhere}" alt="A curve"></p>') == "<p>A curve</p>"
    assert "<img" not in lesson(f"![A curve]({elsewhere})")


def test_a_remote_picture_becomes_a_link_with_its_description() -> None:
    assert lesson("![A curve](https://example.org/c.png) ![](https://example.org/d.png)") == (
        '<p><a href="https://example.org/c.png" rel="noopener noreferrer">A curve</a> '
        '<a href="https://example.org/d.png" rel="noopener noreferrer">example.org</a></p>\n'
    )
    assert lesson("[![A curve](https://example.org/c.png)](files/curve.csv)") == (
        '<p><a href="/north/media/12/files/curve.csv" rel="noopener noreferrer">A curve</a></p>\n'
    )


def test_links_lead_to_files_of_the_course_headings_the_web_and_mailboxes_only() -> None:
    source = "[a](data/run%201.csv#row=2) [b](#charging) [c](https://example.org/c) [d](mailto:ada@example.org) "
    assert lesson(source + "[e](/admin/) [f](../x) [g](javascript:x)") == (
        '<p><a href="/north/media/12/data/run%201.csv#row%3D2" rel="noopener noreferrer">a</a> '
        '<a href="#section-charging" rel="noopener noreferrer">b</a> '
        '<a href="https://example.org/c" rel="noopener noreferrer">c</a> '
        '<a href="mailto:ada@example.org" rel="noopener noreferrer">d</a> e f [g](javascript:x)</p>\n'
    )


def test_an_imported_page_keeps_its_words_tables_and_pictures() -> None:
    source = """<div class="course-structure" style="color:red"><h3>Cohorts</h3><p onclick="x()">See <b>here</b>:
<img src="images/a b.png" alt="A" width="300" onerror="x()"></p><h5>More</h5>
<table class="t"><tr><td align="right">1</table><pre>x = 1</pre></div>"""
    assert imported(source) == (
        "<div><h2>Cohorts</h2><p>See <b>here</b>:\n"
        '<img src="/north/media/12/images/a%20b.png" alt="A" width="300" loading="lazy" decoding="async"></p>'
        "<h3>More</h3>\n"
        '<div class="table-scroll" tabindex="0"><table><tbody><tr><td>1</td></tr></tbody></table></div>'
        '<pre tabindex="0">x = 1</pre></div>'
    )


def test_an_imported_page_loses_programs_styles_frames_and_controls() -> None:
    source = """<style>p{}</style><script>var x = "</p>";</script><p>Before<iframe src="https://example.org">frame</iframe>
<button>Play</button><object data="x">old</object></p><form action="/x"><input>Words</form> <a href="/jump">on</a>"""
    assert imported(source) == "<p>Before\n</p>Words on"


def test_an_imported_page_with_remote_pictures() -> None:
    assert imported(
        '<a href="https://example.org"><img src="//cdn.example/x.png" alt="Logo"></a><img src="x:y" alt="<i>">'
    ) == ('<a href="https://example.org" rel="noopener noreferrer">Logo</a>&lt;i&gt;')
