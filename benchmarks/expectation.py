"""Writes what BubbyBot expects of its trades, and the ledger's prior, from one backtest.

    python benchmarks/expectation.py [--data FOLDER]

The majors' backtest of benchmarks/results.py with shipped settings, all pairs pooled; kept runs are
used.
"""

import argparse
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import results

from bubbybot_freqtrade.learning.posterior import outcome
from bubbybot_freqtrade.risk.r import r_multiple

ROOM = Path("bubbybot_freqtrade/learning")
CANDLE = timedelta(minutes=15)
"""A backtest dates the end of a trade by the start of its candle."""


def main() -> None:
    """Run or read the backtest, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=results.RECORDED)
    parser.add_argument("--cache", type=Path, default=Path("user_data/results"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        results.folders(options.data.resolve(), Path(folder))
        trades = results.kept(results.Job("BubbyBot", "majors"), Path(folder), options.cache)
    trades = trades.sort_values(["close_date", "open_date", "pair"])
    columns = ("profit_abs", "amount", "open_rate", "plan_stop", "fee_open")
    r = r_multiple(*(trades[name].to_numpy(dtype=float) for name in columns))
    trades = trades.assign(r=r.round(4))
    made = json.dumps(expectation(trades), indent=4)
    (ROOM / "expectation.json").write_text(made + "\n", encoding="utf-8")
    rows = (json.dumps(past(row)) for row in trades.to_dict("records"))
    (ROOM / "prior.json").write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")


def expectation(trades: pd.DataFrame) -> dict[str, object]:
    """Mean and spread of R, and how many trades a year."""
    market = results.MARKETS["majors"]
    years = (datetime.fromisoformat(market.end) - datetime.fromisoformat(market.start)).days / 365
    return {
        "mean_r": round(float(trades["r"].mean()), 3),
        "deviation_r": round(float(trades["r"].std()), 3),
        "trades": len(trades),
        "trades_a_year": round(len(trades) / years, 1),
        "made": f"{datetime.now(UTC):%Y-%m-%d}",
        "candles": f"{len(market.pairs)} majors, {market.start} to {market.end}",
    }


def past(row: dict) -> dict[str, object]:
    """One trade as `learning.ledger.PastTrade` has it."""
    return {
        "pair": row["pair"],
        "side": "short" if row["is_short"] else "long",
        "tag": row["enter_tag"],
        "regime": row["plan_regime"],
        "known": (row["close_date"] + CANDLE).isoformat(),
        "r": row["r"],
        "outcome": round(abs(outcome(row["close_rate"], row["plan_stop"], row["plan_target"])), 4),
    }


if __name__ == "__main__":
    main()
