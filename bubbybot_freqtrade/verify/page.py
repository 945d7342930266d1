"""The answers for people: a page, and the same as Markdown to paste into an issue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from jinja2 import Environment, PackageLoader, select_autoescape

from bubbybot_freqtrade.sandbox.state import write_state
from bubbybot_freqtrade.verify.exchanges import Exchange
from bubbybot_freqtrade.verify.probe import Verdict
from bubbybot_freqtrade.verify.profile import moment
from bubbybot_freqtrade.verify.run import Result

TITLE = "What the venue answered"
_CSS = {
    Verdict.AS_ASSUMED: "assumed",
    Verdict.DANGER: "danger",
    Verdict.NOT_MEASURED: "unmeasured",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One probe as the page shows it."""

    name: str
    group: str
    asks: str
    assumed: str
    measured: str
    verdict: str
    css: str
    advice: str
    exchanges: tuple[str, ...]

    @classmethod
    def of(cls, result: Result) -> Row:
        """Advice stands only where something is different."""
        probe = result.probe
        differs = result.verdict in (Verdict.COPES, Verdict.DANGER)
        return cls(
            probe.name,
            probe.group,
            probe.asks,
            probe.words(probe.assumed),
            result.measured,
            result.verdict.value,
            _CSS.get(result.verdict, ""),
            probe.advice if differs else "",
            tuple(map(_line, result.exchanges)),
        )


def about(host: str, pair: str, results: Sequence[Result]) -> str:
    """One sentence: what was asked, when, and whether it was a venue at all."""
    at = f"{moment(results[0].at_ms):%Y-%m-%d %H:%M} UTC" if results else "never"
    hostname = urlsplit(f"//{host}").hostname
    if hostname in ("127.0.0.1", "localhost", "::1"):
        return f"A sandbox on this machine ({host}), {pair}, {at}: nothing here is about BloFin."
    return f"{host}, {pair}, {at}. Demo account; the live venue may differ."


def write_pages(folder: Path, host: str, pair: str, results: Sequence[Result]) -> Path:
    """report.html and report.md; the path of the first."""
    rows = [Row.of(result) for result in results]
    sentence = about(host, pair, results)
    page = folder / "report.html"
    write_state(page, html(sentence, rows).encode())
    write_state(folder / "report.md", markdown(sentence, rows).encode())
    return page


def html(sentence: str, rows: Sequence[Row]) -> str:
    """The page, with everything in it."""
    environment = Environment(
        loader=PackageLoader("bubbybot_freqtrade.verify", "."),
        autoescape=select_autoescape(default=True),
    )
    return environment.get_template("page.html.jinja").render(
        title=TITLE,
        about=sentence,
        counts=list(counted(rows)),
        groups=list(_by_group(rows)),
        all=rows,
    )


def markdown(sentence: str, rows: Sequence[Row]) -> str:
    """Tables, without the exchanges."""
    lines = [f"# {TITLE}", "", sentence, ""]
    lines.append(", ".join(f"{count} {verdict}" for verdict, count in counted(rows)) + ".")
    for group, members in _by_group(rows):
        lines += ["", f"## {group}", "", "| asked | assumed | measured | verdict |"]
        lines.append("| --- | --- | --- | --- |")
        for row in members:
            verdict = f"{row.verdict}. {row.advice}" if row.advice else row.verdict
            cells = (row.asks, row.assumed, row.measured, verdict)
            lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def counted(rows: Sequence[Row]) -> Iterator[tuple[str, int]]:
    """How many of each verdict, those that there are."""
    for verdict in Verdict:
        if count := sum(row.verdict == verdict.value for row in rows):
            yield verdict.value, count


def _by_group(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    for group in dict.fromkeys(row.group for row in rows):
        yield group, [row for row in rows if row.group == group]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _line(exchange: Exchange) -> str:
    request = orjson.dumps(exchange.request).decode() if exchange.request else ""
    answer = exchange.answer
    text = answer if isinstance(answer, str) else orjson.dumps(answer).decode()
    shortened = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    at = f"{moment(exchange.at_ms):%H:%M:%S}"
    return (
        f"{at} {exchange.method} {exchange.path} {request}\n         {exchange.status} {shortened}"
    )


# A list of 1440 candles tells nobody anything.
_LONGEST = 2_000
