"""BloFin exchange subclass"""

import hashlib
import logging
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import ccxt
from freqtrade.constants import BuySell, Config, PairWithTimeframe
from freqtrade.enums import (
    OPTIMIZE_MODES,
    TRADE_MODES,
    CandleType,
    MarginMode,
    PriceType,
    TradingMode,
)
from freqtrade.exceptions import (
    ConfigurationError,
    DDosProtection,
    InsufficientFundsError,
    InvalidOrderException,
    OperationalException,
    RetryableOrderError,
    TemporaryError,
)
from freqtrade.exchange.common import retrier
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import (
    CcxtOrder,
    CcxtPosition,
    FtHas,
    OHLCVResponse,
    OrderBook,
)
from freqtrade.exchange.exchange_utils import ROUND_DOWN, ROUND_UP
from freqtrade.exchange.exchange_utils_timeframe import (
    timeframe_to_msecs,
    timeframe_to_prev_date,
)
from freqtrade.util import dt_from_ts, dt_now, dt_ts

from bubbybot_freqtrade.blofin.api_key import ApiKey, check_api_key, check_secrets_files
from bubbybot_freqtrade.blofin.bracket import Bracket, TradeSide, take_bracket
from bubbybot_freqtrade.blofin.loop_state import ListName, LoopState
from bubbybot_freqtrade.blofin.stops import (
    canceled_stop,
    closed_side,
    closed_stop,
    closes,
    closing_orders,
    covers,
    open_stop,
    stop_candidates,
    tighter,
)
from bubbybot_freqtrade.blofin.venue_clock import VenueClock

if TYPE_CHECKING:
    from bubbybot_freqtrade.blofin.account_watch import AccountWatch

logger = logging.getLogger(__name__)

POSITION_MODES = ("net_mode", "long_short_mode")

# A request whose answer got lost is looked up after these pauses. BloFin's own matching takes
# milliseconds; the later ones are for a venue under load.
LOOK_UP_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)

# Candles taken from the websocket before the venue is asked for them again.
CANDLES_UNASKED = 4

# BloFin refuses requests that are older than 60 s: an order not there by then never comes.
REQUEST_LIFETIME = timedelta(seconds=65)

# freqtrade commits a trade right after its entry's request; what shows up meanwhile is its own.
ENTRY_UNDERWAY = timedelta(seconds=30)

# Instruments are announced for delisting days ahead; an expireTime further away is a placeholder.
DELISTING_HORIZON = timedelta(days=14)


class Blofin(Exchange):
    """BloFin exchange class.

    USDT-M perpetuals. Contains adjustments needed for Freqtrade to work with this exchange, and
    the rule that nothing is sent to the venue without a stop: an entry carries its stop (and
    target) in the same request, and the stop stands until its position is gone.
    """

    _ft_has: FtHas = {
        "order_time_in_force": ["GTC", "FOK", "IOC", "PO"],
        "ohlcv_candle_limit": 1440,
        "l2_limit_upper": 100,
        "trades_limit": 100,
        "ws_enabled": True,
        "supports_demo_trading": True,
        # market/position-tiers answers for one instrument at a time.
        "exchange_has_overrides": {"fetchLeverageTiers": False},
    }
    _ft_has_futures: FtHas = {
        "stoploss_on_exchange": True,
        "stop_price_param": "stopLossPrice",
        "stop_price_prop": "stopLossPrice",
        "stoploss_order_types": {"limit": "limit", "market": "market"},
        # A TP/SL order reserves nothing: the stop stays while an exit order works.
        "stoploss_blocks_assets": False,
        # TP/SL orders trigger on the last price only.
        "stop_price_type_value_mapping": {PriceType.LAST: "last"},
        # In hours, as freqtrade counts; see _fetch_funding_rate_history.
        "funding_fee_candle_limit": 800,
        # account/set-leverage takes whole numbers.
        "floor_leverage": True,
        "has_delisting": True,
    }

    _supported_trading_mode_margin_pairs: list[tuple[TradingMode, MarginMode]] = [
        (TradingMode.FUTURES, MarginMode.ISOLATED),
        (TradingMode.FUTURES, MarginMode.CROSS),
    ]

    def __init__(self, config: Config, **kwargs: Any) -> None:
        self._loop_state = LoopState(
            {
                "orders": lambda: self._api.fetch_open_orders(),
                "tpsl": lambda: self._api.fetch_open_orders(params={"tpsl": True}),
                "positions": lambda: self._api.fetch_positions(),
                "tickers": lambda: list(self._api.fetch_tickers().values()),
            }
        )
        # Time of the last move of a stop in place; freqtrade keeps none for moves without a new id.
        self._stop_moved_at: dict[str, datetime] = {}
        self._can_amend_tpsl = True
        self._api_key: ApiKey | None = None
        # When the venue was last asked for candles instead of taking what it pushed.
        self._candles_asked_at: dict[PairWithTimeframe, int] = {}
        # Pairs and times of entries on their way: their trade is not in the database yet.
        self._entered_at: dict[str, datetime] = {}
        # Pairs with an order whose answer is lost and that couldn't be found, yet.
        self._unresolved_until: dict[str, datetime] = {}
        # Live only; `account_watch.findings` is what the account and the database disagree about.
        self.account_watch: AccountWatch | None = None
        try:
            super().__init__(config, **kwargs)
        except Exception:
            # Its websocket thread would keep the process alive after an error, a refused key above
            # all: no prompt on a terminal, no restart of a container.
            if getattr(self, "_exchange_ws", None):
                self.close()
            raise

    # Account and markets

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
        if self.position_mode not in POSITION_MODES:
            raise ConfigurationError(
                f"exchange.position_mode is '{self.position_mode}'. "
                f"Please use one of: {', '.join(POSITION_MODES)}."
            )
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
        # Not at module level: freqtrade.persistence imports freqtrade.exchange.
        from bubbybot_freqtrade.blofin.account_watch import AccountWatch
        from bubbybot_freqtrade.blofin.exit_reasons import name_exit_reasons

        name_exit_reasons()
        if urlsplit(self._api.urls["api"]["rest"]).hostname != "127.0.0.1":
            check_secrets_files(self._config.get("config_files", []))
        self.account_watch = AccountWatch(self)
        try:
            self._prepare_account()
        except ccxt.InvalidNonce as e:
            self.clock.remind()
            raise OperationalException(f"{self.clock.news() or ''} Message: {e}".strip()) from e
        except ccxt.AuthenticationError as e:
            raise OperationalException(f"BloFin does not accept this API key. {e}") from e
        except ccxt.DDoSProtection as e:
            raise DDosProtection(e) from e
        except (ccxt.OperationFailed, ccxt.ExchangeError) as e:
            raise OperationalException(
                f"Could not prepare the BloFin account due to {e.__class__.__name__}. Message: {e}"
            ) from e

    def _prepare_account(self) -> None:
        allow_transfer = bool(self._config["exchange"].get("allow_transfer_permission"))
        self._api_key = check_api_key(self._api, allow_transfer=allow_transfer)
        hedged = self.position_mode == "long_short_mode"
        if self._api.fetch_position_mode()["hedged"] != hedged:
            with self._refusing_to_start("exchange.position_mode", self.position_mode):
                self._api.set_position_mode(hedged)
        margin_mode = self.margin_mode.value
        # One for the whole account; ccxt's fetch_margin_mode insists on a symbol.
        if self._api.privateGetAccountMarginMode()["data"]["marginMode"] != margin_mode:
            with self._refusing_to_start("margin_mode", margin_mode):
                self._api.set_margin_mode(margin_mode, None)

    @contextmanager
    def _refusing_to_start(self, setting: str, wanted: str) -> Iterator[None]:
        try:
            yield
        except (ccxt.OperationRejected, ccxt.BadRequest) as e:
            raise OperationalException(
                f"The BloFin account is not in {setting} '{wanted}' and can't be switched while "
                f"orders or positions are open. Close them in the app, or set {setting} to what "
                f"the account uses. Message: {e}"
            ) from e

    def reload_markets(self, force: bool = False, *, load_leverage_tiers: bool = True) -> None:
        """Reload markets when due. freqtrade calls this first in every loop: a new loop begins."""
        self._loop_state.start_loop()
        if self._api_key is not None:
            self._api_key.remind()
        self.clock.remind()
        super().reload_markets(force, load_leverage_tiers=load_leverage_tiers)
        if not force and self.account_watch is not None and self._database.is_open():
            self.account_watch.run()

    def cache_leverage_tiers(self, tiers: dict[str, list[dict]], stake_currency: str) -> None:
        """Keep tiers on disk, apart for live, demo and a sandbox: theirs differ."""
        super().cache_leverage_tiers(tiers, self._tiers_file(stake_currency))

    def load_cached_leverage_tiers(
        self, stake_currency: str, cache_time: timedelta | None = None
    ) -> dict[str, list[dict]] | None:
        """Load tiers kept on disk; a day old at most, since BloFin changes them without notice."""
        return super().load_cached_leverage_tiers(
            self._tiers_file(stake_currency), cache_time or timedelta(days=1)
        )

    def _tiers_file(self, stake_currency: str) -> str:
        venue = urlsplit(self._api.urls["api"]["rest"]).netloc.replace(":", "_")
        return f"{stake_currency}_{self.margin_mode.value}_{venue}"

    async def _fetch_funding_rate_history(
        self, pair: str, timeframe: str, limit: int, since_ms: int | None = None
    ) -> list[list]:
        """Fetch the rates of `limit` timeframes, however many they are: most pay every 8 h."""
        params = {}
        if since_ms is not None:
            params["until"] = since_ms + limit * timeframe_to_msecs(timeframe) - 1
        rates = await self._api_async.fetch_funding_rate_history(
            pair, since=since_ms, params=params
        )
        return [[rate["timestamp"], rate["fundingRate"]] for rate in rates]

    def _try_build_from_websocket(
        self, pair: str, timeframe: str, candle_type: CandleType
    ) -> Coroutine[Any, Any, OHLCVResponse] | None:
        """
        Try to build a coroutine to get data from websocket.

        freqtrade takes the last push of a candle for its end, which after a slow, silent or dropped
        websocket it isn't. Here pushed candles are used only where the venue has said that they
        ended and where none is missing since the last one known. Every few candles the venue is
        asked all the same, since it pushes no corrections.
        """
        key = (pair, timeframe, candle_type)
        step = timeframe_to_msecs(timeframe)
        known = self._pairs_last_refresh_time.get(key, 0)
        previous = dt_ts(timeframe_to_prev_date(timeframe)) - step
        candles = self._exchange_ws.ohlcvs(pair, timeframe) if self._exchange_ws else []
        follows = known < previous and candles and candles[0][0] <= known + step
        ended = follows and self._ws_async.last_ended.get((pair, timeframe), 0) >= previous
        asked = dt_ts() - self._candles_asked_at.get(key, 0) < CANDLES_UNASKED * step
        if ended and asked:
            pushed = super()._try_build_from_websocket(pair, timeframe, candle_type)
            if pushed is not None:
                return self._later_than(known, pushed)
        self._candles_asked_at[key] = dt_ts()
        return None

    @staticmethod
    async def _later_than(known: int, pushed: Coroutine[Any, Any, OHLCVResponse]) -> OHLCVResponse:
        """Leave out candles that are known already, maybe corrected since they were pushed."""
        pair, timeframe, candle_type, candles, drop_last = await pushed
        later = [candle for candle in candles if candle[0] > known]
        return pair, timeframe, candle_type, later, drop_last

    def check_delisting_time(self, pair: str) -> datetime | None:
        """
        Check if the pair gonna be delisted.
        :param pair: Market symbol
        :return: Datetime if the pair gonna be delisted, None otherwise
        """
        if self._config["runmode"] in OPTIMIZE_MODES:
            return None
        market = self.markets.get(pair, {})
        expires = int(market.get("info", {}).get("expireTime") or 0)
        # Some live instruments carry a time long past.
        gone = expires < dt_ts() and market.get("active")
        if not expires or gone or expires > dt_ts(dt_now() + DELISTING_HORIZON):
            return None
        return dt_from_ts(expires)

    def dry_run_liquidation_price(
        self,
        pair: str,
        open_rate: float,
        is_short: bool,
        amount: float,
        stake_amount: float,
        leverage: float,
        wallet_balance: float,
        open_trades: list,
    ) -> float | None:
        """
        Important: Must be fetching data from cached values as this is used by backtesting!

        A position is liquidated when its margin and unrealized PnL no longer pay for its
        maintenance margin and the fee of closing it (BloFin, "liquidation price" of isolated and
        cross positions). In cross margin the other trades' PnL and maintenance margin count too.

        :param wallet_balance: Amount of margin_mode in the wallet being used to trade
            Cross-Margin Mode: crossWalletBalance
            Isolated-Margin Mode: isolatedWalletBalance
        """
        margin = wallet_balance
        if self.margin_mode == MarginMode.CROSS:
            others = [trade for trade in open_trades if trade.pair != pair]
            margin += sum(self._free_margin(trade) for trade in others)
        maintenance, _ = self.get_maintenance_ratio_and_amt(pair, amount * open_rate)
        rate = maintenance + self.markets[pair]["taker"]
        if is_short:
            return (open_rate + margin / amount) / (1 + rate)
        return (open_rate - margin / amount) / (1 - rate)

    def _free_margin(self, trade: Any) -> float:
        """Unrealized PnL less maintenance margin of another trade on the same cross wallet."""
        price = trade.open_rate
        if self._config["runmode"] not in OPTIMIZE_MODES:
            price = self.get_rate(trade.pair, refresh=False, side="exit", is_short=trade.is_short)
        value = trade.amount * price
        maintenance, _ = self.get_maintenance_ratio_and_amt(trade.pair, value)
        pnl = (price - trade.open_rate) * trade.amount * (-1 if trade.is_short else 1)
        return pnl - value * maintenance

    def get_liquidation_price(
        self,
        pair: str,
        open_rate: float,
        is_short: bool,
        amount: float,
        stake_amount: float,
        leverage: float,
        wallet_balance: float,
        open_trades: list | None = None,
    ) -> float | None:
        """Return the venue's liquidation price with freqtrade's buffer; simulated in dry-run."""
        if self._config["dry_run"]:
            return super().get_liquidation_price(
                pair, open_rate, is_short, amount, stake_amount, leverage, wallet_balance,
                open_trades,
            )  # fmt: skip
        position = self._position(pair, "short" if is_short else "long")
        if position is None or position["liquidationPrice"] is None:
            return None
        liquidation = position["liquidationPrice"]
        buffer = (open_rate - liquidation) * self.liquidation_buffer
        return max(liquidation + buffer, 0.0)

    # Requests

    @contextmanager
    def _freqtrade_errors(self, action: str) -> Iterator[None]:
        """Turn ccxt's errors into freqtrade's, as all exchange classes do."""
        try:
            yield
        except ccxt.InsufficientFunds as e:
            raise InsufficientFundsError(f"Insufficient funds to {action}. Message: {e}") from e
        except ccxt.OrderNotFound as e:
            raise RetryableOrderError(f"Order not found to {action}. Message: {e}") from e
        except (ccxt.InvalidOrder, ccxt.BadRequest, ccxt.OperationRejected) as e:
            raise InvalidOrderException(f"Could not {action}. Message: {e}") from e
        except ccxt.DDoSProtection as e:
            raise DDosProtection(e) from e
        except (ccxt.OperationFailed, ccxt.ExchangeError) as e:
            raise TemporaryError(
                f"Could not {action} due to {e.__class__.__name__}. Message: {e}"
            ) from e
        except ccxt.BaseError as e:
            raise OperationalException(e) from e

    def _send_once(
        self,
        pair: str,
        ordertype: str,
        side: BuySell,
        contracts: float,
        price: float | None,
        params: dict,
    ) -> CcxtOrder:
        """Place an order exactly once; look it up when its answer does not come."""
        client_order_id = f"{self._order_prefix}{uuid4().hex[:24]}"
        params = {**params, "clientOrderId": client_order_id, "marginMode": self.margin_mode.value}
        try:
            order = self._api.create_order(pair, ordertype, side, contracts, price, params)
            if order.get("id"):
                return order
            lost: ccxt.BaseError = ccxt.BadResponse("The answer to the order names no order.")
        except (ccxt.DDoSProtection, ccxt.InvalidNonce):
            # Turned away at the door.
            raise
        except ccxt.OperationFailed as e:
            lost = e
        return self._look_up(pair, client_order_id, "stopLossPrice" in params, lost)

    def _look_up(
        self, pair: str, client_order_id: str, tpsl: bool, lost: ccxt.BaseError
    ) -> CcxtOrder:
        logger.warning(f"BloFin's answer to an order on {pair} got lost, looking it up: {lost}")
        params = {"clientOrderId": client_order_id, **({"tpsl": True} if tpsl else {})}
        for pause in LOOK_UP_PAUSES:
            time.sleep(pause)
            try:
                return self._api.fetch_order("", pair, params)
            except (ccxt.OrderNotFound, ccxt.OperationFailed) as e:
                logger.debug(f"Order {client_order_id} on {pair} not found yet: {e}")
        self._unresolved_until[pair] = dt_now() + REQUEST_LIFETIME
        raise lost

    def _position(self, pair: str, side: TradeSide, *, fresh: bool = False) -> CcxtPosition | None:
        with self._freqtrade_errors(f"get positions of {pair}"):
            positions = self._loop_state.rows("positions", fresh=fresh)
        for position in positions:
            if (position["symbol"], position["side"]) == (pair, side) and position["contracts"]:
                return position
        # It may have been opened after the list was asked for.
        return None if fresh else self._position(pair, side, fresh=True)

    def fetch_l2_order_book(self, pair: str, limit: int = 100) -> OrderBook:
        """Return an order book; its first level alone comes from the tickers of all pairs.

        freqtrade prices every open trade in every loop. One request a trade would pass BloFin's
        1500 requests in five minutes with some twenty-five open trades.
        """
        if limit == 1 and self._config["runmode"] in TRADE_MODES:
            with self._freqtrade_errors(f"get the price of {pair}"):
                tickers = self._loop_state.rows("tickers")
            ticker = next((row for row in tickers if row["symbol"] == pair), {})
            if ticker.get("bid") and ticker.get("ask"):
                return {
                    "symbol": pair,
                    "bids": [(ticker["bid"], ticker["bidVolume"] or 0.0)],
                    "asks": [(ticker["ask"], ticker["askVolume"] or 0.0)],
                    "timestamp": ticker["timestamp"],
                    "datetime": ticker["datetime"],
                    "nonce": None,
                }
        return super().fetch_l2_order_book(pair, limit)

    # What the account watch needs

    @property
    def _database(self) -> Any:
        # Not at module level: freqtrade.persistence imports freqtrade.exchange.
        from bubbybot_freqtrade.blofin import database

        return database

    @cached_property
    def clock(self) -> VenueClock:
        """This machine's clock beside the venue's."""
        return VenueClock(self._api)

    @property
    def config(self) -> Config:
        """freqtrade's config, with what the strategy added to it."""
        return self._config

    @cached_property
    def _order_prefix(self) -> str:
        """Start of this bot's clientOrderIds: its own, also beside another bot on the account."""
        return "ft" + hashlib.sha256(str(self._config.get("db_url")).encode()).hexdigest()[:6]

    def is_own(self, order: CcxtOrder) -> bool:
        """Whether this bot (a bot on this database) placed the order."""
        return str(order.get("clientOrderId")).startswith(self._order_prefix)

    def is_entering(self, pair: str) -> bool:
        """Whether an entry was sent a moment ago: freqtrade may not have its trade yet."""
        sent = self._entered_at.get(pair)
        return sent is not None and dt_now() - sent < ENTRY_UNDERWAY

    def open_rows(self, name: ListName, *, fresh: bool = False) -> list[CcxtOrder]:
        """Open orders, TP/SL orders or positions of the account, asked for once per loop."""
        with self._freqtrade_errors(f"get the account's {name}"):
            return self._loop_state.rows(name, fresh=fresh)

    def ended_orders(self, pair: str | None, since: int) -> list[CcxtOrder]:
        """Filled orders of a pair, or of all, since a time (ms), oldest first, in contracts."""
        with self._freqtrade_errors(f"get orders of {pair or 'all pairs'}"):
            return self._api.fetch_closed_orders(pair, since)

    def in_base_currency(self, order: CcxtOrder) -> CcxtOrder:
        """Return an order with its amounts in base currency instead of contracts."""
        return self._order_contracts_to_amount(dict(order))

    def contracts(self, pair: str, amount: float) -> float:
        """Contracts of an amount in base currency, in the steps that the venue takes."""
        return self.amount_to_precision(pair, self._amount_to_contracts(pair, amount))

    def standing_bracket(self, pair: str, side: TradeSide) -> Bracket | None:
        """Stop and target of a position as they stand on BloFin now; None when no stop does."""
        with self._freqtrade_errors(f"get the stop of {pair}"):
            orders = self._loop_state.rows("tpsl", fresh=True)
        standing = stop_candidates(orders, pair, "sell" if side == "long" else "buy")
        if not standing:
            return None
        targets = (order.get("takeProfitPrice") for order in standing)
        return Bracket(standing[0]["stopLossPrice"], next(filter(None, targets), None))

    def protect(self, position: CcxtPosition) -> None:
        """Place a stop on a bare position that no trade belongs to.

        It is the strategy's stoploss from the position's entry, or from the current price when
        that has passed it.
        """
        pair, side = position["symbol"], "sell" if position["side"] == "long" else "buy"
        stops = self._loop_state.rows("tpsl", fresh=True)
        if stop_candidates(stops, pair, side):
            return
        last = self.fetch_ticker(pair)["last"]
        entry: BuySell = "buy" if side == "sell" else "sell"
        leverage = position["leverage"] or 1.0
        stop = self._stoploss_bracket(entry, position["entryPrice"], leverage).stop
        if not tighter(side, last, stop):
            stop = self._stoploss_bracket(entry, last, leverage).stop
        stop = self.price_to_precision(pair, stop)
        with self._freqtrade_errors(f"protect the position of {pair} by a stop at {stop}"):
            # -1 contracts: all there are, also when its owner adds to it.
            self._send_once(pair, "market", side, -1, None, {"stopLossPrice": stop})
        self._loop_state.forget("tpsl")

    # Orders

    def _lev_prep(
        self, pair: str, leverage: float, side: BuySell, accept_fail: bool = False
    ) -> None:
        """Set the leverage of a pair, where the venue doesn't have it already.

        It is the venue that remembers: in the app its owner may have changed it since. Asking is no
        trading request, setting is one. The margin mode is the account's and was set at start.
        """
        leverage = int(leverage)
        trade_side = "long" if side == "buy" else "short"
        params = {"marginMode": self.margin_mode.value}
        held = self._api.fetch_leverage(pair, params)
        if held[f"{trade_side}Leverage"] == leverage:
            return
        if self.position_mode == "long_short_mode" and self.margin_mode == MarginMode.ISOLATED:
            params["positionSide"] = trade_side
        response = self._api.set_leverage(leverage, pair, params)
        self._log_exchange_response("set_leverage", response)

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
        if reduceOnly:
            bracket = None
        else:
            self._check_account(pair)
            self._check_size(pair, amount, rate, leverage)
            bracket = self._bracket(pair, side, amount, rate, leverage)
        if self._config["dry_run"]:
            return self.create_dry_run_order(
                pair, ordertype, side, amount, self.price_to_precision(pair, rate), leverage
            )
        params = self._get_params(side, ordertype, leverage, reduceOnly, time_in_force)
        price = self.price_to_precision(pair, rate) if ordertype != "market" else None
        if bracket is not None:
            params |= self._attached(bracket, side)
        with self._freqtrade_errors(
            f"create {ordertype} {side} order on market {pair} (amount {amount}, rate {rate})"
        ):
            if bracket is not None:
                self._lev_prep(pair, leverage, side)
                self._entered_at[pair] = dt_now()
            order = self._send_once(
                pair, ordertype, side, self.contracts(pair, amount), price, params
            )
        self._loop_state.forget("positions")
        self._log_exchange_response("create_order", order)
        # BloFin answers with the id alone: let freqtrade ask for the rest.
        order["status"] = order.get("status") or "open"
        order["type"] = order.get("type") or ordertype
        return self._order_contracts_to_amount(order)

    def _check_account(self, pair: str) -> None:
        objection = self.account_watch.objection(pair) if self.account_watch else None
        if pair in self._unresolved_until and dt_now() < self._unresolved_until[pair]:
            objection = "an earlier order's answer got lost and it may still come"
        if objection:
            raise InvalidOrderException(f"{pair}: {objection}. The entry is not sent.")

    def _bracket(
        self, pair: str, side: BuySell, amount: float, rate: float, leverage: float
    ) -> Bracket:
        """Take the strategy's bracket, else make one of its stoploss; refuse an illegal one."""
        trade_side: TradeSide = "long" if side == "buy" else "short"
        offered = take_bracket(pair, trade_side) or self._stoploss_bracket(side, rate, leverage)
        bracket = self._on_tick(pair, offered, side)
        if not bracket.fits(trade_side, rate):
            raise InvalidOrderException(
                f"{pair}: an entry at {rate} is not between stop {bracket.stop} and target "
                f"{bracket.target} of a {trade_side}. The entry is not sent."
            )
        liquidation = self._isolated_liquidation_price(pair, side, amount, rate, leverage)
        if not tighter("sell" if side == "buy" else "buy", bracket.stop, liquidation):
            raise InvalidOrderException(
                f"{pair}: at {leverage}x a {trade_side} from {rate} is liquidated at "
                f"{liquidation:.8g}, before its stop at {bracket.stop} is reached. "
                "Lower the leverage or tighten the stop. The entry is not sent."
            )
        return bracket

    def _stoploss_bracket(self, side: BuySell, rate: float, leverage: float) -> Bracket:
        # Relative to the trade's profit, as freqtrade's own stop: LocalTrade.adjust_stop_loss.
        distance = abs(self._config["stoploss"]) / leverage
        return Bracket(stop=rate * (1 - distance if side == "buy" else 1 + distance))

    def _on_tick(self, pair: str, bracket: Bracket, side: BuySell) -> Bracket:
        """Round to prices the venue takes: the stop to the tighter side, the target to the nearer.

        :raises InvalidOrderException: when nothing is left of a price.
        """
        rounding = {"buy": (ROUND_UP, ROUND_DOWN), "sell": (ROUND_DOWN, ROUND_UP)}[side]
        prices = [
            None if price is None else self.price_to_precision(pair, price, rounding_mode=mode)
            for price, mode in zip((bracket.stop, bracket.target), rounding, strict=True)
        ]
        try:
            return Bracket(stop=prices[0] or 0.0, target=prices[1])
        except ValueError as e:
            raise InvalidOrderException(f"{pair}: {e} The entry is not sent.") from e

    def _isolated_liquidation_price(
        self, pair: str, side: BuySell, amount: float, rate: float, leverage: float
    ) -> float:
        """Liquidation price with this order's own margin, the nearest it can be in any mode."""
        maintenance, _ = self.get_maintenance_ratio_and_amt(pair, amount * rate)
        cost = maintenance + self.markets[pair]["taker"]
        if side == "buy":
            return rate * (1 - 1 / leverage) / (1 - cost)
        return rate * (1 + 1 / leverage) / (1 + cost)

    def _check_size(self, pair: str, amount: float, rate: float, leverage: float) -> None:
        market = self.markets[pair]
        contracts = self.contracts(pair, amount)
        smallest = market["limits"]["amount"]["min"] or 0.0
        info = market["info"]
        # A stop executes as a market order, so an entry may not be larger than one.
        largest = min(float(info.get(f"max{kind}Size") or "inf") for kind in ("Limit", "Market"))
        if not smallest <= contracts <= largest or contracts <= 0:
            raise InvalidOrderException(
                f"{pair}: {contracts:g} contracts ({amount:g} {market['base']}) is outside what "
                f"BloFin takes for this pair, {smallest:g} to {largest:g}. The entry is not sent."
            )
        notional = amount * rate
        for tier in self._leverage_tiers.get(pair, []):
            if tier["maxNotional"] is None or notional <= tier["maxNotional"]:
                if leverage > tier["maxLeverage"]:
                    break
                return
        raise InvalidOrderException(
            f"{pair}: {leverage:g}x is more than BloFin allows for a position of {notional:.2f} "
            f"{market['quote']}. Lower the leverage or the stake. The entry is not sent."
        )

    def _attached(self, bracket: Bracket, side: BuySell) -> dict:
        params: dict[str, Any] = {"stopLoss": {"triggerPrice": bracket.stop}}
        limit = self._stop_limit(
            bracket.stop, self._config.get("order_types", {}), "sell" if side == "buy" else "buy"
        )
        if limit is not None:
            params["stopLoss"]["price"] = limit
        if bracket.target is not None:
            params["takeProfit"] = {"triggerPrice": bracket.target}
        return params

    def fetch_order(self, order_id: str, pair: str, params: dict | None = None) -> CcxtOrder:
        """Return an order: from the list of open ones when it is there, else by its own request."""
        if not self._config["dry_run"] and not params:
            with self._freqtrade_errors(f"get orders of {pair}"):
                for order in self._loop_state.rows("orders"):
                    if order["id"] == order_id:
                        return self._order_contracts_to_amount(dict(order))
        return super().fetch_order(order_id, pair, params)

    def cancel_order(self, order_id: str, pair: str, params: dict | None = None) -> dict[str, Any]:
        """Cancel an order, and no longer answer for it from the list of open ones."""
        try:
            return super().cancel_order(order_id, pair, params)
        finally:
            self._loop_state.forget("orders")

    # The stop

    def create_stoploss(
        self,
        pair: str,
        amount: float,
        stop_price: float,
        order_types: dict,
        side: BuySell,
        leverage: float,
    ) -> CcxtOrder:
        """Make sure that one stop order at `stop_price` or tighter covers the position.

        The TP/SL order that came with the entry is adopted. Any other one still standing is
        replaced: the new order stands before the old one is canceled, and takes its target over.

        :raises InvalidOrderException: when the price has passed the stop already; freqtrade exits.
        """
        if self._config["dry_run"]:
            return super().create_stoploss(pair, amount, stop_price, order_types, side, leverage)
        rounding = ROUND_DOWN if side == "buy" else ROUND_UP
        stop = self.price_to_precision(pair, stop_price, rounding_mode=rounding)
        with self._freqtrade_errors(f"place the stoploss of {pair} at {stop}"):
            if self._position(pair, closed_side(side), fresh=True) is None:
                closing = self._closed_without_stop(pair, side)
                return self._order_contracts_to_amount(open_stop(closing, triggered=True))
            tpsl_orders = self._loop_state.rows("tpsl", fresh=True)
            standing = stop_candidates(tpsl_orders, pair, side)
            adopted = self._adopt(pair, side, self.contracts(pair, amount), stop, standing)
            if adopted is None:
                adopted = self._replace_stops(
                    pair, side, amount, stop, self._stop_limit(stop, order_types, side), standing
                )
        self._log_exchange_response("create_stoploss_order", adopted)
        return self._order_contracts_to_amount(open_stop(adopted))

    def _stop_limit(self, stop: float, order_types: dict, side: BuySell) -> float | None:
        _, ordertype = self._get_stop_order_type(order_types.get("stoploss", "market"))
        return self._get_stop_limit_rate(stop, order_types, side) if ordertype == "limit" else None

    def _adopt(
        self, pair: str, side: BuySell, contracts: float, stop: float, standing: list[CcxtOrder]
    ) -> CcxtOrder | None:
        """Return the one standing TP/SL order as freqtrade's stop, moved when it is too loose."""
        if len(standing) != 1 or not covers(standing[0], contracts):
            return None
        order = standing[0]
        if self._database.known_order_ids(standing):
            # freqtrade has ended this order; it can't have a second one by the same id.
            return None
        if tighter(side, stop, order["stopLossPrice"]):
            return self._move_in_place(order, stop)
        logger.info(f"Stop of {pair} is on BloFin since its entry: {order['stopLossPrice']}.")
        return order

    def _replace_stops(
        self,
        pair: str,
        side: BuySell,
        amount: float,
        stop: float,
        limit: float | None,
        standing: list[CcxtOrder],
    ) -> CcxtOrder:
        targets = [o["takeProfitPrice"] for o in standing if o.get("takeProfitPrice") is not None]
        params: dict[str, Any] = {"stopLossPrice": stop, "stopLossLimitPrice": limit}
        if targets:
            params |= {"takeProfitPrice": targets[0], "takeProfitLimitPrice": targets[0]}
        ordertype = "market" if limit is None else "limit"
        placed = self._send_once(pair, ordertype, side, self.contracts(pair, amount), None, params)
        order = self._read_back(placed["id"], pair)
        for old in standing:
            self.cancel_tpsl(old["id"], pair)
        self._loop_state.forget("tpsl")
        return order

    def _read_back(self, order_id: str, pair: str) -> CcxtOrder:
        """Return the TP/SL order as the venue has it, which may have canceled it at once."""
        order = self._api.fetch_order(order_id, pair, {"tpsl": True})
        if order["status"] != "open":
            raise ccxt.InvalidOrder(
                f"BloFin has {order['status']} stop order {order_id} of {pair}: "
                "the price has passed it already."
            )
        return order

    def cancel_tpsl(self, order_id: str, pair: str) -> None:
        """Take a TP/SL order away."""
        with self._freqtrade_errors(f"cancel stop order {order_id} of {pair}"):
            try:
                self._api.cancel_order(order_id, pair, {"tpsl": True})
            except ccxt.OrderNotFound:
                # Triggered or canceled meanwhile.
                logger.debug(f"TP/SL order {order_id} of {pair} is gone already.")
        self._loop_state.replace("tpsl", order_id, None)

    def _move_in_place(self, order: CcxtOrder, stop: float) -> CcxtOrder | None:
        """Move a standing stop by trade/amend-tpsl; None where the venue doesn't offer that.

        The request is not part of BloFin's reference, so its effect is read back.
        """
        if not self._can_amend_tpsl:
            return None
        limit = self._stop_limit(stop, self._config.get("order_types", {}), order["side"])
        leg = {"triggerPrice": stop, "price": limit}
        try:
            self._api.edit_tpsl_order(order["id"], order["symbol"], stop_loss=leg)
        except (ccxt.NotSupported, ccxt.BadRequest) as e:
            logger.info(f"BloFin can't move a stop in place, replacing stops from now on: {e}")
            self._can_amend_tpsl = False
            return None
        moved = self._read_back(order["id"], order["symbol"])
        self._loop_state.replace("tpsl", order["id"], moved)
        if moved["stopLossPrice"] != stop:
            return None
        self._stop_moved_at[order["id"]] = dt_now()
        logger.info(f"Moved the stop of {order['symbol']} to {stop}.")
        return moved

    def stoploss_adjust(self, stop_loss: float, order: CcxtOrder, side: str) -> bool:
        """
        Move the stop in place when `stop_loss` is tighter than the order's.
        Returns True if freqtrade has to replace it, because it can't be moved in place.
        """
        if not super().stoploss_adjust(stop_loss, order, side):
            return False
        if self._config["dry_run"] or not self._can_amend_tpsl:
            return True
        interval = self._config.get("order_types", {}).get("stoploss_on_exchange_interval", 60)
        moved_at = self._stop_moved_at.get(order["id"])
        if moved_at is not None and dt_now() - moved_at < timedelta(seconds=interval):
            return False
        with self._freqtrade_errors(f"move the stop of {order['symbol']} to {stop_loss}"):
            return self._move_in_place(order, stop_loss) is None

    @retrier
    def fetch_stoploss_order(
        self, order_id: str, pair: str, params: dict | None = None
    ) -> CcxtOrder:
        """Return the state of a stop: from the list of untriggered ones, else by how it ended."""
        if self._config["dry_run"]:
            return self.fetch_dry_run_order(order_id)
        with self._freqtrade_errors(f"get stop order {order_id} of {pair}"):
            for order in self._loop_state.rows("tpsl"):
                if order["id"] == order_id:
                    return self._order_contracts_to_amount(open_stop(order))
            stop = self._ended_stop(order_id, pair)
            if stop["status"] == "closed":
                self._database.book_funding(self, order_id, pair)
            return self._order_contracts_to_amount(stop)

    def _ended_stop(self, order_id: str, pair: str) -> CcxtOrder:
        try:
            tpsl = self._api.fetch_order(order_id, pair, {"tpsl": True})
        except ccxt.OrderNotFound:
            # An order that closed the position without our stop, see _closed_without_stop. Others
            # may have closed parts before.
            order = self._api.fetch_order(order_id, pair)
            parts = self._closing_orders(pair, order["side"], self._entered_since(pair))
            return closed_stop(order, [*parts, order])
        if tpsl["status"] == "open":
            return open_stop(tpsl)
        side = tpsl["side"]
        working = self._loop_state.rows("orders", fresh=True)
        if any(o["symbol"] == pair and o["side"] == side and closes(o) for o in working):
            return open_stop(tpsl, triggered=True)
        closing = self._closing_orders(pair, side, tpsl.get("timestamp") or 0)
        # A part that was closed by hand does not end the trade: what is left needs its stop.
        if closing and self._position(pair, closed_side(side), fresh=True) is None:
            return closed_stop(tpsl, closing)
        return canceled_stop(tpsl)

    def _closing_orders(self, pair: str, side: str, since: int) -> list[CcxtOrder]:
        """Orders that closed (part of) the position and that freqtrade doesn't know."""
        ended = self._api.fetch_closed_orders(pair, since)
        return closing_orders(ended, side, since, self._database.known_order_ids(ended))

    def _closed_without_stop(self, pair: str, side: BuySell) -> CcxtOrder:
        """Return the order that took the position off, for freqtrade to keep as its stop order.

        It reads as open: freqtrade asks for its state in the next loop and closes the trade then.
        """
        closing = self._closing_orders(pair, side, self._entered_since(pair))
        if not closing:
            raise ccxt.ExchangeError(
                f"{pair} has no position on BloFin and no order that closed it is known yet."
            )
        return closing[-1]

    def _entered_since(self, pair: str) -> int:
        """BloFin's time, ms, of the entry of a pair's open trade.

        Not this machine's: a few seconds less, and the order that closed the trade before this one
        would be taken for one that closed this one.
        """
        entry_id = self._database.first_entry_id(pair)
        if entry_id is None:
            return dt_ts(dt_now() - timedelta(days=1))
        return int(self._api.fetch_order(entry_id, pair)["timestamp"])

    def cancel_stoploss_order(self, order_id: str, pair: str, params: dict | None = None) -> dict:
        """Cancel a stop, but only when its position is gone.

        freqtrade cancels a stop before it places the next one. The position would be bare in
        between, so the order is left standing and only reported as canceled; create_stoploss
        takes it away once the next one stands.
        """
        if self._config["dry_run"]:
            return super().cancel_stoploss_order(order_id, pair, params)
        self._loop_state.forget("tpsl")
        stop = self.fetch_stoploss_order(order_id, pair)
        if stop["status"] != "open":
            return stop
        if self._position(pair, closed_side(stop["side"]), fresh=True) is not None:
            logger.info(f"Leaving stop {order_id} of {pair} in place until another one stands.")
        else:
            self.cancel_tpsl(order_id, pair)
        return canceled_stop(stop)
