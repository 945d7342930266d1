"""BloFin as freqtrade's tables of facts have it."""

from freqtrade.enums import MarginMode, PriceType, TradingMode
from freqtrade.exchange.exchange_types import FtHas

FACTS: FtHas = {
    "order_time_in_force": ["GTC", "FOK", "IOC", "PO"],
    "ohlcv_candle_limit": 1440,
    "l2_limit_upper": 100,
    "trades_limit": 100,
    "ws_enabled": True,
    "supports_demo_trading": True,
    # market/position-tiers answers for one instrument at a time.
    "exchange_has_overrides": {"fetchLeverageTiers": False},
}
FACTS_OF_FUTURES: FtHas = {
    "stoploss_on_exchange": True,
    "stop_price_param": "stopLossPrice",
    "stop_price_prop": "stopLossPrice",
    "stoploss_order_types": {"limit": "limit", "market": "market"},
    # A TP/SL order reserves nothing: the stop stays while an exit order works.
    "stoploss_blocks_assets": False,
    "stop_price_type_value_mapping": {
        PriceType.LAST: "last",
        PriceType.MARK: "mark",
        PriceType.INDEX: "index",
    },
    # In hours, as freqtrade counts; see candles.fetch_funding_rates.
    "funding_fee_candle_limit": 800,
    # account/set-leverage takes whole numbers.
    "floor_leverage": True,
    "has_delisting": True,
}

TRADING_MODES: list[tuple[TradingMode, MarginMode]] = [
    (TradingMode.FUTURES, MarginMode.ISOLATED),
    (TradingMode.FUTURES, MarginMode.CROSS),
]
