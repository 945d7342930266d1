"""The private websocket of an account, on a thread of its own.

It never says what is, only that something has changed: which lists are true REST alone tells
(`loop_state`), and what it has told is proven by them (`trust`). A push that is old, comes twice or
out of order costs a question more, one that is lost is found by the next check, and nothing is ever
canceled, booked or placed on a push's word.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock, Thread
from typing import Any

import ccxt

from bubbybot_freqtrade.blofin.ccxt_blofin.candle_streams import PAUSES_S
from bubbybot_freqtrade.blofin.exchange.price_moves import PriceMoves
from bubbybot_freqtrade.blofin.exchange.price_stream import PriceStream
from bubbybot_freqtrade.blofin.exchange.pushed_rows import LIST_OF_CHANNEL, Pushed, read_push

logger = logging.getLogger(__name__)

CHANNELS = ("orders", "orders-algo", "positions", "account")

# BloFin cuts a websocket after 30 s of silence. Pings come oftener: what happens while a dead
# connection is taken for a live one is seen that much later than by asking every loop.
PING_MS = 2_000
SILENCE_S = 5.0
# A login and four subscriptions take two round trips.
PATIENCE_S = 10.0
# A key that is refused stays refused until its owner does something.
PAUSE_REFUSED_S = 60.0
# Rows that wait for a loop; older ones are dropped, and count as not pushed.
_MOST_ROWS = 5_000

# What of a pushed position is a change of it; its value moves with every price.
_OF_POSITION = ("positions", "averagePrice", "leverage", "marginMode", "margin")


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the websocket knows at a moment.

    session: number of the connection, another one after every gap; None while there is none that
    can be relied on. changes: pushes so far that told of a changed order, stop or position. data:
    pushes so far of any kind. moves: those that told of a position whose price moves fast.
    """

    session: int | None = None
    changes: int = 0
    data: int = 0
    moves: int = 0


class AccountStream:
    """Listens to one account from `start` to `stop`.

    :param make_api: ccxt's pro BloFin, made on the stream's thread
    :param on_change: called on the stream's thread when something has changed that can't wait:
        anything but an order that was placed, and a position's price when it moves fast
    :param prices: heard on the same thread, as long
    """

    def __init__(
        self, make_api: Callable[[], Any], on_change: Callable[[], None], prices: PriceStream
    ) -> None:
        self._make_api = make_api
        self._beside = prices
        self._on_change = on_change
        self._lock = Lock()
        self._pulse = Pulse()
        self._sessions = 0
        self._positions: dict[str, tuple[Any, ...]] = {}
        self._marks = PriceMoves()
        # Orders that wait, as far as they were pushed in this session.
        self._waiting: set[str] = set()
        self._confirmed: set[str] = set()
        self._heard_at = 0.0
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._attempts = 0
        self._rows: deque[Pushed] = deque(maxlen=_MOST_ROWS)
        self.trouble: str | None = None

    @property
    def pulse(self) -> Pulse:
        """What is known now; from any thread."""
        with self._lock:
            return self._pulse

    def take_rows(self) -> list[Pushed]:
        """The rows that were pushed since this was asked last; from any thread."""
        with self._lock:
            rows = list(self._rows)
            self._rows.clear()
        return rows

    @property
    def is_running(self) -> bool:
        """Whether its thread is there."""
        return self._thread is not None

    def start(self) -> None:
        """Begin to listen; does nothing to one that does."""
        if self._thread is None:
            self._thread = Thread(name="blofin_account", target=self._live, daemon=True)
            self._loop = asyncio.new_event_loop()
            self._task = self._loop.create_task(self._listen())
            self._thread.start()

    def stop(self) -> None:
        """Close the websocket and end the thread; does nothing to one that doesn't listen."""
        thread, loop, task = self._thread, self._loop, self._task
        if thread is None or loop is None or task is None:
            return
        self._thread = None
        if not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)
        thread.join(timeout=PATIENCE_S)
        if thread.is_alive():
            logger.warning(
                "The thread of the account's websocket does not end by itself. Nothing relies on "
                "it any more, and it ends with the bot. Nothing has to be done."
            )

    def renew(self) -> None:
        """Connect anew: it did not tell of a change, which a lost subscription would explain."""
        loop = self._loop
        if self.is_running and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._reject)

    # On its thread

    def _live(self) -> None:
        loop, task = self._loop, self._task
        if loop is None or task is None:
            return
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            left = asyncio.all_tasks(loop)
            for one in left:
                one.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def _listen(self) -> None:
        """Connect again and again."""
        api = self._api = self._make_api()
        api.streaming = {**api.streaming, "keepAlive": PING_MS, "maxPingPongMisses": 1e9}
        api.listener = self._hear
        prices = asyncio.ensure_future(self._beside.listen(self._make_api()))
        try:
            while True:
                pause = await self._session(api)
                await asyncio.sleep(pause)
        finally:
            self._set_session(None)
            prices.cancel()
            await api.close()

    async def _session(self, api: Any) -> float:
        """One connection until its end; how long to wait before the next one, s."""
        await api.wait_for_turn("private")
        self._confirmed.clear()
        self._positions.clear()
        self._waiting.clear()
        self._marks.forget()
        self._heard_at = self._now()
        watchdog = asyncio.ensure_future(self._watch(api))
        reason = ""
        pause = PAUSES_S[min(self._attempts, len(PAUSES_S) - 1)]
        self._attempts += 1
        try:
            await asyncio.wait_for(api.authenticate(), PATIENCE_S)
            await api.listen_to("private", [{"channel": channel} for channel in CHANNELS])
        except (ccxt.AuthenticationError, ccxt.PermissionDenied) as e:
            pause, reason = PAUSE_REFUSED_S, f"BloFin refuses its login: {e}"
        except (ccxt.BaseError, TimeoutError, ConnectionError) as e:
            # After a first short gap nothing is told: the next attempt mostly succeeds.
            reason = "" if self._attempts <= 1 else f"it can't be had: {str(e) or type(e).__name__}"
            logger.debug(f"The account's websocket ended: {type(e).__name__} {e}")
        finally:
            watchdog.cancel()
            self._set_session(None)
            await api.close_ws_clients()
        if pause == PAUSE_REFUSED_S and reason not in (self.trouble or ""):
            # Its owner has to do something, whatever was told before.
            self.trouble = None
        if reason:
            self._tell(reason)
        return pause

    async def _watch(self, api: Any) -> None:
        """End a connection that is silent, or not subscribed in time."""
        began = self._now()
        while True:
            await asyncio.sleep(SILENCE_S / 10)
            now = self._now()
            late = self._pulse.session is None and now - began > 2 * PATIENCE_S
            silent = self._pulse.session is not None and now - self._heard_at > SILENCE_S
            if late or silent:
                self._set_session(None)
                self._reject()
                return

    def _reject(self) -> None:
        """Let whoever waits for the connection know that it has ended."""
        for client in (self._api.clients or {}).values():
            client.reject(ccxt.NetworkError("it is silent"))

    def _hear(self, message: Any) -> bool:
        """Take a message in; whether it was one of the account's."""
        self._heard_at = self._now()
        if not isinstance(message, dict):
            return False
        arg = message.get("arg")
        channel = arg.get("channel") if isinstance(arg, dict) else None
        if channel not in CHANNELS:
            return False
        event = message.get("event")
        if event == "subscribe":
            self._confirmed.add(channel)
            if self._confirmed == set(CHANNELS):
                self._sessions += 1
                self._set_session(self._sessions)
        elif event is None:
            self._take(channel, message.get("data"))
        return event in ("subscribe", None)

    def _take(self, channel: str, rows: Any) -> None:
        changed = channel in LIST_OF_CHANNEL
        wakes = changed and not self._are_new(rows)
        is_fast = False
        if channel == "positions":
            wakes = changed = self._is_news(rows)
            is_fast = self._are_fast(rows)
        with self._lock:
            if changed:
                told = rows if isinstance(rows, list) else [None]
                self._rows += [read_push(channel, row) for row in told]
            self._pulse = replace(
                self._pulse,
                data=self._pulse.data + 1,
                changes=self._pulse.changes + changed,
                moves=self._pulse.moves + is_fast,
            )
        if wakes or is_fast:
            self._on_change()

    def _are_fast(self, rows: Any) -> bool:
        """Whether the price of a pushed position moves fast. What can't be read is no price."""
        fast = False
        for row in rows if isinstance(rows, list) else ():
            try:
                fast |= self._marks.is_fast(str(row["positionId"]), float(row["markPrice"]))
            except (KeyError, TypeError, ValueError):
                continue
        return fast

    def _are_new(self, rows: Any) -> bool:
        """Whether pushed orders were placed, no more: they wait, as the bot's own mostly do."""
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return False
        are_new = True
        for row in rows:
            # As text: whatever else stands there must not end the connection.
            order_id = str(row.get("tpslId") or row.get("orderId"))
            waits = row.get("state") == "live"
            are_new &= waits and order_id not in self._waiting
            (self._waiting.add if waits else self._waiting.discard)(order_id)
        return are_new

    def _is_news(self, rows: Any) -> bool:
        """Whether pushed positions differ from those pushed before in more than their value."""
        if not isinstance(rows, list):
            return True
        changed = False
        for row in rows:
            if not isinstance(row, dict) or not row.get("positionId"):
                return True
            said = tuple(str(row.get(field)) for field in _OF_POSITION)
            changed |= self._positions.get(str(row["positionId"])) != said
            self._positions[str(row["positionId"])] = said
        return changed

    def _set_session(self, session: int | None) -> None:
        with self._lock:
            self._pulse = replace(self._pulse, session=session)
        if session is not None:
            self._attempts = 0
            if self.trouble is not None:
                self.trouble = None
                logger.warning(
                    "The account's websocket works again: orders, stops and positions "
                    "are watched in real time."
                )

    def _tell(self, reason: str) -> None:
        """Say once, as long as it lasts, that the account is asked as without a websocket."""
        if self.trouble is None:
            self.trouble = (
                f"The account's websocket is not used: {reason.rstrip('.')}. Orders, stops and "
                "positions are asked for in every loop meanwhile. Nothing has to be done."
            )
            logger.warning(self.trouble)

    def _now(self) -> float:
        return self._loop.time() if self._loop is not None else 0.0
