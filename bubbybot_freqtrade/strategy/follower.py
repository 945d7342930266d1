"""BubbyBot on other bots' signals: freqtrade's consumer, with BubbyBot's rules.

One producer analyzes the market, or several share its pairs; any number of followers take their
columns over freqtrade's websocket and trade them on accounts of their own. A plan is made of
columns of the signal candle, so a follower plans what the producer would, with its own equity,
settings, limits and breakers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException

from bubbybot_freqtrade.analyzers.candles import Floats, epoch_seconds, with_columns
from bubbybot_freqtrade.risk.closed_candles import CANDLE
from bubbybot_freqtrade.signals import plots
from bubbybot_freqtrade.signals.trend import SIDES
from bubbybot_freqtrade.strategy import market, messages
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy
from bubbybot_freqtrade.strategy.operator import tell

CANDLE_COLUMNS = ("open", "high", "low", "close", "volume")
# freqtrade clears a strategy's own entries before it asks for them: the sent ones need other names.
SENT = "sent_"
SENT_TAG = "sent_enter_tag"
# What a trade asks of its candles, whether a producer has sent it or not.
NEEDED = (
    "plan_atr",
    "stop_atr",
    "lux_internal_high",
    "lux_internal_low",
    *(name for side in SIDES for name in (f"{side}_confluence", f"plan_{side}_stop")),
    *(f"plan_{side}_target" for side in SIDES),
)
SENT_ENTRIES = tuple(f"{SENT}enter_{side}" for side in SIDES)
RENAMED = (*SENT_ENTRIES, SENT_TAG)
LEFT_OUT = (*CANDLE_COLUMNS, "exit_long", "exit_short", "exit_tag")


class BubbyBotFollowerStrategy(BubbyBotStrategy):
    """BubbyBot's rules on the signals of the producers in `external_message_consumer`."""

    # The producer's columns may come after the candle they are of.
    process_only_new_candles = False
    # Own candles serve charts and the day's marks; the analysis is the producer's.
    startup_candle_count = 200

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Start, where there can be a producer.

        :raises OperationalException: one line that says what to set or to run instead.
        """
        name = type(self).__name__
        if self.config.get("runmode") not in (RunMode.LIVE, RunMode.DRY_RUN):
            raise OperationalException(
                f"{name} trades on what a running bot sends it; backtest BubbyBot instead."
            )
        if not self.config.get("external_message_consumer", {}).get("enabled", False):
            raise OperationalException(
                f"{name} needs a producer: set external_message_consumer in the config "
                "(docs/followers.md)."
            )
        super().ft_bot_start(**kwargs)

    def informative_pairs(self) -> list[tuple[str, str]]:
        """None: the producer has them."""
        return []

    @property
    def producers(self) -> list[str]:
        """Names of the producers, in the config's order."""
        return [str(it["name"]) for it in self.config["external_message_consumer"]["producers"]]

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """BubbyBot's look at the day and the account; then who is silent, once a minute."""
        super().bot_loop_start(current_time, **kwargs)
        if self.memory.watches.looked_at == current_time:
            tell_of_producers(self, current_time)

    def analyze_ticker(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """What was made before while neither a candle nor a message has come, in every loop."""
        pair = metadata["pair"]
        producer, sent, made = sent_of(self, pair)
        newest = dataframe["date"].iat[-1] if len(dataframe) else None
        seen, known = (newest, producer, len(sent), made), market.analyzed(self, pair)
        if self.memory.followed.get(pair) == seen and len(known) == len(dataframe):
            return known
        self.memory.followed[pair] = seen
        return super().analyze_ticker(dataframe, metadata)

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """The producer's columns beside one's own candles; NaN on candles that it has not sent."""
        return beside(dataframe, sent_of(self, metadata["pair"]).frame)

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """The producer's entries, where one's own least confidence lets them pass."""
        for side, sent in zip(SIDES, SENT_ENTRIES, strict=True):
            # A comparison with NaN is False: nothing sent, no entry.
            entered = dataframe[sent].to_numpy() == 1
            confident = dataframe[f"{side}_confluence"].to_numpy() >= self.min_confidence.value
            dataframe[f"enter_{side}"] = (entered & confident).astype(int)
        dataframe["enter_tag"] = dataframe[SENT_TAG]
        dataframe[plots.NEEDED] = self.min_confidence.value
        self.memory.candles.keep(metadata["pair"], dataframe)
        return dataframe


class Sent(NamedTuple):
    """The producer that is followed for a pair, the frame that it has sent, and when it made it."""

    producer: str = ""
    frame: pd.DataFrame = pd.DataFrame()
    made: datetime | None = None


def sent_of(bot: BubbyBotFollowerStrategy, pair: str) -> Sent:
    """What the first producer of the config sends that sends the pair.

    Another one that does too never takes its place while it is known: what one has entered on, the
    other may see otherwise.
    """
    found = []
    for name in bot.producers:
        # Its list says which pairs it sends by now; before it has come the frame alone does.
        listed = bot.dp.get_producer_pairs(name)
        if listed and pair not in listed:
            continue
        frame, made = bot.dp.get_producer_df(pair, bot.timeframe, producer_name=name)
        if not frame.empty:
            found.append(Sent(name, frame, made))
    doubled = bot.memory.doubled
    if len(found) > 1 and pair not in doubled:
        tell(bot, messages.sent_twice(pair, [sent.producer for sent in found]))
        doubled.add(pair)
    elif len(found) < 2:
        doubled.discard(pair)
    return found[0] if found else Sent()


def tell_of_producers(bot: BubbyBotFollowerStrategy, now: datetime) -> None:
    """Say which producer has sent no new candle for too long, and that it sends again."""
    heard = bot.memory.heard
    for name in bot.producers:
        # What never came is waited for from the first look on.
        heard.setdefault(name, now)
        for pair in bot.dp.get_producer_pairs(name):
            frame, _ = bot.dp.get_producer_df(pair, bot.timeframe, producer_name=name)
            if not frame.empty:
                closed = pd.Timestamp(frame["date"].iat[-1]).to_pydatetime() + CANDLE
                heard[name] = max(heard[name], closed)
    for message in bot.memory.watches.producers.look(now, heard):
        tell(bot, message)


def beside(candles: pd.DataFrame, sent: pd.DataFrame) -> pd.DataFrame:
    """`candles` with the columns of the frame that a producer sent, by date.

    Numbers and flags come as float64 (JSON has told them apart from nothing), tags as text or None;
    columns that a plan needs are there in any case.
    """
    if not sent.empty:
        sent = sent.assign(date=pd.to_datetime(sent["date"], utc=True))
        sent = sent.drop_duplicates("date", keep="last")
    dates = epoch_seconds(sent["date"]) if len(sent) else np.empty(0, dtype=np.int64)
    # -1, the value of no candle, for those that were not sent.
    rows = pd.Index(dates).get_indexer(pd.Index(epoch_seconds(candles["date"])))
    names = {name.removeprefix(SENT): name for name in RENAMED}
    theirs = {
        names.get(name, name): sent[name]
        for name in map(str, sent.columns)
        if name not in LEFT_OUT and not name.startswith("date")
    }
    columns = {}
    for name in dict.fromkeys((*NEEDED, *RENAMED, *theirs)):
        values = theirs.get(name, pd.Series(np.nan, index=sent.index))
        if name == SENT_TAG:
            tags = np.array([*values.astype(object).where(values.notna(), None), None], object)
            columns[name] = tags[rows]
        else:
            columns[name] = np.append(_numbers(values), np.nan)[rows]
    return with_columns(candles, columns)


def _numbers(values: pd.Series) -> Floats:
    if values.dtype.kind not in "biuf":
        values = pd.to_numeric(values, errors="coerce")
    return values.to_numpy(dtype=np.float64)
