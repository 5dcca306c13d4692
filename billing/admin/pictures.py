"""Pictures of dashboards: a chart that unfold draws with Chart.js, and the table with the same figures beneath it.

Each bar and each row leads to the rows behind it. Amounts go to the chart as text: it reads decimals, and only shows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

GREY = "#9ca3af"
BLUE = "var(--color-primary-500)"
TEAL = "#0d9488"
ORANGE = "#ea580c"
RED = "#dc2626"
GREEN = "#16a34a"
LONGEST_LABEL = 26
# Tables with more rows are opened by a click.
OPEN_ROWS = 12
BAR_PIXELS = 30
UPRIGHT_PIXELS = 260


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: what it is of, where the rows behind it are ("": nowhere that the user may look), figures.

    `cell_urls` are there where the rows behind a figure are others than those behind the row.
    """

    label: str
    url: str
    cells: tuple[str, ...]
    under: str = ""
    cell_urls: tuple[str, ...] = ()

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Each figure with the address of what is behind it."""
        return list(zip(self.cells, self.cell_urls or ("",) * len(self.cells), strict=True))


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one colour, or with a colour each, one for each label of the chart; `urls` are theirs."""

    name: str
    color: str | list[str]
    values: Sequence[object]
    urls: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """What unfold's component of a chart takes: JSON for Chart.js, and a height in pixels."""

    data: str
    options: str
    height: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A panel: its title, what the figures are, chart and table; `empty` says in words why there is nothing."""

    key: str
    title: str
    hint: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    empty: str
    chart: Chart | None = None
    link: str = ""
    link_text: str = ""

    @property
    def is_long(self) -> bool:
        return len(self.rows) > OPEN_ROWS


def upright(labels: Sequence[str], *series: Series, is_stacked: bool = False) -> Chart:
    """Bars that stand beside each other, for what has an order in time."""
    return _chart(labels, series, is_horizontal=False, is_stacked=is_stacked, height=UPRIGHT_PIXELS)


def lying(labels: Sequence[str], *series: Series) -> Chart:
    """Bars that lie above each other, for what has names."""
    names = [label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…" for label in labels]
    return _chart(names, series, is_horizontal=True, is_stacked=False, height=BAR_PIXELS * len(labels) + 60)


def _chart(
    labels: Sequence[str], series: Sequence[Series], *, is_horizontal: bool, is_stacked: bool, height: int
) -> Chart:
    data = {
        "labels": list(labels),
        "datasets": [
            {
                "label": one.name,
                "data": list(one.values),
                "backgroundColor": one.color,
                "links": list(one.urls),
                "maxBarThickness": 28,
            }
            for one in series
        ],
    }
    of_names: dict[str, Any] = {"grid": {"display": False}, "ticks": {"color": GREY}, "stacked": is_stacked}
    of_values: dict[str, Any] = {
        "grid": {"display": True},
        "border": {"display": False},
        "ticks": {"color": GREY, "maxTicksLimit": 6, "maxRotation": 0},
        "beginAtZero": True,
        "stacked": is_stacked,
    }
    if is_horizontal:
        of_names["ticks"]["autoSkip"] = False
    else:
        of_names["ticks"]["maxRotation"] = 0
    options = {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "indexAxis": "y" if is_horizontal else "x",
        "interaction": {"mode": "index", "intersect": False, "axis": "y" if is_horizontal else "x"},
        "plugins": {
            "legend": {
                "display": len(series) > 1,
                "align": "end",
                "labels": {"color": GREY, "boxWidth": 10, "boxHeight": 10},
            }
        },
        "scales": {"x": of_values, "y": of_names} if is_horizontal else {"x": of_names, "y": of_values},
    }
    return Chart(json.dumps(data, default=str), json.dumps(options), height)
