"""The report's numbers for other programs: trades, figures and daily returns."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from bubbybot_freqtrade.learning.results import Source
from bubbybot_freqtrade.report import measures

TRADES, FIGURES, RETURNS = "trades.csv", "figures.json", "daily_returns.csv"


def write(source: Source, folder: Path) -> list[Path]:
    """Write `trades.csv` and `figures.json`, and where the account is known `daily_returns.csv`.

    `daily_returns.csv` has a date and a return a row, the form in which QuantStats reads one:
    ``pandas.read_csv(file, index_col=0, parse_dates=True).squeeze()``.

    :return: the files
    :raises OSError: when they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    measures.frame(source.trades).to_csv(folder / TRADES, index=False)
    text = json.dumps(summary(source), indent=2, allow_nan=False)
    (folder / FIGURES).write_text(text + "\n", encoding="utf-8")
    written = [folder / TRADES, folder / FIGURES]
    if source.trades and source.starting_balance:
        returns = measures.daily_returns(source)
        returns.to_csv(folder / RETURNS, date_format="%Y-%m-%d")
        written.append(folder / RETURNS)
    return written


def summary(source: Source) -> dict[str, Any]:
    """The figures of a source, and its months, as JSON has them: durations in seconds."""
    made: dict[str, Any] = {
        "source": source.name,
        "currency": source.currency,
        "starting_balance": source.starting_balance,
        "trades": len(source.trades),
    }
    if not source.trades:
        return made
    start, end = measures.bounds(source)
    return made | {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "figures": {
            name: _plain(value) for name, value in asdict(measures.figures(source)).items()
        },
        "months": [
            {"month": name, "trades": group.trades, "profit": group.profit, "share": share}
            for name, group, share in measures.months(source)
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
