import pytest

from lms.courses.markdown import plain_text


def test_markdown_keeps_words_formulas_and_code() -> None:
    source = """# Charging *a* capacitor

The voltage $V(t)$ rises, see [the curve](https://example.org)
and ![its shape](images/curve.png).

$$
V = V_0 e^{-t/RC}
$$

```python
if x < 1:

    print("low")
```

1. measure
2. plot
   - label *axes*

> quoted <b>

| t | $V$ |
|---|-----|
| 0 | `1` |
"""
    assert plain_text(source, format="markdown") == (
        """Charging a capacitor

The voltage $V(t)$ rises, see the curve and its shape.

$$V = V_0 e^{-t/RC}$$

if x < 1:

    print("low")

1. measure
2. plot
  - label axes

quoted <b>

t | $V$
0 | 1"""
    )


def test_html_keeps_words_and_drops_markup_and_programs() -> None:
    source = """<div><h3>Cohorts</h3><p>One &amp; <b>two</b><br>three
  four</p><script>var no = 1;</script><style>p {}</style>
<ul><li>first<li>second <em>item</em></ul><ol start="3"><li>third</ol>
<table><tr><th>a<th><p>b</p><tr><td>1<td>2</table><pre>x =  1
y</pre><img src="x.png" alt="A curve"></div>"""
    assert plain_text(source, format="html") == (
        """Cohorts

One & two
three four

- first
- second item

3. third

a | b
1 | 2

x =  1
y

A curve"""
    )


@pytest.mark.parametrize("format", ["markdown", "html"])
@pytest.mark.parametrize("source", ["", "\n \n", "<!-- nothing -->" * 0])
def test_nothing_is_nothing(source: str, format: str) -> None:
    assert plain_text(source, format=format) == ""


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown text format 'rtf'"):
        plain_text("x", format="rtf")
