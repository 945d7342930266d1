"""Writes what BubbyBot expects of its trades, from a backtest of the shipped settings.

    python benchmarks/expectation.py [--data FOLDER]

The majors' backtest of benchmarks/results.py, all pairs pooled; kept runs are used.
"""

import argparse
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import results

OUT = Path("bubbybot_freqtrade/learning/expectation.json")


def main() -> None:
    """Run or read the backtest, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=results.RECORDED)
    parser.add_argument("--cache", type=Path, default=Path("user_data/results"))
    options = parser.parse_args()
    market = results.MARKETS["majors"]
    with tempfile.TemporaryDirectory() as folder:
        results.folders(options.data.resolve(), Path(folder))
        trades = results.kept(results.Job("BubbyBot", "majors"), Path(folder), options.cache)
    r = trades["profit_abs"] / trades["plan_risk"]
    years = (datetime.fromisoformat(market.end) - datetime.fromisoformat(market.start)).days / 365
    made = {
        "mean_r": round(float(r.mean()), 3),
        "deviation_r": round(float(r.std()), 3),
        "trades": len(r),
        "trades_a_year": round(len(r) / years, 1),
        "made": f"{datetime.now(UTC):%Y-%m-%d}",
        "candles": f"{len(market.pairs)} majors, {market.start} to {market.end}",
    }
    OUT.write_text(json.dumps(made, indent=4) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
