"""Prices of what is held, by the public websocket: they wake the loop, and are nothing else.

What a price means for a trade is judged in the loop that it wakes, on prices that are asked for. So
a push that is late, wrong or lost costs a loop, or leaves the loop to come after its pause.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import ccxt

from bubbybot_freqtrade.blofin.ccxt_blofin.candle_streams import PAUSES_S
from bubbybot_freqtrade.blofin.exchange.price_moves import PriceAlarm, PriceMoves

logger = logging.getLogger(__name__)

CHANNEL = "tickers"
# As for the account: BloFin cuts a websocket after 30 s of silence.
PING_MS = 5_000
SILENCE_S = 15.0
# Between two looks at what is held now.
LOOK_S = 0.2
# BloFin takes 4,096 bytes in a message.
MOST_A_MESSAGE = 40


class PriceStream:
    """Listens to the tickers of the pairs that are held, as long as there are any.

    :param on_move: called on the stream's thread when a price moves fast, or reaches the alarm
    """

    def __init__(self, on_move: Callable[[], None]) -> None:
        self._on_move = on_move
        # Set by the loop's thread and never changed in place: pairs by the venue's names.
        self._followed: Mapping[str, str] = {}
        self._alarm = PriceAlarm()
        self._reached: frozenset[str] = frozenset()
        self._fast = PriceMoves()
        # By the venue's name: the price, and when it came (monotonic, s).
        self._prices: dict[str, tuple[float, float]] = {}
        self._asked: set[str] = set()
        self._heard_at = 0.0
        # To connect, since the last price.
        self._attempts = 0
        self._is_told = False
        # Pushes so far, and those that woke the loop.
        self.pushes = 0
        self.moves = 0

    def shown(self, max_age: float) -> dict[str, float]:
        """The last prices of pairs that are no older than so many seconds, for people to look at.

        From any thread.
        """
        since = time.monotonic() - max_age
        known = {name: price for name, (price, at) in dict(self._prices).items() if at >= since}
        return {pair: known[name] for name, pair in self._followed.items() if name in known}

    def follow(self, pairs: Mapping[str, str]) -> None:
        """What is held now: pairs by the venue's names. From any thread."""
        self._followed = pairs

    def set_alarm(self, alarm: PriceAlarm) -> None:
        """Wake the loop when a price gets there; takes the place of the one before."""
        self._alarm = alarm

    async def listen(self, api: Any) -> None:
        """Connect again and again; on the stream's thread, until it is canceled.

        :param api: ccxt's pro BloFin, used for nothing else
        """
        api.streaming = {**api.streaming, "keepAlive": PING_MS, "maxPingPongMisses": 1e9}
        api.listener = self._hear
        try:
            while True:
                await self._session(api)
                pause = PAUSES_S[min(self._attempts, len(PAUSES_S) - 1)]
                self._attempts += 1
                self._tell_trouble()
                await asyncio.sleep(pause)
        finally:
            await api.close()

    async def _session(self, api: Any) -> None:
        """One connection until its end."""
        while not self._followed:
            await asyncio.sleep(LOOK_S)
        await api.wait_for_turn("public")
        self._fast.forget()
        self._prices.clear()
        self._asked = set(list(self._followed)[:MOST_A_MESSAGE])
        self._heard_at = asyncio.get_running_loop().time()
        keeper = asyncio.ensure_future(self._keep(api))
        try:
            await api.listen_to("public", _channels(self._asked))
        except (ccxt.BaseError, TimeoutError, ConnectionError) as e:
            logger.debug(f"The prices' websocket ended: {type(e).__name__} {e}")
        finally:
            keeper.cancel()
            await api.close_ws_clients()

    async def _keep(self, api: Any) -> None:
        """Follow what is held; end a connection that is silent."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_S)
            if loop.time() - self._heard_at > SILENCE_S:
                for client in (api.clients or {}).values():
                    client.reject(ccxt.NetworkError("it is silent"))
                return
            wanted = set(self._followed)
            for op, names in (
                ("subscribe", wanted - self._asked),
                ("unsubscribe", self._asked - wanted),
            ):
                some = set(sorted(names)[:MOST_A_MESSAGE])
                if some and await api.send_to("public", op, _channels(some)):
                    self._asked ^= some
                    self._drop(self._asked)

    def _drop(self, asked: set[str]) -> None:
        """Forget the prices of pairs that are not followed any more."""
        for name in self._prices.keys() - asked:
            del self._prices[name]

    def _hear(self, message: Any) -> bool:
        """Take a message in; whether it was about prices."""
        self._heard_at = asyncio.get_running_loop().time()
        if not isinstance(message, dict):
            return False
        if message.get("event") == "error":
            # Of one pair, which BloFin may just have taken away; the others go on.
            logger.debug(f"BloFin does not push a price: {message.get('msg')}")
            return True
        arg = message.get("arg")
        if not isinstance(arg, dict) or arg.get("channel") != CHANNEL:
            return False
        if message.get("event") is None:
            self._take(message.get("data"))
        return True

    def _take(self, rows: Any) -> None:
        """Take prices in. What can't be read is none."""
        fast = False
        for row in rows if isinstance(rows, list) else ():
            try:
                name, price = str(row["instId"]), float(row["last"])
            except (KeyError, TypeError, ValueError):
                continue
            if name in self._asked and 0 < price < math.inf:
                self._prices[name] = price, time.monotonic()
                fast |= self._fast.is_fast(name, price)
        followed = self._followed
        known = {followed[n]: p for n, (p, _) in self._prices.items() if n in followed}
        before, self._reached = self._reached, self._alarm.reached(known)
        wakes = fast or bool(self._reached - before)
        self.moves += wakes
        self.pushes += 1
        self._attempts = 0
        if self._is_told:
            self._is_told = False
            logger.warning("The websocket of prices works again.")
        if wakes:
            self._on_move()

    def _tell_trouble(self) -> None:
        """Say once, as long as it lasts, that prices are looked at in each loop alone."""
        # After a first short gap nothing is told: the next attempt mostly succeeds.
        if self._attempts > 1 and not self._is_told:
            self._is_told = True
            logger.warning(
                "The websocket of prices can't be had: fast prices of open trades are seen in "
                "each loop, not between them. Nothing has to be done."
            )


def _channels(names: set[str]) -> list[dict[str, str]]:
    return [{"channel": CHANNEL, "instId": name} for name in sorted(names)]
