"""The strategy: freqtrade's callbacks, each a few lines that call the modules beside it.

Everything a plan needs stands in columns of the signal candle, so backtest, dry-run and live see
the same numbers. Live, the venue holds stop and target; `custom_roi` gives the target only where no
venue does (backtest, hyperopt, dry-run).
"""

from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd
from freqtrade.exceptions import ConfigurationError
from freqtrade.persistence import Order, Trade
from freqtrade.strategy import CategoricalParameter, DecimalParameter, IStrategy
from freqtrade.util import dt_now

from bubbybot_freqtrade.learning.ledger import Ledger
from bubbybot_freqtrade.learning.trades import ClosedTrades, read_prior
from bubbybot_freqtrade.risk.closed_candles import CANDLE
from bubbybot_freqtrade.risk.equity import Equity
from bubbybot_freqtrade.seams.start import refuse_unknown
from bubbybot_freqtrade.settings import BubbyBotSettings
from bubbybot_freqtrade.signals import plots
from bubbybot_freqtrade.signals.context import CONTEXT_TIMEFRAMES
from bubbybot_freqtrade.signals.trend import Side
from bubbybot_freqtrade.strategy import (
    alarms,
    analysis,
    charts,
    closes,
    day,
    ended,
    entries,
    exits,
    market,
    parameters,
    plans,
    watch,
)
from bubbybot_freqtrade.strategy.analysis import Flags
from bubbybot_freqtrade.strategy.entries import closed_on_error
from bubbybot_freqtrade.strategy.freqtrade_seams import reads_only
from bubbybot_freqtrade.strategy.memory import Memory
from bubbybot_freqtrade.strategy.overrides import refuse_overrides
from bubbybot_freqtrade.strategy.run_modes import is_hyperopt, is_live, is_running


class BubbyBotStrategy(IStrategy):
    """Market Cipher, Lux Algo and Frankie Candles; long and short on USDT-M perpetuals."""

    INTERFACE_VERSION = 3
    timeframe = "15m"
    can_short = True
    process_only_new_candles = True
    # One request at BloFin, whose 1,440th candle is still open. Wilder's average of 200 candles
    # wants more than 1,000 (docs/analyzers/lux-algo.md).
    startup_candle_count = 1439
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
    ribbon_room = DecimalParameter(2.0, 10.0, default=4.5, decimals=1, space="buy")
    structure_room = DecimalParameter(4.0, 20.0, default=9.0, decimals=1, space="buy")
    value_room = DecimalParameter(3.0, 16.0, default=7.0, decimals=1, space="buy")
    stop_atrs = DecimalParameter(3.0, 7.0, default=5.0, decimals=1, space="buy")
    reward_risk = DecimalParameter(2.0, 6.0, default=3.0, decimals=1, space="buy")
    break_even_at = CategoricalParameter([0.0, 1.0, 1.5, 2.0], default=0.0, space="sell")
    trail_from = CategoricalParameter([0.0, 1.0, 1.5, 2.0, 3.0], default=0.0, space="sell")

    plot_config = plots.plot_config()

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.settings = BubbyBotSettings.from_config(config)
        self.plot_config = plots.plot_config(self.settings.chart_panels)
        self.order_types = self.order_types | {"entry": self.settings.entry_order}
        parameters.give_own_parameters(self)
        parameters.apply_explicit(self)
        self.memory = Memory.empty(self.settings)
        self.equity = Equity(
            config,
            lambda: self.wallets,
            self.memory.candles,
            partial(market.earlier_close, self),
        )
        self.ledger = Ledger(self.settings.learning, read_prior(self.settings.learning.prior))
        self.closed_trades = ClosedTrades(partial(plans.plan_of, self), CANDLE)

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Start, unless the rules could not be kept.

        :raises OperationalException: one line that names what takes a rule away, or how this
            freqtrade differs from those that the bot was tested with.
        """
        refuse_unknown()
        refuse_overrides(self, self.config)
        if is_live(self.config) and not market.sends_brackets(self):
            raise ConfigurationError(
                f"exchange.name = {self.config['exchange']['name']!r}: BubbyBot trades for real "
                "only on BloFin through its own extension, where every entry carries its stop. "
                "This freqtrade has put another exchange class in its place."
            )
        super().ft_bot_start(**kwargs)

    def ft_load_hyper_params(self, hyperopt: bool = False) -> None:
        """Load the parameter file, and hold it to the rules like the config.

        :raises ConfigurationError: one line that names the first value outside its rule.
        """
        super().ft_load_hyper_params(hyperopt)
        if not hyperopt:
            parameters.apply_explicit(self)
        parameters.refuse_loose(self)

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """At the day's loss limit: lock every pair. Then tell what the operator should know."""
        moving = is_running(self.config) and alarms.are_moving(self)
        today = day.stop_at_the_limit(self, current_time)
        if is_running(self.config):
            if self.memory.watches.are_due(current_time, moving=moving):
                watch.tell_news(self, current_time)
            plans.find_lost(self)
            ended.tell_of_others(self, current_time)
            alarms.set_alarms(self, current_time, today)

    # --- candles in, signals out ------------------------------------------------------------------

    def analyze(self, pairs: list[str]) -> None:
        """Analyze all pairs with candles that have not been; of hundreds the first take minutes."""
        super().analyze([pair for pair in pairs if market.is_unread(self, pair)])
        closes.tell_close(self, pairs, dt_now())

    def get_latest_candle(
        self, pair: str, timeframe: str, dataframe: pd.DataFrame
    ) -> tuple[Any, datetime | None]:
        """The candle that signals are read of; none, without a warning, while none has come."""
        if dataframe.empty and market.awaits_candles(self, pair):
            return None, None
        return super().get_latest_candle(pair, timeframe, dataframe)

    def informative_pairs(self) -> list[tuple[str, str]]:
        """1h and 4h candles of every pair."""
        pairs = self.dp.current_whitelist()
        return [(pair, timeframe) for pair in pairs for timeframe in CONTEXT_TIMEFRAMES]

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """The three analyzers on 15m, and what confluence and levels need of 1h and 4h."""
        return analysis.with_signals(self, dataframe, metadata["pair"])

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Entries where the score is enough, with a tag of the analyzers that they stand on."""
        if is_hyperopt(self.config):
            dataframe = analysis.with_plans(self, dataframe, metadata["pair"])
        dataframe = analysis.with_entries(self, dataframe)
        candles = self.memory.candles
        candles.keep(metadata["pair"], dataframe, apart=not is_running(self.config))
        return dataframe

    def entry_candles(self, dataframe: pd.DataFrame, side: Side) -> Flags:
        """The candles that may enter on this side; ours, for strategies that know better."""
        return analysis.entry_candles(dataframe, side, self.min_confidence.value)

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
        return charts.drawn_between(self, pair, start_date, end_date, dataframe)

    # --- entries ----------------------------------------------------------------------------------

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
        return entries.leverage(self, pair, side, current_rate, current_time, entry_tag)

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
        return entries.stake(
            self, pair, side, current_rate, current_time, entry_tag, leverage, max_stake
        )

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
        return entries.confirm(self, pair, order_type, amount, rate, current_time, entry_tag)

    def order_filled(
        self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any
    ) -> None:
        """Keep the plan with the trade, so that a restart knows it; tell what it came to."""
        plans.keep_with_the_trade(self, trade, order)
        ended.tell_result(self, trade)

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
        return exits.stoploss(self, trade, current_time, current_rate, after_fill=after_fill)

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
        return exits.target_ratio(self, pair, trade)

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
        return exits.critical_exit(self, pair, trade, current_time, current_rate)
