"""Candles by websocket: many markets on one connection, and another one when it is lost.

BloFin's reference says how often an address may connect (once a second) and how long a message may
be (4,096 bytes), and nothing of how many channels a connection takes. ccxt has one connection for
all that is public, on which it subscribes ten channels a second, and so it stays: a channel that
BloFin refuses leaves the others alone, and candles that are not pushed are asked for.
"""

import logging
from asyncio import sleep
from time import monotonic
from typing import Any

import ccxt

logger = logging.getLogger(__name__)

# Of each series; ccxt's thousand of 400 pairs are a quarter of a gigabyte of Python floats, copied
# whenever freqtrade looks at one. Who has missed more than these has to ask.
_KEPT_CANDLES = 24

UNSUBSCRIBE = "unsubscribe:"

PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Before each attempt to connect again, of every websocket; one a second may be opened."""


class CandleStreams:
    """The candles' side of the websockets; mixed into the pro class."""

    # Attempts since the last candle, and when (monotonic, s) the next is due.
    _attempts = 0
    _next_attempt = 0.0

    def describe(self: Any) -> dict[str, Any]:
        """What the pro class can do, candles' unsubscription included."""
        has = {"unWatchOHLCV": True, "unWatchOHLCVForSymbols": True}
        options = {"OHLCVLimit": _KEPT_CANDLES}
        described = super().describe()  # type: ignore[misc]
        return self.deep_extend(described, {"has": has, "options": options})

    async def watch_ohlcv(
        self: Any,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Any = None,
    ) -> list[Any]:
        """The candles of a market; from another connection where one is lost.

        Hundreds of them wait for one connection. freqtrade, which would begin each of them anew,
        does so half a minute later and prints a traceback for each.

        :raises ccxt.ExchangeError: when the venue refuses, or the connection is closed by its user
        """
        while True:
            try:
                return await super().watch_ohlcv(  # type: ignore[misc]
                    symbol, timeframe, since, limit, dict(params or {})
                )
            except ccxt.NetworkError as e:
                await self.wait_to_connect(e)

    async def wait_to_connect(self: Any, error: ccxt.NetworkError) -> None:
        """Wait for the next attempt, which all that have lost the same connection share."""
        now = monotonic()
        if now >= self._next_attempt:
            self._next_attempt = now + PAUSES_S[min(self._attempts, len(PAUSES_S) - 1)]
            self._attempts += 1
            if self._attempts == 1:
                logger.info(
                    "The websocket of candles was lost and is connected again; candles that it "
                    f"misses are asked for. Message: {error}"
                )
        await sleep(self._next_attempt - now)

    def handle_ohlcv(self: Any, client: Any, message: dict[str, Any]) -> None:
        """Keep only candles that follow one another, each of them ended by the venue's own word.

        The venue marks the last push of a candle (``confirm``). Where that push did not come, or
        candles are missing, those received before are forgotten: whoever needs them has to ask.
        """
        arg = message["arg"]
        symbol = self.safe_symbol(arg["instId"], None, "-", "swap")
        timeframe = self.find_timeframe(arg["channel"].replace("candle", ""))
        self.last_pushed[(symbol, timeframe)] = self.milliseconds()
        self._attempts = 0
        rows = [row for row in message["data"] if self.is_next_push(symbol, timeframe, row)]
        super().handle_ohlcv(client, {**message, "data": rows})  # type: ignore[misc]

    def is_next_push(self: Any, symbol: str, timeframe: str, row: list[str]) -> bool:
        """Whether a pushed candle belongs after those received; drops what it doesn't follow."""
        opened, ended = int(row[0]), self.last_ended.get((symbol, timeframe), 0)
        stored = self.ohlcvs.get(symbol, {}).get(timeframe) or []
        newest = stored[-1][0] if stored else 0
        if opened <= ended or opened < newest:
            return False
        step = self.parse_timeframe(timeframe) * 1000
        if newest and opened > newest and (ended != newest or opened != newest + step):
            stored.clear()
        if str(row[-1]) == "1":
            self.last_ended[(symbol, timeframe)] = opened
        return True

    @property
    def last_ended(self: Any) -> dict[tuple[str, str], int]:
        """Opening time (ms) of the last candle that ended while it was watched."""
        ended: dict[tuple[str, str], int] = self.__dict__.setdefault("_last_ended", {})
        return ended

    @property
    def last_pushed(self: Any) -> dict[tuple[str, str], int]:
        """When something was last heard (ms) of a market's candles."""
        heard: dict[tuple[str, str], int] = self.__dict__.setdefault("_last_pushed", {})
        return heard

    async def un_watch_ohlcv(
        self: Any, symbol: str, timeframe: str = "1m", params: Any = None
    ) -> Any:
        """Stop watching a market's candles."""
        return await self.un_watch_ohlcv_for_symbols([[symbol, timeframe]], params)

    async def un_watch_ohlcv_for_symbols(
        self: Any, symbols_and_timeframes: list[list[str]], params: Any = None
    ) -> bool:
        """Stop watching candles, as ``[[symbol, timeframe], ...]``; forgets the ones received.

        Does nothing for what is not watched, and opens no connection for it.
        """
        if self.markets is None:
            await self.load_markets()
        url = self.urls["api"]["ws"]["swap"]["public"]
        client = (self.clients or {}).get(url)
        for symbol, timeframe in symbols_and_timeframes:
            market = self.market(symbol)
            channel = "candle" + self.safe_string(self.timeframes, timeframe, timeframe)
            watched = f"{channel}:{market['symbol']}"
            if client is None or watched not in client.subscriptions:
                continue
            ended = UNSUBSCRIBE + watched
            request = {
                "op": "unsubscribe",
                "args": [{"channel": channel, "instId": market["id"]}],
            }
            await self.watch(url, ended, self.extend(request, params or {}), ended)
            self.ohlcvs.get(market["symbol"], {}).pop(timeframe, None)
        return True
