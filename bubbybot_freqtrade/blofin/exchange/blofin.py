"""BloFin exchange subclass"""

import logging
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import ccxt
from freqtrade.constants import Config, PairWithTimeframe
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
    OperationalException,
)
from freqtrade.exchange.common import retrier_async
from freqtrade.exchange.exchange_types import FtHas, OHLCVResponse, OrderBook
from freqtrade.exchange.exchange_utils_timeframe import timeframe_to_msecs, timeframe_to_prev_date
from freqtrade.util import dt_from_ts, dt_now, dt_ts

from bubbybot_freqtrade.blofin.account.key import (
    ApiKey,
    check_api_key,
    check_secrets_files,
    is_on_this_machine,
)
from bubbybot_freqtrade.blofin.exchange.loop_state import LoopState
from bubbybot_freqtrade.blofin.exchange.stops import BlofinStops

logger = logging.getLogger(__name__)

POSITION_MODES = ("net_mode", "long_short_mode")

# Candles taken from the websocket before the venue is asked for them again.
CANDLES_UNASKED = 4

# Instruments are announced for delisting days ahead; an expireTime further away is a placeholder.
DELISTING_HORIZON = timedelta(days=14)


# BloFin changes leverage tiers without notice, and freqtrade's limits in quote follow the price.
TIERS_AGE = timedelta(days=1)
# Asked for again in one loop. Markets are reloaded every hour: in a day all of them.
TIERS_AT_ONCE = 25


def _asked_at(tiers: list[dict]) -> int:
    return tiers[0].get("askedAt", 0) if tiers else 0


class Blofin(BlofinStops):
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
        self._tier_tickers: dict[str, Any] = {}
        self._stop_moved_at = {}
        self._can_amend_tpsl = True
        self._api_key: ApiKey | None = None
        # When the venue was last asked for candles instead of taking what it pushed.
        self._candles_asked_at: dict[PairWithTimeframe, int] = {}
        self._entered_at = {}
        self._unresolved_until = {}
        self.account_watch = None
        try:
            super().__init__(config, **kwargs)
        except Exception:
            # Its websocket thread would keep the process alive after an error, a refused key above
            # all: no prompt on a terminal, no restart of a container.
            if getattr(self, "_exchange_ws", None):
                self.close()
            raise

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
        from bubbybot_freqtrade.blofin.account.exit_reasons import name_exit_reasons
        from bubbybot_freqtrade.blofin.account.watch import AccountWatch

        name_exit_reasons()
        self._database.remember_deleted_entries()
        if not is_on_this_machine(self._api):
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
        """Load tiers kept on disk, but for those that are due to be asked for again.

        At start that is all that are old, later the oldest few: hundreds of requests would hold up
        the loop.
        """
        file = self._tiers_file(stake_currency)
        kept = super().load_cached_leverage_tiers(file, cache_time) or {}
        oldest = dt_ts(dt_now() - TIERS_AGE)
        asked_at = {pair: _asked_at(tiers) for pair, tiers in kept.items()}
        due = sorted((pair for pair in kept if asked_at[pair] < oldest), key=asked_at.__getitem__)
        for pair in due[: TIERS_AT_ONCE if self._leverage_tiers else None]:
            del kept[pair]
        self._tier_tickers = self._prices_for_tiers() if due or not kept else {}
        return kept

    def _prices_for_tiers(self) -> dict[str, Any]:
        try:
            return dict(self._api.fetch_tickers())
        except ccxt.BaseError as e:
            # Each market's price is asked for with its tiers then.
            logger.warning(f"Leverage tiers are loaded without a list of prices: {e}")
            return {}

    @retrier_async
    async def get_market_leverage_tiers(self, symbol: str) -> tuple[str, list[dict]]:
        """
        Leverage tiers per symbol
        :param symbol: ccxt symbol
        :return: symbol and its tiers, with the time they were asked for
        """
        ticker = self._tier_tickers.get(symbol)
        with self._freqtrade_errors(f"load the leverage tiers of {symbol}"):
            params = {"price": self._api.tier_price(ticker)} if ticker else {}
            tiers = await self._api_async.fetch_market_leverage_tiers(symbol, params)
        return symbol, [{**tier, "askedAt": dt_ts()} for tier in tiers]

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
