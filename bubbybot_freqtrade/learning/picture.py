"""The ledger as a picture: the mean of R of each situation with its interval."""

from collections.abc import Sequence
from html import escape

from bubbybot_freqtrade.learning.ledger import Situation
from bubbybot_freqtrade.learning.table import Row
from bubbybot_freqtrade.report.charts import WIDTH, Scale
from bubbybot_freqtrade.strategy.messages import reasons

NAME_WIDTH, LINE, TOP, BOTTOM = 330.0, 20.0, 8.0, 24.0

STYLE = """
.interval { stroke-width: 3; stroke: var(--line); } .interval.down { stroke: var(--down); }
.mean { fill: var(--line); } .mean.down { fill: var(--down); }
"""


def name_of(situation: Situation) -> str:
    """A situation in words."""
    words = f"{reasons(situation.pattern, situation.side)}, {situation.side}"
    pair = situation.pair.partition(":")[0]
    return ", ".join(part for part in (words, pair, situation.regime) if part)


def interval_chart(rows: Sequence[Row]) -> str:
    """One line a situation: mean of R as a dot, its interval as a bar; red where it is vetoed."""
    low = min(0.0, *(row.known.mean_r_low for row in rows))
    high = max(0.0, *(row.known.mean_r_high for row in rows))
    scale = Scale(low, high, NAME_WIDTH, WIDTH - 10)
    bottom = TOP + LINE * len(rows)
    parts = [
        f'<path class="grid" d="M{scale(0)} {TOP}V{bottom}"/>',
        *(
            f'<text class="tick" x="{scale(value)}" y="{bottom + 16}" text-anchor="middle">'
            f"{value:+.1f}R</text>"
            for value in (low, 0.0, high)
        ),
        *(_line(row, TOP + LINE * (index + 0.5), scale) for index, row in enumerate(rows)),
    ]
    label = "Mean R by pattern"
    return (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {WIDTH:g} {bottom + BOTTOM:g}">'
        f"<title>{label}</title>{''.join(parts)}</svg>"
    )


def _line(row: Row, y: float, scale: Scale) -> str:
    known, css = row.known, " down" if row.is_vetoed else ""
    told = (
        f"{name_of(row.situation)}: {known.mean_r:+.2f} "
        f"({known.mean_r_low:+.2f} to {known.mean_r_high:+.2f}), {row.trades} trades"
    )
    return (
        f'<text x="{NAME_WIDTH - 10}" y="{y + 4}" text-anchor="end">'
        f"{escape(name_of(row.situation))}</text>"
        f'<path class="interval{css}" d="M{scale(known.mean_r_low)} {y}'
        f'H{scale(known.mean_r_high)}"/>'
        f'<circle class="mean{css}" cx="{scale(known.mean_r)}" cy="{y}" r="5">'
        f"<title>{escape(told)}</title></circle>"
    )


def table(rows: Sequence[Row]) -> str:
    """The rows as an HTML table."""
    head = "".join(
        f"<th>{name}</th>"
        for name in ("", "trades", "worth", "target first", "mean R", "pays", "verdict")
    )
    return f"<table><tr>{head}</tr>{''.join(map(_cells, rows))}</table>"


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
    return f"<p>{escape(words)}</p>{interval_chart(rows)}{table(rows)}"
