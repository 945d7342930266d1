"""BloFin exchange subclass"""

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from freqtrade.constants import BuySell, Config
from freqtrade.enums import (
    OPTIMIZE_MODES,
    TRADE_MODES,
    MarginMode,
    TradingMode,
)
from freqtrade.exceptions import InvalidOrderException
from freqtrade.exchange.common import retrier
from freqtrade.exchange.exchange_types import (
    CcxtOrder,
    CcxtPosition,
    FtHas,
)

from bubbybot_freqtrade.blofin.bracket import Bracket, TradeSide
from bubbybot_freqtrade.blofin.exchange.amounts import ExactAmounts
from bubbybot_freqtrade.blofin.exchange.balances import BelievedBalances
from bubbybot_freqtrade.blofin.exchange.candles import CandlesInSlices
from bubbybot_freqtrade.blofin.exchange.copies import Copied
from bubbybot_freqtrade.blofin.exchange.delisting import delisting_time
from bubbybot_freqtrade.blofin.exchange.errors import freqtrade_errors
from bubbybot_freqtrade.blofin.exchange.facts import FACTS, FACTS_OF_FUTURES, TRADING_MODES
from bubbybot_freqtrade.blofin.exchange.liquidation import LiquidationPrices, buffered
from bubbybot_freqtrade.blofin.exchange.prices import SharedPrices
from bubbybot_freqtrade.blofin.exchange.real_time import AccountInRealTime, RealTime
from bubbybot_freqtrade.blofin.exchange.settings import check_settings
from bubbybot_freqtrade.blofin.exchange.tiers import TiersInLoops
from bubbybot_freqtrade.blofin.exchange.wallet import WalletOfTheMoment
from bubbybot_freqtrade.seams.start import refuse_unknown

if TYPE_CHECKING:
    from bubbybot_freqtrade.blofin.account.key import ApiKey
    from bubbybot_freqtrade.blofin.account.watch import AccountWatch

logger = logging.getLogger(__name__)


class Blofin(
    BelievedBalances,
    CandlesInSlices,
    TiersInLoops,
    LiquidationPrices,
    ExactAmounts,
    SharedPrices,
    WalletOfTheMoment,
    AccountInRealTime,
    Copied,
):
    """BloFin exchange class.

    USDT-M perpetuals. Contains adjustments needed for Freqtrade to work with this exchange, and
    the rule that nothing is sent to the venue without a stop: an entry carries its stop (and
    target) in the same request, and the stop stands until its position is gone.
    """

    _ft_has: FtHas = FACTS
    _ft_has_futures: FtHas = FACTS_OF_FUTURES
    _supported_trading_mode_margin_pairs: list[tuple[TradingMode, MarginMode]] = TRADING_MODES

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Refuse a freqtrade that is not as it was, before there is anything to close again."""
        refuse_unknown()
        return super().__new__(cls)

    def __init__(self, config: Config, **kwargs: Any) -> None:
        # Not at module level: freqtrade.persistence imports freqtrade.exchange.
        from bubbybot_freqtrade.blofin.exchange.brackets import Brackets
        from bubbybot_freqtrade.blofin.exchange.gone_markets import GoneMarkets
        from bubbybot_freqtrade.blofin.exchange.orders import Orders
        from bubbybot_freqtrade.blofin.exchange.requests import Requests
        from bubbybot_freqtrade.blofin.exchange.stops import Stops
        from bubbybot_freqtrade.blofin.exchange.trades_rows import RowsOfTrades

        self.real_time = RealTime(self)
        self.requests = Requests(self, self.real_time.quiet)
        self._brackets = Brackets(self.requests)
        self.orders = Orders(self, self.requests, self._brackets)
        self.stops = Stops(self, self.requests, self.orders, self._brackets)
        self._gone_markets = GoneMarkets(self)
        self._rows_of_trades = RowsOfTrades(self, self.requests)
        self._api_key: ApiKey | None = None
        # Live only; its findings are what the account and the database disagree about.
        self.account_watch: AccountWatch | None = None
        try:
            super().__init__(config, **kwargs)
        except Exception:
            # Its websocket thread would keep the process alive after an error, a refused key above
            # all: no prompt on a terminal, no restart of a container.
            if getattr(self, "_exchange_ws", None):
                self.close()
            raise

    @property
    def position_mode(self) -> str:
        """One-way (`net_mode`) or hedge mode (`long_short_mode`), from `exchange.position_mode`."""
        return self._config["exchange"].get("position_mode", "net_mode")

    @property
    def _ccxt_config(self) -> dict:
        options = {"positionMode": self.position_mode, "defaultMarginMode": self.margin_mode.value}
        config = super()._ccxt_config
        return {**config, "options": {**config.get("options", {}), **options}}

    def validate_config(self, config: Config) -> None:
        """Check what only BloFin knows, then what freqtrade checks everywhere."""
        check_settings(config)
        super().validate_config(config)

    def validate_ordertypes(self, order_types: dict) -> None:
        """Turn the stop on the exchange on: every entry carries one, freqtrade has to see it."""
        if (
            order_types
            and self._config["runmode"] in TRADE_MODES
            and not order_types.get("stoploss_on_exchange")
        ):
            logger.info("Every BloFin entry carries its stop: using stoploss_on_exchange.")
            order_types["stoploss_on_exchange"] = True
        super().validate_ordertypes(order_types)

    def additional_exchange_init(self) -> None:
        """Bring the account into the configured position and margin mode, or refuse to start."""
        if self._config["dry_run"] or self._config["runmode"] not in TRADE_MODES:
            return
        from bubbybot_freqtrade.blofin.account.watch import AccountWatch
        from bubbybot_freqtrade.blofin.exchange.start import prepare_account

        self._api_key = prepare_account(self, self.position_mode, self.requests.clock)
        self.account_watch = AccountWatch(self, self.requests, self.stops, self.real_time)

    def reload_markets(self, force: bool = False, *, load_leverage_tiers: bool = True) -> None:
        """Reload markets when due. freqtrade calls this first in every loop: a new loop begins."""
        from bubbybot_freqtrade.blofin.account.changed_markets import follow_changed_markets

        if not force and self.account_watch is not None:
            self.real_time.loop_begins()
        self.requests.start_loop()
        if self._api_key is not None:
            self._api_key.remind()
        self.requests.clock.remind()
        super().reload_markets(force, load_leverage_tiers=load_leverage_tiers)
        if not force and self.account_watch is not None:
            self.account_watch.run()
            if self.requests.are_markets_doubted:
                # Now, before this loop trades by what has changed.
                self.requests.are_markets_doubted = False
                super().reload_markets(True, load_leverage_tiers=False)
            follow_changed_markets(self)
        if not force and self._klines and not self.candle_queue.is_behind:
            self.tiers.ask_some([*self.held_pairs(), *(pair for pair, _, _ in self._klines)])

    def fetch_positions(
        self, pair: str | None = None, params: dict | None = None
    ) -> list[CcxtPosition]:
        """Fetch positions for freqtrade's wallet, its first question once its database is open."""
        if self.account_watch is not None:
            self._gone_markets.add_of_open_trades()
        return self._rows_of_trades.of(super().fetch_positions(pair, params), pair)

    def _load_async_markets(self, reload: bool = False) -> None:
        super()._load_async_markets(reload)
        self._gone_markets.keep()

    def check_delisting_time(self, pair: str) -> datetime | None:
        """Return when the pair will be delisted; None otherwise."""
        if self._config["runmode"] in OPTIMIZE_MODES:
            return None
        return delisting_time(self.markets.get(pair, {}))

    def create_order(
        self,
        *,
        pair: str,
        ordertype: str,
        side: BuySell,
        amount: float,
        rate: float,
        leverage: float,
        time_in_force: str = "GTC",
        reduceOnly: bool = False,
        initial_order: bool = True,
    ) -> CcxtOrder:
        """Place an order; one that opens or adds to a position carries its stop and target.

        :raises InvalidOrderException: when no legal stop can be had, or the size or leverage is
            not what the venue takes for this pair. Nothing is sent then.
        """
        self.look_at_account()
        attached = None
        if not reduceOnly:
            self._check_account(pair)
            if ordertype == "market" and not initial_order:
                self.orders.refuse_replacement(pair, rate)
            attached = self.orders.attached(pair, side, amount, rate, leverage)
        elif not self._config["dry_run"]:
            self.orders.follow_changed_contract(pair, side)
        price = self.price_to_precision(pair, rate)
        if self._config["dry_run"]:
            return self.create_dry_run_order(pair, ordertype, side, amount, price, leverage)
        params = self._get_params(side, ordertype, leverage, reduceOnly, time_in_force)
        with freqtrade_errors(
            f"create {ordertype} {side} order on market {pair} (amount {amount}, rate {rate})"
        ):
            if attached is not None:
                self.orders.set_leverage(pair, leverage, side)
                params |= attached
            return self.orders.send(pair, ordertype, side, amount, price, params)

    def _check_account(self, pair: str) -> None:
        objection = self.account_watch.objection(pair) if self.account_watch else None
        if objection:
            raise InvalidOrderException(f"{pair}: {objection}. The entry is not sent.")

    def fetch_order(self, order_id: str, pair: str, params: dict | None = None) -> CcxtOrder:
        """Return an order: from the list of open ones when it waits, else by its own request."""
        if not self._config["dry_run"] and not params:
            waiting = self.orders.waiting(order_id)
            if waiting is not None:
                return self.orders.whole(waiting)
        return self.orders.whole(super().fetch_order(order_id, pair, params))

    def fetch_orders(
        self, pair: str, since: datetime, params: dict | None = None
    ) -> list[CcxtOrder]:
        """Return the orders of a pair's open trade, what closed it outside of freqtrade included.

        freqtrade asks for them when a position is gone: all of an account's would have the owner's
        own among them.
        """
        trade = None if self._config["dry_run"] else self.stops.open_trade(pair)
        if trade is None:
            return super().fetch_orders(pair, since, params)
        return self.stops.orders_of(trade)

    def cancel_order(self, order_id: str, pair: str, params: dict | None = None) -> dict[str, Any]:
        """Cancel an order, and no longer answer for it from the list of open ones."""
        try:
            if not self._config["dry_run"]:
                self.orders.cancel_parts(order_id, pair)
            return super().cancel_order(order_id, pair, params)
        finally:
            self.requests.changed("orders")
            self.requests.forget("orders")

    def create_stoploss(
        self,
        pair: str,
        amount: float,
        stop_price: float,
        order_types: dict,
        side: BuySell,
        leverage: float,
    ) -> CcxtOrder:
        """Make sure that one stop order at `stop_price` or tighter covers the position."""
        if self._config["dry_run"]:
            return super().create_stoploss(pair, amount, stop_price, order_types, side, leverage)
        return self.stops.create(pair, amount, stop_price, order_types, side)

    def stoploss_adjust(self, stop_loss: float, order: CcxtOrder, side: str) -> bool:
        """Move a tighter stop in place. True if it can't be, and freqtrade has to replace it."""
        if not super().stoploss_adjust(stop_loss, order, side):
            return False
        return self._config["dry_run"] or self.stops.move(stop_loss, order)

    @retrier
    def fetch_stoploss_order(
        self, order_id: str, pair: str, params: dict | None = None
    ) -> CcxtOrder:
        """Return the state of a stop."""
        if self._config["dry_run"]:
            return self.fetch_dry_run_order(order_id)
        return self.stops.fetch(order_id, pair)

    def cancel_stoploss_order(self, order_id: str, pair: str, params: dict | None = None) -> dict:
        """Cancel a stop, but only when its position is gone."""
        if self._config["dry_run"]:
            return super().cancel_stoploss_order(order_id, pair, params)
        return self.stops.end(order_id, pair)

    def standing_bracket(self, pair: str, side: TradeSide) -> Bracket | None:
        """Stop and target of a position as they stand on BloFin now; None when no stop does."""
        return self._brackets.standing(pair, side)

    def get_funding_fees(
        self, pair: str, amount: float, is_short: bool, open_date: datetime
    ) -> float:
        """Return what a trade of this side has received (negative: paid) since `open_date`."""
        if self._config["dry_run"] or self._config["runmode"] not in TRADE_MODES:
            return super().get_funding_fees(pair, amount, is_short, open_date)
        from bubbybot_freqtrade.blofin.exchange.funding import funding_of

        return funding_of(self, pair, amount, is_short=is_short, since=open_date)

    def get_liquidation_price(
        self, pair: str, open_rate: float, is_short: bool, *args: Any, **kwargs: Any
    ) -> float | None:
        """Return the venue's liquidation price with freqtrade's buffer; simulated in dry-run."""
        if self._config["dry_run"]:
            return super().get_liquidation_price(pair, open_rate, is_short, *args, **kwargs)
        position = self.requests.position(pair, "short" if is_short else "long")
        return None if position is None else buffered(position, open_rate, self.liquidation_buffer)
