"""BubbyBot on another bot's signals: freqtrade's consumer, with BubbyBot's rules.

One producer analyzes the market; any number of followers take its columns over freqtrade's
websocket and trade them on accounts of their own. A plan is made of columns of the signal candle,
so a follower plans what the producer would, with its own equity, settings, limits and breakers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException

from bubbybot_freqtrade.signals import plots
from bubbybot_freqtrade.signals.trend import SIDES
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

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
    """BubbyBot's rules on the signals of the first producer in `external_message_consumer`."""

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
    def producer(self) -> str:
        """Name of the producer that is followed: the first of the config."""
        return str(self.config["external_message_consumer"]["producers"][0]["name"])

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """The producer's columns beside one's own candles; NaN on candles that it has not sent."""
        sent, _ = self.dp.get_producer_df(
            metadata["pair"], self.timeframe, producer_name=self.producer
        )
        return beside(dataframe, sent)

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


def beside(candles: pd.DataFrame, sent: pd.DataFrame) -> pd.DataFrame:
    """`candles` with the columns of the frame that a producer sent, by date.

    Numbers and flags come as float64 (JSON has told them apart from nothing), tags as text or None;
    columns that a plan needs are there in any case.
    """
    if sent.empty:
        sent = pd.DataFrame({"date": candles["date"].iloc[:0]})
    dates = [name for name in sent if str(name).startswith("date_")]
    theirs = sent.drop(columns=[*dates, *LEFT_OUT], errors="ignore")
    theirs = theirs.rename(columns={name.removeprefix(SENT): name for name in RENAMED})
    theirs = theirs.assign(date=pd.to_datetime(theirs["date"], utc=True))
    merged = candles[["date"]].merge(
        theirs.drop_duplicates("date", keep="last"), on="date", how="left"
    )
    columns = {}
    for name in dict.fromkeys((*NEEDED, *RENAMED, *merged.columns.drop("date"))):
        values = merged[name] if name in merged else pd.Series(np.nan, index=merged.index)
        if name == SENT_TAG:
            columns[name] = values.astype(object).where(values.notna(), None)
        else:
            columns[name] = pd.to_numeric(values, errors="coerce").astype(np.float64)
    made = pd.DataFrame(columns).set_axis(candles.index)
    return pd.concat([candles, made], axis=1)
