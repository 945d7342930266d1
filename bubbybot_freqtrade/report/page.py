"""The page: one HTML text with everything inside, and no network.

Plotly draws it: freqtrade's own plots are made with it, its zoom and hover are known, and its
Python package brings the script, so that none has to be kept here. It is most of a page's size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from bubbybot_freqtrade.learning import picture
from bubbybot_freqtrade.learning.edge import edge_of, shipped
from bubbybot_freqtrade.learning.ledger import History, Ledger
from bubbybot_freqtrade.learning.results import ReportTrade, Source
from bubbybot_freqtrade.learning.table import pattern_rows
from bubbybot_freqtrade.learning.trades import past_trades, read_prior
from bubbybot_freqtrade.report import figures, measures
from bubbybot_freqtrade.report.charts import Candles, Chart, curves, trade_charts
from bubbybot_freqtrade.report.exits import exit_words
from bubbybot_freqtrade.report.measures import Group
from bubbybot_freqtrade.report.packed import packed
from bubbybot_freqtrade.settings import EdgeSettings, LearningSettings
from bubbybot_freqtrade.signals.words import counted, reasons

SECTIONS = (
    ("account", "Account"), ("figures", "Figures"), ("months", "Months"), ("r", "R"),
    ("expected", "Expected"), ("hours", "Times"), ("groups", "Groups"),
    ("what-past-trades-say", "Patterns"), ("list", "Trades"),
)  # fmt: skip

COLUMNS = (
    ("pair", "trade", False), ("opened", "entered", True), ("closed", "left", True),
    ("exit", "exit", False), ("leverage", "leverage", True), ("r", "R", False),
    ("profit", "profit", False),
)  # fmt: skip
"""Of the list of trades: key, name, and whether a phone leaves it out."""

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def render(source: Source, title: str, candles: Candles, most_charts: int) -> str:
    """The report as one HTML text.

    :param most_charts: the charts of only the newest so many trades have their evidence
    """
    if not source.trades:
        return _html("report.html.j2", title=title, source=source.name, data={}, has_charts=False)
    charted = list(reversed(source.trades))[:most_charts]
    others = source.trades[: len(source.trades) - len(charted)]
    start, end = measures.bounds(source)
    told = measures.figures(source)
    learned, patterns = _learned(source)
    data = {
        "curves": curves(source, candles),
        "histogram": sorted(measures.histogram(measures.known_r(source.trades)).items()),
        "by-hour": _times(
            source.trades, lambda t: f"{t.opened:%H}", [f"{h:02}" for h in range(24)]
        ),
        "by-weekday": _times(source.trades, lambda t: WEEKDAYS[t.opened.weekday()], WEEKDAYS),
        "patterns": patterns,
        "trades": trade_list(source.trades),
        "charts": trade_charts(charted, source.timeframe, candles),
        "packed": packed(others, source.timeframe, candles),
        "noChart": _no_chart(source),
        "noEvidence": _no_evidence(len(charted)),
    }
    return _html(
        "report.html.j2",
        title=title,
        source=source.name,
        data=data,
        has_charts=True,
        start=measures.utc(start),
        end=measures.utc(end),
        currency=source.currency,
        sections=SECTIONS,
        tiles=figures.tiles(told, source),
        figures=figures.rows(told, source),
        has_own=bool(source.own),
        years=figures.years(source),
        month_names=figures.MONTHS,
        expectations=measures.expectations(source.trades),
        tables=_tables(source.trades),
        learned=learned,
        least=measures.LEAST,
        columns=COLUMNS,
    )


def html_page(title: str, body: str, data: Mapping[str, Any] | None = None) -> str:
    """A page in the report's style, with `body` as HTML; `data` brings what its charts draw."""
    content = Markup(body)  # noqa: S704 - the callers escape what is not theirs
    return _html(
        "plain.html.j2", title=title, content=content, data=data or {}, has_charts=bool(data)
    )


def _html(template: str, **values: Any) -> str:
    environment = Environment(
        loader=PackageLoader("bubbybot_freqtrade.report", "assets"),
        autoescape=select_autoescape(["html", "j2"]),
        trim_blocks=True,
    )
    environment.filters["commas"] = lambda pattern, value: figures.number(value, pattern)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    assets = {name: _asset(environment, f"page.{name}") for name in ("css", "js")}
    return environment.get_template(template).render(
        css=assets["css"], script=assets["js"], plotly=_plotly, **values
    )


def _asset(environment: Environment, name: str) -> str:
    assert environment.loader is not None  # noqa: S101 - it was just made
    return environment.loader.get_source(environment, name)[0]


class _Plotly:
    """Its script, read when a page asks for it."""

    def __html__(self) -> str:
        return get_plotlyjs()


_plotly = _Plotly()


def trade_list(trades: Sequence[ReportTrade]) -> Chart:
    """Rows of the list; words that many trades share stand beside them once."""
    names = (
        "number", "pair", "long", "leverage", "opened", "closed", "entry", "exit_rate", "stop",
        "target", "exit", "evidence", "confidence", "r", "profit", "fees", "funding",
    )  # fmt: skip
    shared: dict[str, dict[str, int]] = {name: {} for name in ("pair", "exit", "evidence")}

    def index(name: str, words: str) -> int:
        return shared[name].setdefault(words, len(shared[name]))

    rows = [
        [
            t.number, index("pair", t.pair), int(t.side == "long"), round(t.leverage, 2),
            round(t.opened.timestamp() * 1000), round(t.closed.timestamp() * 1000), t.entry, t.exit,
            t.stop, t.target, index("exit", exit_words(t)), index("evidence", _evidence(t)),
            _rounded(t.confidence, 4), _rounded(t.r, 3), round(t.profit, 4), round(t.fees, 4),
            round(t.funding, 4),
        ]
        for t in trades
    ]  # fmt: skip
    return {"columns": names, "rows": rows, "words": {k: list(v) for k, v in shared.items()}}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)


def _evidence(trade: ReportTrade) -> str:
    return reasons(trade.tag, trade.side) or "no tag"


def _no_chart(source: Source) -> str:
    return (
        f"No {source.timeframe} candles of this pair and time: fetch them with freqtrade "
        "download-data, or name their folder with --data."
    )


def _no_evidence(charted: int) -> str:
    newest = counted(charted, "trade")
    return f"Blocks, gaps and dots are drawn for the newest {newest}; --charts draws more."


def _times(
    trades: Iterable[ReportTrade], key: Callable[[ReportTrade], str], names: Sequence[str]
) -> list[dict[str, Any]]:
    found = {group.name: group for group in measures.groups(trades, key)}
    empty = Group("", 0, 0, 0.0, None)
    return [
        {"name": name, "profit": round(group.profit, 2), "told": _told(name, group)}
        for name in names
        for group in (found.get(name, empty),)
    ]


def _told(name: str, group: Group) -> str:
    r = "" if group.mean_r is None else f", mean R {group.mean_r:+.2f}"
    return f"{name}: {group.profit:+,.2f}, {counted(group.trades, 'trade')}, {group.wins} won{r}"


def _tables(trades: Sequence[ReportTrade]) -> list[dict[str, Any]]:
    keys: dict[str, Callable[[ReportTrade], str]] = {
        "pair": lambda trade: trade.pair.partition(":")[0],
        "side": lambda trade: trade.side,
        "exit": exit_words,
        "evidence": _evidence,
        "hour": lambda trade: f"{trade.opened:%H}:00",
        "weekday": lambda trade: f"{trade.opened:%A}",
    }
    return [
        {
            "name": name,
            "large": [group for group in found if group.trades >= measures.LEAST],
            "small": [group for group in found if group.trades < measures.LEAST],
        }
        for name, key in keys.items()
        for found in (_in_order(name, measures.groups(trades, key)),)
    ]


def _in_order(name: str, found: list[Group]) -> list[Group]:
    """Times by the clock and the calendar; the rest stays with the most frequent first."""
    if name == "hour":
        return sorted(found, key=lambda group: group.name)
    if name == "weekday":
        return sorted(found, key=lambda group: WEEKDAYS.index(group.name[:3]))
    return found


def _learned(source: Source) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """What these trades say of their patterns and of the edge at their end, by the defaults.

    `bubbybot patterns` of the same source says the same.
    """
    settings = LearningSettings()
    now = source.trades[-1].closed + source.candle
    history = History(past_trades(source))
    found = pattern_rows(Ledger(settings, read_prior(settings.prior)), history, now)
    edge = edge_of(history.results(now), shipped(), EdgeSettings())
    words = (
        f"As known when the last trade had closed: {settings.interval:.0%} intervals, a half-life "
        f"of {settings.half_life_days:g} days, prior {settings.prior or 'a fair game'}. bubbybot "
        "patterns tells pairs and regimes apart."
    )
    told = {"html": picture.section(found, words), "edge": edge.told(shipped())}
    return told, picture.chart_rows(found)
