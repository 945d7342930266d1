"""`bubbybot explain PAIR [TIME]`: how the score of a candle came about.

Reads the candles that freqtrade has downloaded, runs the strategy's own analysis on them and takes
the numbers apart; it needs no exchange and no keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import pandas as pd
from freqtrade.data.dataprovider import DataProvider
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, RunMode
from freqtrade.exceptions import FreqtradeException
from freqtrade.resolvers import StrategyResolver
from rich.console import Console
from rich.table import Table

from bubbybot_freqtrade.commands import explain_picture
from bubbybot_freqtrade.commands.candle_folder import candle_folder, folder_with
from bubbybot_freqtrade.commands.output import not_written, one_line, one_line_for, write_page
from bubbybot_freqtrade.commands.pairs import as_freqtrade_spells
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
from bubbybot_freqtrade.signals.confluence import closes_an_hour, terms, weights_of
from bubbybot_freqtrade.signals.marks import recent
from bubbybot_freqtrade.signals.trend import (
    PREFIXES,
    READING_COLUMNS,
    SIDES,
    Side,
    rooms_of,
    runs,
)
from bubbybot_freqtrade.signals.words import price
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy
from bubbybot_freqtrade.strategy.market import TAKER_FEE, fee_of
from bubbybot_freqtrade.strategy.parameters import confluence_of

_LOOKED_AT_SECONDS = 4 * 86_400

Floats = npt.NDArray[np.float64]


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
        end = max(int(time.timestamp()) - CANDLE_SECONDS, CANDLE_SECONDS)
        config["timerange"] = f"{max(end - _LOOKED_AT_SECONDS, 0)}-{end}"
    try:
        strategy = StrategyResolver.load_strategy(config)
    except ImportError as error:
        # freqtrade's word for a strategy that does not fit the trading mode.
        raise click.ClickException(one_line(error)) from error
    if not isinstance(strategy, BubbyBotStrategy):
        raise click.ClickException(f"{config['strategy']} is not BubbyBot; there is no score.")
    config["startup_candle_count"] = strategy.startup_candle_count
    strategy.dp = DataProvider(config, None)
    strategy.ft_bot_start()
    _require_candles(config, pair, strategy.timeframe, time)
    candles = strategy.dp.historic_ohlcv(pair, strategy.timeframe)
    frame = strategy.populate_indicators(candles, {"pair": pair})
    return Explanation(pair, strategy.populate_entry_trend(frame, {"pair": pair}), strategy)


def _require_candles(
    config: Mapping[str, Any], pair: str, timeframe: str, time: datetime | None
) -> None:
    folder = Path(config["datadir"])
    stored = get_datahandler(folder, config["dataformat_ohlcv"])
    first, last, count = stored.ohlcv_data_min_max(pair, timeframe, CandleType.FUTURES)
    if not count:
        raise click.ClickException(
            f"No {timeframe} candles of {pair} can be read in {folder}: run freqtrade "
            "download-data, or name another folder with --datadir."
        )
    closed = timedelta(seconds=CANDLE_SECONDS)
    if time is not None and not first + closed <= time < last + 2 * closed:
        raise click.ClickException(
            f"{time:%Y-%m-%d %H:%M} UTC is outside of the {timeframe} candles of {pair} in "
            f"{folder}: they close from {first + closed:%Y-%m-%d %H:%M} to "
            f"{last + closed:%Y-%m-%d %H:%M}."
        )


# --- in words -------------------------------------------------------------------------------------


def readings_table(explained: Explanation) -> Table:
    """Which side each analyzer is on and how strongly, and what makes it so."""
    table = Table(title="Readings", title_justify="left")
    for name in ("analyzer", "weight", "side", "run", "room", "reading"):
        table.add_column(name, justify="left" if name == "analyzer" else "right", overflow="fold")
    weights, rooms = weights_of(explained.confluence), rooms_of(explained.confluence)
    for analyzer, (side, run) in runs(explained.frame.tail(1)).items():
        table.add_row(
            analyzer.replace("_", " "),
            f"{weights.get(analyzer, 0):.2f}",
            _side_in_words(side[0]),
            _known(run[0], ".2f"),
            f"{rooms[analyzer]:g}",
            _known(explained.value(READING_COLUMNS[analyzer]), "+.2f"),
        )
    table.caption = "run and room in typical 4h ranges; within its room a reading is 0.7 or more"
    return table


def _known(value: float, pattern: str) -> str:
    """A number, or a dash where there is none: an analyzer without a side has no run."""
    return "–" if np.isnan(value) else format(value, pattern)


def _side_in_words(side: float) -> str:
    """An analyzer's side: long, short, or none."""
    if side == 0:
        return "none"
    return SIDES[0] if side > 0 else SIDES[1]


def marks_table(explained: Explanation) -> Table:
    """What the analyzers mark on the chart of 15m, for either side."""
    table = Table(title="Marks on 15m (shown, not scored)", title_justify="left")
    for name in ("analyzer", *SIDES):
        table.add_column(name, overflow="fold")
    for analyzer, prefix in PREFIXES.items():
        marks = [recent(explained.frame, prefix, side) for side in SIDES]
        words = [", ".join(f"{mark.words} ({age} ago)" for mark, age in found) for found in marks]
        table.add_row(analyzer.replace("_", " "), *words)
    return table


def score_table(explained: Explanation) -> Table:
    """How the readings add up to the score of each side."""
    table = Table(title="Score", title_justify="left")
    for name in ("side", "agreement", "youth", "score", "needed", "against it"):
        table.add_column(name, justify="right", overflow="fold")
    for side in SIDES:
        agreement, youth = terms(strengths(explained, side), explained.confluence)
        table.add_row(
            side,
            f"{agreement[0]:.3f}",
            f"{youth[0]:.3f}",
            f"{explained.value(f'{side}_confluence'):.3f}",
            f"{explained.strategy.min_confidence.value:.2f}",
            ", ".join(opposing(explained, side)) or "nobody",
        )
    table.caption = "score = 0.7 · agreement + 0.3 · youth"
    return table


def strengths(explained: Explanation, side: Side) -> dict[str, Floats]:
    """Each analyzer's strength for the side on the explained candle."""
    sign = 1 if side == "long" else -1
    return {
        analyzer: np.array([max(sign * explained.value(column), 0.0)])
        for analyzer, column in READING_COLUMNS.items()
    }


def opposing(explained: Explanation, side: Side) -> list[str]:
    """The analyzers that are on the other side."""
    sign = 1 if side == "long" else -1
    return [
        analyzer.replace("_", " ")
        for analyzer, column in READING_COLUMNS.items()
        if sign * explained.value(column) < 0
    ]


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
            f"{side}: entry at about {price(close)}, stop {price(stop)} "
            f"({abs(close - stop) / close:.2%}), target {price(target)} "
            f"({reward:.2f}R after fees), tag {tag}"
        )
    return f"{side}: no entry, {missing(explained, side, stop, target)}"


def missing(explained: Explanation, side: Side, stop: float, target: float) -> str:
    """The first of the conditions that does not hold."""
    score = explained.value(f"{side}_confluence")
    needed = explained.strategy.min_confidence.value
    if score < needed:
        # Never a number that is said to be below itself.
        digits = 2 if needed - score >= 0.005 else 5
        return f"the score {score:.{digits}f} is below {needed:.2f}"
    if np.isnan(stop) or np.isnan(target):
        return "the ATR of 1h is not known yet"
    if not closes_an_hour(explained.frame.tail(1))[0]:
        return "signals are taken at the close of an hour"
    return "a yellow cross or a candle without volume blocks it"


# --- as a picture ---------------------------------------------------------------------------------


def picture(explained: Explanation) -> str:
    """A page with the last day of candles, its marks, stop and target, and the scores."""
    side = max(SIDES, key=lambda name: explained.value(f"{name}_confluence"))
    title = f"{explained.pair}, 15m candle of {explained.time:%Y-%m-%d %H:%M} UTC"
    words = [verdict(explained, name) for name in SIDES]
    return explain_picture.page(title, explained.frame, noted(explained), side, words)


def noted(explained: Explanation) -> list[explain_picture.Noted]:
    """What `marks_table` lists, with the candles since and its side."""
    return [
        (mark.words, age, side)
        for side in SIDES
        for prefix in PREFIXES.values()
        for mark, age in recent(explained.frame, prefix, side)
    ]


# --- the command ----------------------------------------------------------------------------------


@click.command("explain")
@click.argument("pair")
@click.argument(
    "time", required=False, metavar="[TIME]", type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d"])
)
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
        pair = as_freqtrade_spells(pair)
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
    for table in (readings_table, score_table, marks_table):
        console.print(table(explained))
    for side in SIDES:
        console.print(verdict(explained, side), highlight=False)
    if explained.strategy.settings.learning.is_used:
        console.print("Past trades can still veto or size an entry: see `bubbybot patterns`.")
    where = picture_file or _default_picture(Path(config["user_data_dir"]), explained)
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(not_written(where, error)) from error
    write_page(where, picture(explained))
    click.echo(f"Picture: {where}")


def _default_picture(user_data: Path, explained: Explanation) -> Path:
    name = explained.pair.replace("/", "_").replace(":", "_")
    return user_data / "explain" / f"{name}-{explained.time:%Y%m%dT%H%M}.html"
