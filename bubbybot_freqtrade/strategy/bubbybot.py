"""The strategy: freqtrade's callbacks, each a few lines that call the rooms around it.

Everything a plan needs stands in columns of the signal candle, so backtest, dry-run and live see
the same numbers. Live, the venue holds stop and target; `custom_roi` gives the target only where no
venue does (backtest, hyperopt, dry-run).
"""

import logging
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from freqtrade.enums import RunMode
from freqtrade.exceptions import ConfigurationError, FreqtradeException
from freqtrade.persistence import LocalTrade, Order, PairLocks, Trade
from freqtrade.strategy import (
    CategoricalParameter,
    DecimalParameter,
    IStrategy,
    stoploss_from_absolute,
)

from bubbybot_freqtrade.blofin.bracket import Bracket, offer_bracket
from bubbybot_freqtrade.learning.ledger import Ledger
from bubbybot_freqtrade.learning.regime import regime_of
from bubbybot_freqtrade.learning.table import pattern_rows
from bubbybot_freqtrade.learning.trades import ClosedTrades, read_prior
from bubbybot_freqtrade.risk.breakers import day_start, next_day
from bubbybot_freqtrade.risk.closed_candles import CANDLE, Candle, ClosedCandles
from bubbybot_freqtrade.risk.equity import (
    Equity,
    UnknownMarkError,
    close_before,
    closed_today,
    looks_for_bias,
    open_trades,
)
from bubbybot_freqtrade.risk.levels import (
    average_true_range,
    forced_levels,
    long_levels,
    short_levels,
)
from bubbybot_freqtrade.risk.order_tag import with_levels
from bubbybot_freqtrade.risk.plan import (
    LeverageTier,
    MarketLimits,
    Refusal,
    Signal,
    TradePlan,
    fit,
    floor_to,
    measure,
    plan,
)
from bubbybot_freqtrade.risk.r import r_at
from bubbybot_freqtrade.settings import BubbyBotSettings
from bubbybot_freqtrade.signals import plots
from bubbybot_freqtrade.signals.confluence import SIDES, Side, regime, scores, tags
from bubbybot_freqtrade.signals.context import (
    CONTEXT_COLUMNS,
    CONTEXT_TIMEFRAMES,
    analyze,
    stored_four_hours,
    warn_of_short_history,
    with_context,
)
from bubbybot_freqtrade.strategy import messages
from bubbybot_freqtrade.strategy.overrides import refuse_overrides
from bubbybot_freqtrade.strategy.watch import (
    AccountMessages,
    CandleWatch,
    PatternCalendar,
    PriceWatch,
)

logger = logging.getLogger(__name__)

Flags = npt.NDArray[np.bool_]
P = ParamSpec("P")
R = TypeVar("R")

PLAN = "plan"
"""Key of the plan in the trade's custom data."""

# Hyperoptable parameter -> the block of the settings that has it too.
PARAMETERS = {
    "min_confidence": "confluence",
    "conflict": "confluence",
    "agreement": "confluence",
    "stop_atr_margin": "risk",
    "min_reward_risk": "risk",
    "break_even_at": "exits",
    "trail_from": "exits",
}
DAILY_LOSS_LOCK = "BubbyBot: daily loss limit"
TAKER_FEE = 0.0006
# A forced market order with a price fills at the market's; so far apart the plan still holds.
FORCED_RATE_GAP = 0.002
WATCH_INTERVAL = timedelta(minutes=1)


def closed_on_error(refusal: R) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Answer `refusal` when the callback fails: freqtrade itself would go on and trade."""

    def decorate(callback: Callable[P, R]) -> Callable[P, R]:
        @wraps(callback)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return callback(*args, **kwargs)
            except Exception:
                logger.exception("BubbyBot refuses an entry: %s failed.", callback.__name__)
                return refusal

        return guarded

    return decorate


def reads_only(callback: Callable[P, R]) -> Callable[P, R]:
    """Spare freqtrade the copy of the trade and all its orders that it makes for each call.

    It makes the copy so that a strategy cannot change a trade by accident, and not for callbacks
    that a strategy has left as they are; it tells the two apart by this name. On the callbacks of
    every open trade and candle the copies take most of a backtest's time.
    """
    callback.__qualname__ = f"IStrategy.{callback.__name__}"
    return callback


class BubbyBotStrategy(IStrategy):
    """Market Cipher, Lux Algo and Frankie Candles; long and short on USDT-M perpetuals."""

    INTERFACE_VERSION = 3
    timeframe = "15m"
    can_short = True
    process_only_new_candles = True
    startup_candle_count = 1000
    # An entry belongs to the open of the next candle; a slot that frees up later is no signal.
    ignore_buying_expired_candle_after = 180

    # Half of the margin, at most 2.5 % of equity: what protects an entry that has no plan.
    stoploss = -0.5
    use_custom_stoploss = True
    use_custom_roi = True
    minimal_roi: dict[str, float] = {}  # noqa: RUF012 - freqtrade's own interface
    use_exit_signal = True
    ignore_roi_if_entry_signal = False
    position_adjustment_enable = False

    order_types = {  # noqa: RUF012 - freqtrade's own interface
        "entry": "market",
        "exit": "market",
        "emergency_exit": "market",
        "force_entry": "market",
        "force_exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": True,
        "stoploss_on_exchange_interval": 60,
    }

    min_confidence = DecimalParameter(0.70, 0.90, default=0.70, decimals=2, space="buy")
    conflict = DecimalParameter(0.2, 1.0, default=0.5, decimals=1, space="buy")
    agreement = DecimalParameter(0.2, 1.0, default=0.5, decimals=1, space="buy")
    stop_atr_margin = DecimalParameter(0.0, 2.0, default=0.5, decimals=1, space="buy")
    min_reward_risk = DecimalParameter(2.0, 4.0, default=2.0, decimals=1, space="buy")
    break_even_at = CategoricalParameter([0.0, 1.0, 1.5, 2.0], default=0.0, space="sell")
    trail_from = CategoricalParameter([0.0, 1.0, 1.5, 2.0, 3.0], default=1.0, space="sell")

    plot_config = plots.plot_config()

    settings: BubbyBotSettings

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.settings = BubbyBotSettings.from_config(config)
        self._apply_settings()
        self._pending: dict[str, TradePlan] = {}
        self.plans: dict[tuple[int, datetime], TradePlan] = {}
        self._planless: set[int] = set()
        self._funding: dict[str, tuple[datetime, float]] = {}
        self._contexts: dict[tuple[str, str], tuple[pd.DataFrame, pd.DataFrame]] = {}
        self.candles = ClosedCandles(self.settings.exits.volatility_shock)
        self._equity = Equity(config, lambda: self.wallets, self.candles, self._earlier_close)
        self._earlier_closes: dict[tuple[str, datetime], float] = {}
        self._halted = False
        self._harmless: tuple[Any, ...] | None = None
        self._target_ratios: dict[str, tuple[tuple[Any, ...], float]] = {}
        self._ledger = Ledger(self.settings.learning, read_prior(self.settings.learning.prior))
        self._closed_trades = ClosedTrades(self._plan_of, CANDLE)
        self._price_watch = PriceWatch(self.settings.messages)
        self._candle_watch = CandleWatch(self.settings.messages)
        self._account_messages = AccountMessages()
        self._pattern_calendar = PatternCalendar(self.settings.messages)
        self._watched_at: datetime | None = None

    def _apply_settings(self) -> None:
        """Take over the config's settings.

        Each strategy gets parameters of its own: freqtrade's are the class's, and one process can
        hold several strategies (backtests, hyperopt, comparisons).
        """
        self.order_types = self.order_types | {"entry": self.settings.entry_order}
        for name in PARAMETERS:
            setattr(self, name, copy(getattr(type(self), name)))
        self._apply_explicit()

    def _apply_explicit(self) -> None:
        """What the config says itself wins over parameter files and defaults."""
        for name, section in PARAMETERS.items():
            block = getattr(self.settings, section)
            if name in block.model_fields_set:
                getattr(self, name).value = getattr(block, name) or 0.0

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Start, unless the rules could not be kept.

        :raises ConfigurationError: one line that names what takes a rule away.
        """
        refuse_overrides(self, self.config)
        if self.config.get("runmode") == RunMode.LIVE and not self._brackets_are_sent():
            raise ConfigurationError(
                f"exchange.name = {self.dp._exchange.name!r}: BubbyBot trades for real only on "
                "BloFin through its own extension, where every entry carries its stop. This "
                "freqtrade has put another exchange class in its place."
            )
        super().ft_bot_start(**kwargs)

    def _brackets_are_sent(self) -> bool:
        return hasattr(self.dp._exchange, "standing_bracket")

    def ft_load_hyper_params(self, hyperopt: bool = False) -> None:
        """Load the parameter file, and hold it to the rules like the config.

        :raises ConfigurationError: one line that names the first value outside its rule.
        """
        super().ft_load_hyper_params(hyperopt)
        if not hyperopt:
            self._apply_explicit()
        block = self.settings.model_dump()
        for name, section in PARAMETERS.items():
            value = getattr(self, name).value
            # 0 switches an exit off, which the config spells null.
            block[section][name] = (value or None) if section == "exits" else value
        BubbyBotSettings.from_config({"bubbybot": block})

    # --- candles in, signals out ------------------------------------------------------------------

    def informative_pairs(self) -> list[tuple[str, str]]:
        """1h and 4h candles of every pair."""
        return [
            (pair, timeframe)
            for pair in self.dp.current_whitelist()
            for timeframe in CONTEXT_TIMEFRAMES
        ]

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """The three analyzers on 15m, and what confluence and levels need of 1h and 4h."""
        pair = metadata["pair"]
        contexts = {name: self._context_candles(pair, name) for name in CONTEXT_TIMEFRAMES}
        return self._analyzed(dataframe, pair, contexts)

    def _analyzed(
        self, dataframe: pd.DataFrame, pair: str, contexts: Mapping[str, pd.DataFrame]
    ) -> pd.DataFrame:
        """What `populate_indicators` adds, with the context's candles by timeframe."""
        dataframe = analyze(dataframe)
        for timeframe, context in contexts.items():
            if context.empty:
                continue
            if not self._trades_for_real():
                warn_of_short_history(
                    dataframe, context, pair, timeframe, self.startup_candle_count
                )
            analyzed = self._analyzed_context(context, pair, timeframe)
            dataframe = with_context(dataframe, analyzed, self.timeframe, timeframe)
        # A copy joins the pieces that merging has left; every later column would pay for them.
        dataframe = dataframe.copy()
        dataframe["plan_atr"] = average_true_range(dataframe)
        dataframe["regime"] = regime(dataframe)
        # Here, not with the entries: freqtrade exports signal candles as they are now.
        return self._add_plans(dataframe, pair)

    def _analyzed_context(self, candles: pd.DataFrame, pair: str, timeframe: str) -> pd.DataFrame:
        """What is needed of the context; live it is kept until one of its candles is another."""
        kept = self._contexts.get((pair, timeframe))
        if kept is not None and kept[0].equals(candles):
            return kept[1]
        analyzed = analyze(candles)[list(CONTEXT_COLUMNS)]
        if self._trades_for_real():
            self._contexts[pair, timeframe] = candles, analyzed
        return analyzed

    def _context_candles(self, pair: str, timeframe: str) -> pd.DataFrame:
        candles = self.dp.get_pair_dataframe(pair, timeframe)
        if candles.empty and timeframe == "4h" and not self._trades_for_real():
            # Data folders often hold no 4h candles; they are four of the 1h ones.
            candles = stored_four_hours(self.config, pair, self.startup_candle_count)
        return candles

    def _add_plans(self, dataframe: pd.DataFrame, pair: str) -> pd.DataFrame:
        """Score, stop and target of both sides on every candle."""
        confluence = self.settings.confluence.model_copy(
            update={"conflict": self.conflict.value, "agreement": self.agreement.value}
        )
        atr, fee, risk = dataframe["plan_atr"].to_numpy(), self._fee(pair), self._risk()
        made = {
            "long": long_levels(dataframe, atr, fee, risk),
            "short": short_levels(dataframe, atr, fee, risk),
        }
        for side, score in zip(SIDES, scores(dataframe, confluence), strict=True):
            dataframe[f"{side}_confluence"] = score
            dataframe[f"plan_{side}_stop"] = made[side].stop
            dataframe[f"plan_{side}_target"] = made[side].target
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Entries where score, regime and levels agree, with a tag of what they stand on."""
        if self.config.get("runmode") == RunMode.HYPEROPT:
            # Indicators are made once for all epochs, plans depend on the epoch's parameters.
            dataframe = self._add_plans(dataframe, metadata["pair"])
        enter_tags = np.full(len(dataframe), None, dtype=object)
        for side, sign in zip(SIDES, (1, -1), strict=True):
            enter = self._entries(dataframe, side)
            if self.settings.confluence.regime_filter:
                enter &= dataframe["regime"].to_numpy() == sign
            rows = np.flatnonzero(enter)
            dataframe[f"enter_{side}"] = enter.astype(int)
            enter_tags[rows] = tags(dataframe, rows, side)
        dataframe["enter_tag"] = enter_tags
        self.candles.keep(metadata["pair"], dataframe)
        return dataframe

    def _entries(self, dataframe: pd.DataFrame, side: Side) -> Flags:
        """Where this side's score is enough, above the other's, and has stop and target."""
        score = {name: dataframe[f"{name}_confluence"].to_numpy() for name in SIDES}
        other = SIDES[1 - SIDES.index(side)]
        return (
            (score[side] >= self.min_confidence.value)
            & (score[side] > score[other])
            & dataframe[f"plan_{side}_target"].notna().to_numpy()
            & (dataframe["volume"].to_numpy() > 0)
            & ~dataframe["mc_yellow_cross"].to_numpy()
        )

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Exits are stop, target and `custom_exit`; there is no exit signal."""
        return dataframe

    def plot_annotations(
        self,
        pair: str,
        start_date: datetime,
        end_date: datetime,
        dataframe: pd.DataFrame,
        **kwargs: Any,
    ) -> list[Any]:
        """For FreqUI's chart: what the analyzers see, and the plan of each trade of the pair."""
        frame = dataframe
        if self._trades_for_real():
            # The chart may ask for a few candles; structure and levels come from all of them.
            frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
        drawn = plots.evidence(dataframe if frame.empty else frame)
        for trade in Trade.get_trades_proxy(pair=pair) if self._trades_for_real() else []:
            if made := self._plan_of(trade):
                ended = trade.close_date_utc or max(end_date, trade.open_date_utc)
                label = f"#{trade.id} {made.side}"
                drawn += plots.planned(
                    trade.open_rate, made.stop, made.target, trade.open_date_utc, ended, label
                )
        return plots.within(drawn, start_date, end_date)

    # --- the plan ---------------------------------------------------------------------------------

    @closed_on_error(1.0)
    def leverage(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_leverage: float,
        max_leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """The plan's leverage; 1 when there is no plan, which the next callback refuses."""
        made = self._plan(pair, _side(side), current_rate, current_time, entry_tag)
        return float(made.leverage) if isinstance(made, TradePlan) else 1.0

    @closed_on_error(0.0)
    def custom_stake_amount(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_stake: float,
        min_stake: float | None,
        max_stake: float,
        leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """The plan's margin at the leverage that freqtrade settled on; 0 for no trade."""
        self._pending.pop(pair, None)
        made = self._plan(pair, _side(side), current_rate, current_time, entry_tag, leverage)
        if isinstance(made, Refusal):
            self._refuse(made, pair, entry_tag)
            return 0.0
        self._pending[pair] = made
        # freqtrade divides and multiplies this back into whole contracts, rounding down.
        return min(made.margin * (1 + 1e-12), max_stake)

    @closed_on_error(False)
    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """Plan again with the order's own rate and amount; offer the bracket, or refuse."""
        planned = self._pending.pop(pair, None)
        made = self._replan(planned, rate, amount)
        if isinstance(made, TradePlan):
            made = self._within_the_account(made, current_time)
        if isinstance(made, TradePlan) and order_type == "market":
            made = self._at_the_market(made, rate, entry_tag)
        if isinstance(made, Refusal):
            self._refuse(made, pair, entry_tag)
            return False
        self._pending[pair] = made
        offer_bracket(pair, made.side, Bracket(stop=made.stop, target=made.target))
        self._say(f"Plan: {made.why}.")
        return True

    def order_filled(
        self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any
    ) -> None:
        """Keep the plan with the trade, so that a restart knows it."""
        if order.ft_order_side != trade.entry_side or trade.nr_of_successful_entries > 1:
            return
        if pair not in self._pending and self._plan_of(trade) is not None:
            # freqtrade comes again with a filled entry: /reload_trade, a fee that arrives late.
            return
        # What the pair's last trade was seen at says nothing of this one.
        self._equity.marks.pop(pair, None)
        self._keep_plan(trade, self._pending.pop(pair, None))
        if self.config.get("runmode") == RunMode.BACKTEST and (made := self._plan_of(trade)):
            order.ft_order_tag = with_levels(order.ft_order_tag or "", made)

    def _keep_plan(self, trade: Trade, planned: TradePlan | None) -> None:
        made = planned or self._plan_found_again(trade)
        if made is None:
            self._planless.add(trade.id)
            told = messages.no_plan(trade.pair, trade.trade_direction, trade.stop_loss)
            self._say(told, notify=True)
            return
        self.plans[_key(trade)] = made
        trade.set_custom_data(PLAN, made.to_dict())
        if self._trades_for_real():
            told = messages.plan_told(made, trade.open_rate, found_again=planned is None)
            self._say(told, notify=True)

    def _plan(
        self,
        pair: str,
        side: Side,
        rate: float,
        now: datetime,
        entry_tag: str | None,
        leverage: float | None = None,
    ) -> TradePlan | Refusal:
        # First what costs nothing: while a trade is open, most signals end here.
        if refusal := self._refuse_side(pair, side):
            return refusal
        signal = self._signal(pair, side)
        if signal is None:
            return Refusal(f"{pair}: no analyzed candle")
        if not self._is_forced(pair, entry_tag):
            weighed = self._weighed(signal, now)
            if isinstance(weighed, Refusal):
                return weighed
            return self._plan_at(weighed, rate, now, leverage)
        # A person answers for the idea; every rule of the trade itself stays.
        confidence = float(np.nan_to_num(signal.confidence))
        forced = replace(signal, confidence=confidence, tag=entry_tag or "")
        made = self._plan_at(forced, rate, now, leverage, is_forced=True)
        if isinstance(made, Refusal):
            frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
            atr = float(frame["plan_atr"].iat[-1])
            stop, target = forced_levels(side, rate, atr, self._fee(pair), self._risk())
            forced = replace(forced, stop=stop, target=target)
            made = self._plan_at(forced, rate, now, leverage, is_forced=True)
        return made

    def _weighed(self, signal: Signal, now: datetime) -> Signal | Refusal:
        """The signal by what past trades say of it, where the settings ask for that."""
        if not self.settings.learning.is_used or looks_for_bias(self.config):
            return signal
        return self._ledger.weigh(self._closed_trades.history(), signal, now)

    def _plan_at(
        self,
        signal: Signal,
        rate: float,
        now: datetime,
        leverage: float | None,
        *,
        is_forced: bool = False,
    ) -> TradePlan | Refusal:
        least = self.min_confidence.value
        return plan(
            signal,
            rate,
            self._equity.for_plans(now),
            self._market(signal.pair),
            self._risk(),
            min_confidence=min(least, signal.confidence) if is_forced else least,
            leverage=None if leverage is None else int(leverage),
        )

    def _is_forced(self, pair: str, entry_tag: str | None) -> bool:
        """Whether the entry comes from a person: its tag is not the latest candle's."""
        if not entry_tag or not self._trades_for_real():
            return False
        frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
        return frame.empty or entry_tag != frame["enter_tag"].iat[-1]

    def _at_the_market(
        self, made: TradePlan, rate: float, entry_tag: str | None
    ) -> TradePlan | Refusal:
        """Refuse a forced market order whose given price is not the market's."""
        if not self._is_forced(made.pair, entry_tag):
            return made
        now = self.dp._exchange.get_rate(
            made.pair, refresh=True, side="entry", is_short=made.side == "short"
        )
        if abs(now / rate - 1) <= FORCED_RATE_GAP:
            return made
        return Refusal(
            f"{made.pair}: a market order fills at about {now:g}, the plan was asked for "
            f"{rate:g}; leave the price out, or ask for a limit order"
        )

    def _replan(self, planned: TradePlan | None, rate: float, amount: float) -> TradePlan | Refusal:
        if planned is None:
            return Refusal("the entry has no plan")
        market = self._market(planned.pair)
        risk = self._risk()
        signal = Signal(
            planned.pair,
            planned.side,
            planned.stop,
            planned.target,
            planned.confidence,
            planned.tag,
            planned.regime,
            planned.trust,
        )
        again = plan(
            signal,
            rate,
            planned.equity,
            market,
            risk,
            # Already held against the least when it was planned, unless a person asked for it.
            min_confidence=min(self.min_confidence.value, planned.confidence),
            leverage=planned.leverage,
        )
        if isinstance(again, Refusal):
            return again
        size = floor_to(amount, market.size_step)
        return fit(signal, rate, size, planned.leverage, planned.equity, market, risk)

    def _plan_found_again(self, trade: Trade) -> TradePlan | None:
        """The plan of a trade whose own was lost by a restart.

        Its bracket is what stands on the venue; on paper, what its signal candle says. The position
        is there already, so it gets stop and target whatever the rules say of it.
        """
        signal = self._signal(trade.pair, trade.trade_direction, before=trade.open_date_utc)
        if bracket := self._standing_bracket(trade):
            known = signal is not None and np.isfinite(signal.confidence)
            signal = Signal(
                pair=trade.pair,
                side=trade.trade_direction,
                stop=bracket.stop,
                target=bracket.target or 0.0,
                # It was entered, so it had at least the least.
                confidence=signal.confidence if signal and known else self.min_confidence.value,
                tag=trade.enter_tag or "",
            )
        if signal is None or not trade.amount or not signal.stop > 0 or not signal.target > 0:
            return None
        leverage = int(trade.leverage or 1)
        market = self._market(trade.pair)
        equity = self._equity.for_plans(trade.open_date_utc)
        return measure(signal, trade.open_rate, trade.amount, leverage, equity, market)

    def _find_lost_plans(self) -> None:
        """Make plans for trades whose fill came when BloFin could not be asked, or a kill did."""
        for trade in Trade.get_trades_proxy(is_open=True):
            if trade.id in self._planless or not trade.nr_of_successful_entries:
                continue
            if self._plan_of(trade) is None:
                self._keep_plan(trade, None)

    def _standing_bracket(self, trade: Trade) -> Bracket | None:
        if self.config.get("runmode") != RunMode.LIVE:
            return None
        return self.dp._exchange.standing_bracket(trade.pair, trade.trade_direction)

    def _signal(self, pair: str, side: Side, before: datetime | None = None) -> Signal | None:
        """What the last closed candle (the last that closed `before`) says for this side."""
        frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
        row = len(frame) - 1
        if before is not None and not frame.empty:
            opened = before - CANDLE
            row = int(frame["date"].searchsorted(pd.Timestamp(opened), side="right")) - 1
        if row < 0:
            return None
        return Signal(
            pair=pair,
            side=side,
            stop=float(frame[f"plan_{side}_stop"].iat[row]),
            target=float(frame[f"plan_{side}_target"].iat[row]),
            confidence=float(frame[f"{side}_confluence"].iat[row]),
            tag=str(frame["enter_tag"].iat[row] or ""),
            regime=regime_of(frame, row, side),
        )

    def _plan_of(self, trade: Trade) -> TradePlan | None:
        key = _key(trade)
        if key not in self.plans:
            kept = trade.get_custom_data(PLAN)
            if kept is None:
                return None
            self.plans[key] = TradePlan.from_dict(kept)
        return self.plans[key]

    def _risk(self) -> Any:
        return self.settings.risk.model_copy(
            update={
                "stop_atr_margin": self.stop_atr_margin.value,
                "min_reward_risk": self.min_reward_risk.value,
            }
        )

    def _market(self, pair: str) -> MarketLimits:
        market = self.dp.market(pair)
        # The data provider has no accessor for tiers; freqtrade fills this one at start.
        tiers = self.dp._exchange._leverage_tiers.get(pair, [])
        if market is None or not tiers:
            raise ValueError(f"{pair}: market or leverage tiers are not known.")
        return MarketLimits.from_ccxt(
            market | {"taker": self._fee(pair)},
            [
                LeverageTier(
                    tier["maxNotional"] or float("inf"),
                    tier["maintenanceMarginRate"],
                    tier["maxLeverage"],
                )
                for tier in tiers
            ],
        )

    def _fee(self, pair: str) -> float:
        """The taker fee that trades will pay: the config's, else the market's."""
        if self.config.get("fee") is not None:
            return float(self.config["fee"])
        market = self.dp.market(pair) or {}
        return float(market.get("taker") or TAKER_FEE)

    # --- exits ------------------------------------------------------------------------------------

    @reads_only
    def custom_stoploss(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        after_fill: bool,
        **kwargs: Any,
    ) -> float | None:
        """The plan's stop, then break-even and structure trail; None where nothing gets tighter."""
        made = self._plan_of(trade)
        if made is None:
            return None
        sign = -1 if trade.is_short else 1
        if after_fill:
            stop = _stop_after_fill(trade, made, sign)
        else:
            stop = self._stop_now(trade, made, sign, current_time)
        if sign * (current_rate - stop) <= 0:
            # No stop can be put beyond the price; `custom_exit` leaves.
            return None
        tick = trade.price_precision or 0.0
        if not after_fill and sign * (stop - trade.stop_loss) < max(tick / 2, 1e-9 * stop):
            return None
        if not after_fill and self._trades_for_real():
            moved = messages.stop_moved(made, trade.stop_loss, stop, _r_at(stop, trade, made))
            self._say(moved, notify=True)
        # A hair looser: freqtrade rounds towards the price, and noise must not cost a tick.
        return stoploss_from_absolute(
            stop * (1 - sign * 1e-10), current_rate, trade.is_short, trade.leverage
        )

    def _stop_now(self, trade: Trade, made: TradePlan, sign: int, now: datetime) -> float:
        break_even, trail = self.break_even_at.value, self.trail_from.value
        if not break_even and not trail:
            return made.stop
        # Closed candles only: inside a candle a backtest knows the high before the low.
        candle = self._candle_since(trade, now)
        if candle is None:
            return made.stop
        reached = _r_at(candle.close, trade, made)
        stops = [made.stop]
        if break_even and reached >= break_even:
            stops.append(trade.open_rate * (1 + sign * 2 * self._fee(trade.pair)))
        if trail and reached >= trail:
            swing = candle.internal_low if sign > 0 else candle.internal_high
            stops.append(swing - sign * self.stop_atr_margin.value * candle.atr)
        behind = [stop for stop in stops if sign * (candle.close - stop) > 0]
        return max(behind, key=lambda stop: sign * stop, default=made.stop)

    def _candle_since(self, trade: Trade, now: datetime) -> Candle | None:
        """The last closed candle, if it was opened since the entry."""
        candle = self.candles.last(trade.pair, now)
        if candle is None or candle.opened < trade.open_date_utc.timestamp():
            return None
        return candle

    @reads_only
    def custom_roi(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        trade_duration: int,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float | None:
        """The target as a profit ratio. None live: there the venue's own order takes it."""
        if self.config.get("runmode") == RunMode.LIVE:
            return None
        made = self._plan_of(trade)
        if made is None:
            return None
        # The ratio of the same price changes with funding alone.
        state = (made.target, trade.open_rate, trade.amount, trade.funding_fees)
        known, ratio = self._target_ratios.get(pair, ((), 0.0))
        if known != state:
            ratio = trade.calc_profit_ratio(made.target)
            self._target_ratios[pair] = (state, ratio)
        return ratio

    @reads_only
    def custom_exit(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        **kwargs: Any,
    ) -> str | None:
        """Leave before stop and target only where waiting for them is the greater danger."""
        # A backtest comes by each pair once a candle: its rate may be a candle old for the others.
        if self._trades_for_real():
            self._equity.marks[pair] = current_rate
        reason = self._critical(pair, trade, current_time, current_rate)
        if reason is not None and self._trades_for_real():
            side = trade.trade_direction
            self._say(messages.critical_exit(pair, side, reason, current_rate), notify=True)
        return reason

    def _critical(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float
    ) -> str | None:
        exits = self.settings.exits
        if self._halted and self.settings.risk.flatten_on_daily_loss:
            return "daily_loss_limit"
        if self._liquidation_is_near(trade, current_rate):
            return "liquidation_near"
        if exits.max_hours and current_time - trade.open_date_utc >= timedelta(
            hours=exits.max_hours
        ):
            return "too_old"
        if self._volatility_shock(trade, current_time):
            return "volatility_shock"
        # A backtest's candle opens where the last one closed, so no stop is passed in between.
        if not self._trades_for_real():
            return None
        if self._stop_is_passed(trade, current_time, current_rate):
            return "stop_passed"
        if self._delisting_is_near(pair, current_time):
            return "delisting"
        if self._funding_is_extreme(trade, current_time):
            return "funding_extreme"
        return None

    def _liquidation_is_near(self, trade: Trade, rate: float) -> bool:
        if not trade.liquidation_price:
            return False
        way = abs(trade.open_rate - trade.liquidation_price)
        left = (rate - trade.liquidation_price) * (-1 if trade.is_short else 1)
        return left < self.settings.exits.liquidation_near * way

    def _stop_is_passed(self, trade: Trade, now: datetime, rate: float) -> bool:
        """The stop should stand where the price is no longer: it fell before the stop moved."""
        made = self._plan_of(trade)
        if made is None:
            return False
        sign = -1 if trade.is_short else 1
        stop = self._stop_now(trade, made, sign, now)
        # Behind the trade's own stop it is that one's business.
        return sign * trade.stop_loss < sign * rate <= sign * stop

    def _volatility_shock(self, trade: Trade, now: datetime) -> bool:
        """The last closed candle, opened since the entry, is a shock against the trade."""
        candle = self._candle_since(trade, now)
        if candle is None:
            return False
        return candle.shock > 0 if trade.is_short else candle.shock < 0

    def _delisting_is_near(self, pair: str, now: datetime) -> bool:
        ends = self.dp.check_delisting(pair)
        return ends is not None and ends - now < timedelta(
            hours=self.settings.exits.delisting_hours
        )

    def _funding_is_extreme(self, trade: Trade, now: datetime) -> bool:
        """Longs pay a positive rate, shorts a negative one. Asked once in half an hour."""
        asked, rate = self._funding.get(trade.pair, (datetime.min.replace(tzinfo=now.tzinfo), 0.0))
        if now - asked > timedelta(minutes=30):
            rate = float(self.dp.funding_rate(trade.pair).get("fundingRate") or 0.0)
            self._funding[trade.pair] = (now, rate)
        return (-rate if trade.is_short else rate) >= self.settings.exits.extreme_funding

    def _trades_for_real(self) -> bool:
        return self.config.get("runmode") in (RunMode.LIVE, RunMode.DRY_RUN)

    # --- the day ----------------------------------------------------------------------------------

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """At the day's loss limit: lock every pair. Then tell what the operator should know."""
        if not looks_for_bias(self.config):
            self._stop_at_the_daily_loss(current_time)
        if self._trades_for_real():
            self._watch(current_time)

    def _stop_at_the_daily_loss(self, current_time: datetime) -> None:
        self._halted = False
        opened = open_trades()
        state = self._account_state(opened, current_time)
        if state is not None and state == self._harmless:
            return
        if not opened and not closed_today(current_time):
            self._harmless = state
            return
        try:
            day = self._equity.day(current_time)
        except UnknownMarkError as error:
            # Entries are refused until it is known; what is open keeps its stops.
            logger.warning("The day's loss is not known: %s is missing.", error)
            return
        self._halted = day.limit_reached(self.settings.risk.daily_loss)
        if day.room(self.settings.risk.daily_loss) > 0:
            self._harmless = state
        if self._halted and not _day_is_over(current_time):
            # freqtrade rounds the end up to the next candle: just before midnight is midnight.
            self.lock_pair("*", next_day(current_time) - timedelta(seconds=1), DAILY_LOSS_LOCK)
            told = messages.day_over(
                day.loss_share,
                self.settings.risk.daily_loss,
                next_day(current_time),
                closes_trades=self.settings.risk.flatten_on_daily_loss,
            )
            self._say(told, notify=True)

    def _earlier_close(self, pair: str, moment: datetime) -> float | None:
        """Asked of the exchange, once: before the first analysis, or of a pair no longer listed."""
        if not self._trades_for_real():
            return None
        if (pair, moment) not in self._earlier_closes:
            candle_type = self.config["candle_type_def"]
            try:
                close = close_before(self.dp._exchange, pair, moment, candle_type)
            except FreqtradeException as error:
                logger.warning("No candles of %s before %s: %s", pair, moment, error)
                return None
            if close is None:
                return None
            self._earlier_closes[pair, moment] = close
        return self._earlier_closes[pair, moment]

    def _account_state(self, opened: list[LocalTrade], now: datetime) -> tuple[Any, ...] | None:
        """What can change a day that not even all stops would bring to its limit.

        None where the market is real: there a price can go through a stop.
        """
        if self._trades_for_real():
            return None
        stops = [(trade.id, trade.stop_loss) for trade in opened]
        return day_start(now), len(LocalTrade.bt_trades), stops

    def _watch(self, now: datetime) -> None:
        """Fast prices, old candles and the account's findings, at most once a minute."""
        if self._watched_at is not None and now - self._watched_at < WATCH_INTERVAL:
            return
        self._watched_at = now
        news = self._account_messages.look(self._account_findings())
        news += self._candle_watch.look(now, self._candles_closed())
        news += self._price_watch.look(now, self._prices())
        if self._pattern_calendar.is_due(now):
            news += self._patterns_told(now)
        for message in news:
            self._say(message, notify=True)
        self._find_lost_plans()

    def _patterns_told(self, now: datetime) -> list[str]:
        """What past trades say of the patterns; nothing while there are none."""
        found = pattern_rows(self._ledger, self._closed_trades.history(), now)
        return [messages.patterns_told(found)] if found else []

    def _account_findings(self) -> list[str]:
        """What the extension found wrong with the account, the database or the clock."""
        watch = getattr(self.dp._exchange, "account_watch", None)
        return [] if watch is None else watch.news()

    def _candles_closed(self) -> dict[str, datetime]:
        """When the newest analyzed candle of each pair closed."""
        closed = {}
        for pair in self.dp.current_whitelist():
            frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
            if not frame.empty:
                closed[pair] = frame["date"].iat[-1].to_pydatetime() + CANDLE
        return closed

    def _prices(self) -> dict[str, float]:
        """Last prices of all pairs: one request. Empty when nobody wants them or none come."""
        settings = self.settings.messages
        if not settings.price_move and not settings.price_moves:
            return {}
        try:
            tickers = self.dp._exchange.get_tickers()
        except FreqtradeException as error:
            logger.warning("No tickers for the price watch: %s", error)
            return {}
        pairs = self.dp.current_whitelist()
        return {pair: float(tickers[pair]["last"] or 0) for pair in pairs if pair in tickers}

    def _refuse_side(self, pair: str, side: Side) -> Refusal | None:
        most = self.settings.risk.max_same_side
        opened = open_trades()
        if (
            looks_for_bias(self.config)
            or sum(trade.trade_direction == side for trade in opened) < most
        ):
            return None
        return Refusal(f"{pair}: {most} {side} trades are open already")

    def _within_the_account(self, made: TradePlan, now: datetime) -> TradePlan | Refusal:
        if looks_for_bias(self.config):
            return made
        if refusal := self._refuse_side(made.pair, made.side):
            return refusal
        if _day_is_over(now):
            return Refusal(
                f"{made.pair}: the day's loss limit was reached, trading is over for today"
            )
        try:
            day = self._equity.day(now)
        except UnknownMarkError as error:
            return Refusal(f"{made.pair}: the day's loss is not known, {error} is missing")
        limit = self.settings.risk.daily_loss
        if day.limit_reached(limit):
            return Refusal(f"{made.pair}: the day has lost {day.loss_share:.2%}")
        if made.risk > day.room(limit):
            return Refusal(
                f"{made.pair}: {made.risk:.2f} at risk, the day has room for {day.room(limit):.2f}"
            )
        return made

    def _refuse(self, refusal: Refusal, pair: str, entry_tag: str | None) -> None:
        """Log why there is no trade; a person who asked for it is told."""
        self._say(messages.refused(refusal.reason), notify=self._is_forced(pair, entry_tag))

    def _say(self, message: str, *, notify: bool = False) -> None:
        """Log, and tell the operator where it matters; a backtest stays quiet."""
        if not self._trades_for_real():
            logger.debug(message)
            return
        logger.info(message)
        if notify:
            self.dp.send_msg(message)


def _day_is_over(now: datetime) -> bool:
    """Whether the day's loss limit has locked all pairs; other locks may stand beside it."""
    locks = PairLocks.get_pair_locks("*", now)
    return any(lock.reason == DAILY_LOSS_LOCK for lock in locks)


def _stop_after_fill(trade: LocalTrade, made: TradePlan, sign: int) -> float:
    """The plan's stop after the entry; after any later fill never a looser one than now.

    freqtrade lets a stop loosen after each fill, a partial exit's too. Until the entry has filled
    the trade's stop is still the one it was opened with.
    """
    if trade.stop_loss == trade.initial_stop_loss:
        return made.stop
    return max(made.stop, trade.stop_loss, key=lambda stop: sign * stop)


def _r_at(rate: float, trade: LocalTrade, made: TradePlan) -> float:
    """What the trade comes to in R if it is left at `rate`, with the funding so far."""
    funding = (trade.funding_fees or 0.0) / trade.amount if trade.amount else 0.0
    return r_at(rate, trade.open_rate, made.stop, trade.fee_open or 0.0, funding)


def _side(side: str) -> Side:
    return SIDES[0] if side == "long" else SIDES[1]


def _key(trade: LocalTrade) -> tuple[int, datetime]:
    return trade.id, trade.open_date_utc
