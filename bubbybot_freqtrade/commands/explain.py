"""`bubbybot explain PAIR [TIME]`: how the score of a candle came about.

Reads the candles that freqtrade has downloaded, runs the strategy's own analysis on them and takes
the numbers apart; it needs no exchange and no keys.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RunMode
from freqtrade.exceptions import FreqtradeException
from freqtrade.resolvers import StrategyResolver
from rich.console import Console
from rich.table import Table

from bubbybot_freqtrade.commands import explain_picture
from bubbybot_freqtrade.commands.candle_folder import candle_folder, folder_with
from bubbybot_freqtrade.commands.output import one_line_for
from bubbybot_freqtrade.commands.user_config import (
    DEFAULT_CONFIG,
    config_option,
    load_config,
    quiet_freqtrade,
    userdir_option,
)
from bubbybot_freqtrade.risk.closed_candles import CANDLE_SECONDS
from bubbybot_freqtrade.risk.r import r_at
from bubbybot_freqtrade.settings import ConfluenceSettings
from bubbybot_freqtrade.signals.confluence import (
    EVIDENCE,
    EVIDENCE_CANDLES,
    PREFIXES,
    REGIME_COLUMNS,
    REGIME_TIMEFRAME,
    SIDES,
    TIMEFRAMES,
    Floats,
    Side,
    analyzer_weights,
    candles_since,
    evidence,
    parts,
)
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy
from bubbybot_freqtrade.strategy.market import TAKER_FEE, fee_of
from bubbybot_freqtrade.strategy.parameters import confluence_of


@dataclass(frozen=True)
class Explanation:
    """An analyzed frame that ends with the explained candle, and the strategy that made it."""

    pair: str
    frame: pd.DataFrame
    strategy: BubbyBotStrategy

    @property
    def time(self) -> pd.Timestamp:
        """When the explained candle opened."""
        return pd.Timestamp(self.frame["date"].max())

    @property
    def confluence(self) -> ConfluenceSettings:
        """Settings with the strategy's parameters in them."""
        return confluence_of(self.strategy)

    def value(self, column: str) -> float:
        """A column on the explained candle, NaN where there is none."""
        if column not in self.frame:
            return float("nan")
        return float(self.frame[column].to_numpy(dtype=float)[-1])


def explain(config: dict[str, Any], pair: str, time: datetime | None) -> Explanation:
    """Analyze the candles up to the one that was the last closed at `time` (default: the newest).

    :raises click.ClickException: when there are no candles, or none that old.
    """
    # What a command without an exchange does not set: the file format, and fees of a market.
    config = {"dataformat_ohlcv": "feather", "fee": TAKER_FEE} | dict(config)
    if time is not None:
        # Ends with the newest opening that had closed by then, so that nothing later can take part.
        start = time - timedelta(days=4)
        end = int(time.timestamp()) - CANDLE_SECONDS
        config["timerange"] = f"{int(start.timestamp())}-{end}"
    strategy = StrategyResolver.load_strategy(config)
    if not isinstance(strategy, BubbyBotStrategy):
        raise click.ClickException(f"{config['strategy']} is not BubbyBot; there is no score.")
    config["startup_candle_count"] = strategy.startup_candle_count
    strategy.dp = DataProvider(config, None)
    strategy.ft_bot_start()
    candles = strategy.dp.historic_ohlcv(pair, strategy.timeframe)
    if candles.empty:
        raise click.ClickException(
            f"No {strategy.timeframe} candles of {pair} in {config['datadir']}"
            + (f" before {time:%Y-%m-%d %H:%M} UTC" if time else "")
            + ": run freqtrade download-data first, or name another folder with --datadir."
        )
    frame = strategy.populate_indicators(candles, {"pair": pair})
    return Explanation(pair, strategy.populate_entry_trend(frame, {"pair": pair}), strategy)


# --- in words -------------------------------------------------------------------------------------


def evidence_table(explained: Explanation) -> Table:
    """Scores of each analyzer on each timeframe, and the evidence they make."""
    table = Table(title="Evidence", title_justify="left")
    for name in ("analyzer", "weight", "side", "15m", "1h", "4h", "evidence", "strongest"):
        table.add_column(name, justify="left" if name in ("analyzer", "strongest") else "right")
    weights = analyzer_weights(explained.confluence)
    for analyzer, prefix in PREFIXES.items():
        for side in SIDES:
            scores = [explained.value(f"{prefix}_{side}_score{suffix}") for suffix in TIMEFRAMES]
            table.add_row(
                analyzer.replace("_", " "),
                f"{weights[prefix]:.2f}",
                side,
                *(f"{score:.2f}" for score in scores),
                f"{_all_evidence(explained, side)[prefix][0]:.2f}",
                ", ".join(recent(explained, prefix, side)) or "state only",
            )
    return table


def recent(explained: Explanation, prefix: str, side: Side) -> list[str]:
    """Codes of what adds to the side's 15m score, heaviest first, with the candles since."""
    ages: dict[str, int] = {}
    for item in EVIDENCE[side][prefix]:
        age = int(candles_since(explained.frame, item)[-1])
        if age < EVIDENCE_CANDLES:
            ages[item.code] = min(age, ages.get(item.code, age))
    return [f"{code} ({age} ago)" for code, age in ages.items()]


def score_table(explained: Explanation) -> Table:
    """How the evidence adds up to the score of each side."""
    settings = explained.confluence
    table = Table(title="Score", title_justify="left")
    for name in ("side", "strength", "accord", "conflict", "score", "needed", "regime"):
        table.add_column(name, justify="right")
    direction = explained.value("regime")
    for side, other in (SIDES, SIDES[::-1]):
        made = parts(_all_evidence(explained, side), _all_evidence(explained, other), settings)
        strength, accord, conflict = (float(part[0]) for part in made)
        table.add_row(
            side,
            f"{strength:.3f}",
            f"{settings.agreement * accord * (1 - strength):+.3f}",
            f"{-settings.conflict * conflict:+.3f}",
            f"{explained.value(f'{side}_confluence'):.3f}",
            f"{explained.strategy.min_confidence.value:.2f}",
            "with it" if direction == (1 if side == "long" else -1) else "not with it",
        )
    table.caption = f"score = (strength + accord + conflict) / {settings.full_score:g}, cut to 0–1"
    return table


def _all_evidence(explained: Explanation, side: Side) -> dict[str, Floats]:
    last = explained.frame.tail(1)
    return {
        prefix: evidence(last, prefix, side, explained.confluence) for prefix in PREFIXES.values()
    }


def verdict(explained: Explanation, side: Side) -> str:
    """One line: entry with its levels, or the first thing that is missing."""
    close = explained.value("close")
    stop = explained.value(f"plan_{side}_stop")
    target = explained.value(f"plan_{side}_target")
    if explained.value(f"enter_{side}") == 1:
        fee = fee_of(explained.strategy, explained.pair)
        reward = r_at(target, close, stop, fee)
        tag = explained.frame["enter_tag"].iat[-1]
        return (
            f"{side}: entry at about {close:g}, stop {stop:g} ({abs(close - stop) / close:.2%}), "
            f"target {target:g} ({reward:.2f}R after fees), tag {tag}"
        )
    return f"{side}: no entry, {missing(explained, side, stop, target)}"


def missing(explained: Explanation, side: Side, stop: float, target: float) -> str:
    """The first of the conditions that does not hold."""
    score = explained.value(f"{side}_confluence")
    needed = explained.strategy.min_confidence.value
    direction = explained.value("regime")
    if score < needed:
        return f"the score {score:.2f} is below {needed:.2f}"
    if score <= explained.value(f"{SIDES[1 - SIDES.index(side)]}_confluence"):
        return "the other side's score is as high"
    if np.isnan(stop):
        return "no structure lies within the bounds of a stop"
    if np.isnan(target):
        return "no opposing level pays enough"
    if explained.confluence.regime_filter and direction != (1 if side == "long" else -1):
        columns = ", ".join(REGIME_COLUMNS)
        return f"the regime ({REGIME_TIMEFRAME} {columns}) is not with it"
    return "a yellow cross or a candle without volume blocks it"


# --- as a picture ---------------------------------------------------------------------------------


def picture(explained: Explanation) -> str:
    """A page with the last day of candles, its evidence, stop and target, and the scores."""
    side = max(SIDES, key=lambda name: explained.value(f"{name}_confluence"))
    title = f"{explained.pair}, 15m candle of {explained.time:%Y-%m-%d %H:%M} UTC"
    words = [verdict(explained, name) for name in SIDES]
    return explain_picture.page(title, explained.frame, noted(explained), side, words)


def noted(explained: Explanation) -> list[explain_picture.Noted]:
    """What `evidence_table` lists, with the candles since and its side."""
    return [
        (item.column.partition("_")[2].replace("_", " "), age, side)
        for side in SIDES
        for prefix in PREFIXES.values()
        for item in EVIDENCE[side][prefix]
        for age in (int(candles_since(explained.frame, item)[-1]),)
        if age < EVIDENCE_CANDLES
    ]


# --- the command ----------------------------------------------------------------------------------


@click.command("explain")
@click.argument("pair")
@click.argument("time", required=False, type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d"]))
@config_option
@userdir_option
@click.option(
    "--datadir",
    "-d",
    type=click.Path(exists=True, file_okay=False),
    help="Folder of candles, as freqtrade's own option.",
)
@click.option(
    "--picture",
    "picture_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the picture goes (HTML); by default below user_data/explain.",
)
def explain_command(
    pair: str,
    time: datetime | None,
    config_files: tuple[str, ...],
    userdir: Path | None,
    datadir: str | None,
    picture_file: Path | None,
) -> None:
    """Print how the score of a candle came about.

    TIME is UTC, like 2025-03-04T12:00: the last candle that had closed then is explained.
    """
    options = {"user_data_dir": userdir, "datadir": datadir and candle_folder(Path(datadir))}
    given = {name: str(value) for name, value in options.items() if value}
    with one_line_for(FreqtradeException):
        names = list(config_files) or [DEFAULT_CONFIG]
        config = load_config({"config": names, **given}, RunMode.PLOT)
        config["strategy"] = config.get("strategy") or "BubbyBot"
        if datadir is None:
            user_data = Path(config["user_data_dir"])
            config["datadir"] = folder_with(pair, Path(config["datadir"]), user_data)
        with quiet_freqtrade():
            explained = explain(config, pair, time.replace(tzinfo=UTC) if time else None)
    console = Console()
    console.print(f"{pair}, 15m candle of {explained.time:%Y-%m-%d %H:%M} UTC")
    console.print(f"Candles: {config['datadir']}", highlight=False)
    console.print(evidence_table(explained))
    console.print(score_table(explained))
    for side in SIDES:
        console.print(verdict(explained, side), highlight=False)
    if explained.strategy.settings.learning.is_used:
        console.print("Past trades can still veto or size an entry: see `bubbybot patterns`.")
    where = picture_file or _default_picture(Path(config["user_data_dir"]), explained)
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_text(picture(explained), encoding="utf-8")
    console.print(f"Picture: {where}", highlight=False)


def _default_picture(user_data: Path, explained: Explanation) -> Path:
    name = explained.pair.replace("/", "_").replace(":", "_")
    return user_data / "explain" / f"{name}-{explained.time:%Y%m%dT%H%M}.html"
