"""The ledger as a picture: the mean of R of each situation with its interval."""

from collections.abc import Sequence
from html import escape
from typing import Any

from bubbybot_freqtrade.learning.ledger import Situation
from bubbybot_freqtrade.learning.table import Row
from bubbybot_freqtrade.signals.words import counted, reasons

COLUMNS_TOLD = (
    "Worth: how many fresh trades of its own all that is known counts as. Target first: how often "
    "the target comes before the stop. Pays: how likely the mean is above zero."
)


def name_of(situation: Situation) -> str:
    """A situation in words."""
    words = f"{reasons(situation.pattern, situation.side)}, {situation.side}"
    pair = situation.pair.partition(":")[0]
    return ", ".join(part for part in (words, pair, situation.regime) if part)


def chart_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What the page's script draws: a dot for the mean of R and its interval, red where vetoed."""
    return [
        {
            "name": name_of(row.situation),
            "mean": round(row.known.mean_r, 3),
            "low": round(row.known.mean_r_low, 3),
            "high": round(row.known.mean_r_high, 3),
            "vetoed": row.is_vetoed,
            "told": (
                f"{name_of(row.situation)}: {row.known.mean_r:+.2f} "
                f"({row.known.mean_r_low:+.2f} to {row.known.mean_r_high:+.2f}), "
                f"{counted(row.trades, 'trade')}"
            ),
        }
        for row in rows
    ]


def table(rows: Sequence[Row]) -> str:
    """The rows as an HTML table."""
    head = "".join(
        f"<th>{name}</th>"
        for name in ("", "trades", "worth", "target first", "mean R", "pays", "verdict")
    )
    return f'<table class="stacked"><tr>{head}</tr>{"".join(map(_cells, rows))}</table>'


def _cells(row: Row) -> str:
    cells = "".join(f"<td>{cell}</td>" for cell in figures(row))
    return f"<tr><td>{escape(name_of(row.situation))}</td>{cells}</tr>"


def figures(row: Row) -> list[str]:
    """Trades, worth, chance of the target, mean R, chance that it pays and verdict, as text."""
    known = row.known
    return [
        str(row.trades),
        f"{known.weight:.1f}",
        f"{known.target_first:.0%} ({known.target_first_low:.0%}–{known.target_first_high:.0%})",
        f"{known.mean_r:+.2f} ({known.mean_r_low:+.2f} to {known.mean_r_high:+.2f})",
        f"{known.pays:.0%}",
        "vetoed" if row.is_vetoed else "",
    ]


def section(rows: Sequence[Row], words: str) -> str:
    """The report's section: what the numbers are, the picture, the table."""
    if not rows:
        return "<p>No closed trade has a pattern in its tag.</p>"
    chart = '<div class="chart tall" id="patterns"></div>'
    told = f'<p class="dim">{COLUMNS_TOLD}</p>'
    return f'<p class="dim">{escape(words)}</p>{chart}<div class="wide">{table(rows)}</div>{told}'
