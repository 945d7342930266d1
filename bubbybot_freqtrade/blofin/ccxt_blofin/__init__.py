"""ccxt's BloFin, mended and completed: `BlofinSync`, `BlofinAsync` and `BlofinPro`.

They are used like ``ccxt.blofin``, ``ccxt.async_support.blofin`` and ``ccxt.pro.blofin`` and answer
to the same name. What differs between those three is only how a request waits for its answer, so
requests, parsing, errors and the steps of every method stand once (`errors`, `access`,
`time_difference`, `description`; `markets`, `orders`, `account` and their `..._calls`); `streams`
is for websockets alone.
"""

from typing import Any

from ccxt.async_support.blofin import blofin as _StockAsync  # noqa: N812 - a class, named by its id
from ccxt.blofin import blofin as _StockSync  # noqa: N812
from ccxt.pro.blofin import blofin as _StockPro  # noqa: N812

from bubbybot_freqtrade.blofin.ccxt_blofin.access import Access
from bubbybot_freqtrade.blofin.ccxt_blofin.account import Account
from bubbybot_freqtrade.blofin.ccxt_blofin.account_calls import AccountCalls
from bubbybot_freqtrade.blofin.ccxt_blofin.budget import AsyncBudget, SyncBudget
from bubbybot_freqtrade.blofin.ccxt_blofin.calls import awaiting, blocking, with_calls
from bubbybot_freqtrade.blofin.ccxt_blofin.description import Description
from bubbybot_freqtrade.blofin.ccxt_blofin.errors import Errors
from bubbybot_freqtrade.blofin.ccxt_blofin.market_calls import MarketCalls
from bubbybot_freqtrade.blofin.ccxt_blofin.markets import Markets
from bubbybot_freqtrade.blofin.ccxt_blofin.order_calls import OrderCalls
from bubbybot_freqtrade.blofin.ccxt_blofin.order_rows import OrderRows
from bubbybot_freqtrade.blofin.ccxt_blofin.orders import Orders
from bubbybot_freqtrade.blofin.ccxt_blofin.redirects import AsyncRedirects, SyncRedirects
from bubbybot_freqtrade.blofin.ccxt_blofin.streams import Streams
from bubbybot_freqtrade.blofin.ccxt_blofin.time_difference import TimeDifference

__all__ = ["BlofinAsync", "BlofinPro", "BlofinSync"]


_CALLS = (MarketCalls, OrderCalls, AccountCalls)


class _Blofin(Errors, Access, Description, Markets, Orders, OrderRows, Account, TimeDifference):
    """What sync, async and pro have in common."""


@with_calls(blocking, *_CALLS)
class BlofinSync(_Blofin, SyncBudget, SyncRedirects, _StockSync):
    """``ccxt.blofin``."""


@with_calls(awaiting, *_CALLS)
class BlofinAsync(_Blofin, AsyncBudget, AsyncRedirects, _StockAsync):
    """``ccxt.async_support.blofin``."""


@with_calls(awaiting, *_CALLS)
class BlofinPro(Streams, _Blofin, AsyncBudget, AsyncRedirects, _StockPro):
    """``ccxt.pro.blofin``: the async class and the websockets."""


def _as_ccxt_names_it(*classes: Any) -> None:
    # ccxt and freqtrade print the class; its users know it by the exchange's id.
    for cls in classes:
        cls.__name__ = cls.__qualname__ = "blofin"


_as_ccxt_names_it(BlofinSync, BlofinAsync, BlofinPro)
