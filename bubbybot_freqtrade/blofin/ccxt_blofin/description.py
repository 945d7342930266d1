"""What ccxt's class says about BloFin, corrected."""

from typing import Any

import ccxt

from bubbybot_freqtrade.blofin.ccxt_blofin.errors import EXACT, TooManyRequests

CANDLES_PER_REQUEST = 1440
ROWS_PER_REQUEST = 100
ORDERS_PER_BATCH = 20
LEVERAGES_PER_REQUEST = 20

MS_BETWEEN_REQUESTS = 100
"""ccxt waits 200, so that 1,500 in five minutes are never passed; the first candles of 400 pairs
take four minutes so. BloFin counts in windows, and so does the budget (`budget.py`), for all
clients: 450 may come in a minute when there were few before."""

_HAS: dict[str, bool | str] = {
    "cancelOrders": True,
    "closePosition": True,
    "createPostOnlyOrder": True,
    "createReduceOnlyOrder": True,
    "createStopLossOrder": True,
    "createTakeProfitOrder": True,
    "createOrderWithTakeProfitAndStopLoss": True,
    "createTriggerOrder": True,
    "fetchCanceledAndClosedOrders": True,
    "fetchCanceledOrders": True,
    "fetchClosedOrder": True,
    "fetchClosedOrders": True,
    # A signed request about deposits and withdrawals; ccxt makes it with every load of markets
    # when this is true. The method itself still works.
    "fetchCurrencies": False,
    "fetchFundingHistory": True,
    "fetchFundingRates": True,
    "fetchIndexOHLCV": True,
    "fetchLeverageTiers": True,
    "fetchMarketLeverageTiers": True,
    "fetchMarkOHLCV": True,
    "fetchMarkPrice": True,
    "fetchOpenOrder": True,
    "fetchOpenOrders": True,
    "fetchOrder": True,
    "fetchOrders": True,
    "fetchOrderTrades": True,
    "fetchPositionsHistory": True,
}

_CREATE_ORDER: dict[str, Any] = {
    "marginMode": True,
    "triggerPrice": True,
    "triggerPriceType": {"last": True, "mark": False, "index": False},
    "triggerDirection": False,
    "stopLossPrice": True,
    "takeProfitPrice": True,
    "attachedStopLossTakeProfit": {
        "triggerPriceType": {"last": True, "mark": True, "index": True},
        "price": True,
    },
    "timeInForce": {"IOC": True, "FOK": True, "PO": True, "GTD": False},
    "hedged": True,
}
_ORDER_LIST: dict[str, Any] = {
    "marginMode": False,
    "limit": ROWS_PER_REQUEST,
    "trigger": True,
    "trailing": False,
    "symbolRequired": False,
}
_FINISHED_LIST: dict[str, Any] = {
    **_ORDER_LIST,
    "daysBack": None,
    "daysBackCanceled": None,
    "untilDays": None,
}


class Description:
    """ccxt's ``describe``; mixed into the ccxt classes."""

    def describe(self: Any) -> dict[str, Any]:
        """ccxt's table of facts, with BloFin's own where ccxt's are missing or wrong.

        Options of this class:

        - ``positionMode``: ``net_mode`` (one-way, default) or ``long_short_mode`` (hedge); the
          account's mode, which decides the ``positionSide`` of every order. ``params['hedged']``
          says otherwise for one call.
        - ``brokerId``: sent with orders unless empty. Empty by default, as a key that is bound to
          no broker refuses any (152011).
        - ``defaultMarginMode``: ``cross`` (default) or ``isolated``.
        - ``adjustForTimeDifference``: sign with the venue's time where this machine's is seconds
          to minutes off (default). ``timeDifference`` is measured, in ms.
        """
        described = self.deep_extend(
            super().describe(),  # type: ignore[misc]
            {
                "has": _HAS,
                "rateLimit": MS_BETWEEN_REQUESTS,
                "exceptions": {"exact": EXACT},
                "httpExceptions": {"403": ccxt.DDoSProtection, "429": TooManyRequests},
                "features": {
                    "default": {
                        "createOrders": {"max": ORDERS_PER_BATCH},
                        "fetchOrder": {
                            "marginMode": False,
                            "trigger": True,
                            "trailing": False,
                            "symbolRequired": True,
                        },
                        "fetchOpenOrders": _ORDER_LIST,
                        "fetchOrders": _FINISHED_LIST,
                        "fetchClosedOrders": _FINISHED_LIST,
                        "fetchOHLCV": {"limit": CANDLES_PER_REQUEST},
                    },
                    "forDerivatives": {"createOrder": _CREATE_ORDER},
                },
                "options": {
                    "brokerId": "",
                    "positionMode": "net_mode",
                    "defaultMarginMode": "cross",
                    "adjustForTimeDifference": True,
                    "timeDifference": 0,
                },
            },
        )
        # ccxt knows the demo hosts as "test" only, but reads "demo" for enable_demo_trading().
        described["urls"]["demo"] = described["urls"]["test"]
        return described
