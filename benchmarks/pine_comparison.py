"""
Run a Pine text that you have beside an analyzer of ours, on the same candles, column by column.

    npm install --prefix pinets pinets
    python benchmarks/pine_comparison.py TEXT benchmarks/pine/lux_algo.toml CANDLES --pinets pinets

TEXT is a file of Pine version 5 or 6 (TradingView's editor converts older ones), CANDLES one of
freqtrade's, as BTC_USDT_USDT-15m-futures.feather. The map names for each of our columns the
variable of the text, or an expression of its variables, that is its original; it is appended to the
text as a plot. A map may also set inputs by their titles, append lines that the expressions need,
and replace what pinets cannot run. pinets is an independent runtime from npm, not TradingView.
Prints a table in markdown.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher

ANALYZERS = {
    "market_cipher": market_cipher,
    "lux_algo": lux_algo,
    "frankie_candles": frankie_candles,
}
RUN = Path(__file__).parent / "pine" / "run.mjs"
TOLERANCE = 1e-6
"""Numbers agree within this, relative to the larger and absolute."""


def main() -> None:
    """Compare, and print the table."""
    args = arguments().parse_args()
    chosen = tomllib.loads(args.map.read_text(encoding="utf-8"))
    columns: dict[str, str] = chosen["columns"]
    candles = pd.read_feather(args.candles).drop_duplicates("date")
    stop = None if args.count is None else args.first + args.count
    candles = candles.iloc[args.first : stop].reset_index(drop=True)
    analyzer = ANALYZERS[chosen["analyzer"]]
    settings = analyzer.Settings(**chosen.get("settings", {}) | json.loads(args.settings))
    ours = analyzer.populate(candles, settings, columns)
    text = args.text.read_text(encoding="utf-8")
    for known, instead in chosen.get("replaced", {}).items():
        text = text.replace(known, instead)
    text += chosen.get("lines", "")
    text += "".join(f'\nplot({made}, "{name}")' for name, made in columns.items()) + "\n"
    plots = run(text, candles, chosen.get("inputs", {}), args.pinets)
    first, last = (f"{candles['date'].iloc[at]:%Y-%m-%d %H:%M}" for at in (args.skip, -1))
    print(f"{args.candles.stem}, {len(candles) - args.skip:,} candles from {first} to {last}\n")
    print("| column | original | ours | both | agreement | largest difference |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in columns:
        theirs = np.array(plots[name], dtype=float)[args.skip :]
        print(f"| `{name}` | {row(theirs, ours[name].to_numpy()[args.skip :])} |")


def arguments() -> argparse.ArgumentParser:
    """What to compare with what."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("text", type=Path, help="a Pine file, version 5 or 6")
    parser.add_argument("map", type=Path, help="our columns and their originals (TOML)")
    parser.add_argument("candles", type=Path, help="candles as freqtrade stores them (feather)")
    parser.add_argument("--pinets", type=Path, required=True, help="folder of its node_modules")
    parser.add_argument("--settings", default="{}", help="of our analyzer, JSON")
    parser.add_argument("--first", type=int, default=0, help="candles left out before the chart")
    parser.add_argument("--count", type=int, help="candles of the chart (all)")
    parser.add_argument(
        "--skip",
        type=int,
        default=1_000,
        help="candles at the chart's beginning that are not compared: averages start otherwise",
    )
    return parser


def run(
    text: str, candles: pd.DataFrame, inputs: dict[str, Any], pinets: Path
) -> dict[str, list[float | None]]:
    """The text's plots by title, a value a candle."""
    node = shutil.which("node")
    if node is None:
        raise SystemExit("There is no `node` on the PATH: install Node.js 20 or newer.")
    if not (pinets / "node_modules" / "pinets").is_dir():
        raise SystemExit(f"{pinets} has no pinets: npm install --prefix {pinets} pinets")
    opened = candles["date"].astype("datetime64[ms, UTC]").astype("int64")
    step = int(opened.diff().min())
    frame = candles[["open", "high", "low", "close", "volume"]].assign(
        openTime=opened, closeTime=opened + step
    )
    job = {
        "candles": frame.to_dict("records"),
        "minutes": step // 60_000,
        "text": text,
        "inputs": inputs,
    }
    with tempfile.TemporaryDirectory() as folder:
        asked, made = Path(folder, "job.json"), Path(folder, "plots.json")
        asked.write_text(json.dumps(job), encoding="utf-8")
        done = subprocess.run(
            [node, str(RUN), str(pinets.resolve()), str(asked), str(made)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"pinets did not run the text: {done.stderr.strip()}")
        return json.loads(made.read_text(encoding="utf-8"))


def row(theirs: np.ndarray, ours: np.ndarray) -> str:
    """
    Cells of a column. An event agrees where both have it, of the rows where either has; a number
    where both have the same or neither has one, of all rows.
    """
    if ours.dtype == np.bool_:
        fired = np.nan_to_num(theirs) != 0
        both, either = int((fired & ours).sum()), int((fired | ours).sum())
        share = percent(both, either) if either else "never"
        return f"{fired.sum():,} | {ours.sum():,} | {both:,} | {share} | "
    known = ~np.isnan(theirs), ~np.isnan(ours)
    same = np.isclose(theirs, ours, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    apart = np.abs(theirs - ours)[known[0] & known[1]]
    largest = f"{apart.max():.2g}" if len(apart) else ""
    cells = f"{known[0].sum():,} | {known[1].sum():,} | {(known[0] & known[1]).sum():,}"
    return f"{cells} | {percent(int(same.sum()), len(same))} | {largest}"


def percent(part: int, whole: int) -> str:
    """Rounded down, so that 100 % means all of them."""
    return f"{np.floor(10_000 * part / whole) / 100:g} %"


if __name__ == "__main__":
    main()
