import re
from html.parser import HTMLParser

from compressor.evaluation.page import html_page
from compressor.evaluation.summary import summarise
from tests.compressor.evaluation.test_summary import ROWS, row


class Tags(HTMLParser):
    """Fails on a tag that closes none; collects tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_loads_nothing() -> None:
    page = html_page(summarise(ROWS))
    tags = Tags()
    tags.feed(page)
    assert not tags.open
    assert not [a for _, a in tags.seen if "src" in a or "href" in a]
    assert "url(" not in page
    assert "http" not in page
    assert [a["aria-label"] for t, a in tags.seen if t == "svg"] == [
        "Answer survival over the rate, colours"
    ]
    # tersely at two rates, random at one: a point each, a line each, and the table's values
    assert sum(t == "circle" for t, _ in tags.seen) == 3
    assert sum(t == "polyline" for t, _ in tags.seen) == 2
    assert "<td>0.667</td>" in page
    assert "2 documents, 3 questions" in page


def test_points_stand_where_the_numbers_say() -> None:
    rows = [row("m", "a", [True], 0.5, tokens_after=50), row("m", "a", [False], 1.0)]
    circles = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', html_page(summarise(rows, "m")))
    (x_half, y_top), (x_whole, y_bottom) = [(float(x), float(y)) for x, y in circles]
    # the drawing is 420 by 300 with margins of 42, 10, 10 and 36
    assert (x_half, x_whole) == (226.0, 410.0)
    assert (y_top, y_bottom) == (10.0, 264.0)


def test_names_are_escaped() -> None:
    assert "<b>" not in html_page(summarise([row("<b>", "a", [True], set="<b>")], "<b>"))
