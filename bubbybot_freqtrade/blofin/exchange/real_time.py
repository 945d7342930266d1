"""The account in real time: its websocket, the loop it wakes, and when both are there."""

import json
import math
import time
from collections.abc import Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from threading import current_thread
from typing import TYPE_CHECKING, Any

from freqtrade.constants import PairWithTimeframe
from freqtrade.exchange.exchange import Exchange
from freqtrade.misc import deep_merge_dicts
from pandas import DataFrame

from bubbybot_freqtrade.blofin.exchange.account_stream import AccountStream
from bubbybot_freqtrade.blofin.exchange.pause import LEAST_SECONDS, LEAST_SECONDS_ASKING, Bell
from bubbybot_freqtrade.blofin.exchange.price_moves import PriceAlarm
from bubbybot_freqtrade.blofin.exchange.price_stream import PriceStream
from bubbybot_freqtrade.blofin.exchange.quiet import Quiet
from bubbybot_freqtrade.blofin.exchange.settings import (
    check_seconds,
    is_account_streamed,
    silence_seconds,
)

if TYPE_CHECKING:
    from freqtrade.exchange.exchange_ws import ExchangeWS

    from bubbybot_freqtrade.blofin.account.watch import AccountWatch
    from bubbybot_freqtrade.blofin.exchange.requests import Requests

# A stop is put back by six trading requests, which must not wait after a burst of orders.
LEFT_TO_THE_GUARD = 6
# Of what is waited for, between two looks at the account: most are answered before the first.
LOOKS_APART_S = 0.1
# A look waits as well, for its own requests, and is looked amid in its turn: not without end.
MOST_LOOKS_AMID = 2


class RealTime:
    """Listens to the account while the bot loops, and wakes its loop.

    :param exchange: freqtrade's, with ccxt's BloFin behind it
    """

    def __init__(self, exchange: "AccountInRealTime") -> None:
        self._exchange = exchange
        self.bell = Bell(self.end, exchange.look_at_account, self._least_seconds)
        self.prices = PriceStream(self.bell.ring)
        self.stream = AccountStream(self._make_api, self._wake, self.prices)
        self._is_called = False
        self._failure: Exception | None = None
        self._looks_amid = 0
        # Whether the price of a position has moved fast since the loop before this one.
        self.has_moved = False
        self._moves = 0
        # Changes that the loop has looked at.
        self._looked_at = 0
        self.quiet = Quiet(
            lambda: self.stream.pulse,
            self.stream.take_rows,
            lambda: check_seconds(self._exchange._config),
            lambda: silence_seconds(self._exchange._config),
            self.stream.renew,
        )

    @property
    def is_listening(self) -> bool:
        """Whether there are websockets to listen to, heard or not."""
        return self.stream.is_running

    @property
    def is_heard(self) -> bool:
        """Whether the account's changes are told as they happen, now."""
        return self.stream.pulse.session is not None

    def is_due(self) -> bool:
        """Whether something has happened since this was asked last; to the loop's thread only."""
        if not self.is_heard or not self.bell.is_of_this_thread:
            return False
        before, self._looked_at = self._looked_at, self.stream.pulse.changes
        return self._exchange.requests.in_hand.has_left() or self._looked_at != before

    def raise_failure(self) -> None:
        """Raise, on the loop's thread, what a look has failed with while an answer was awaited."""
        if not self.bell.is_of_this_thread:
            return
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def loop_looks(self) -> None:
        """The loop is about to look at the account, by what has happened so far."""
        self._looked_at = self.stream.pulse.changes

    def loop_begins(self) -> None:
        """A loop of the bot begins; with the first one the listening does."""
        self.raise_failure()
        if is_account_streamed(self._exchange._config):
            self.bell.loop_begins()
            self.stream.start()
            session = self._exchange._api.session
            session.meanwhile, session.sign_again = self._wait_for, self._exchange._api.sign_again
            self._exchange._api.pause = self.pause
            self._exchange._api.left_to_urgent = LEFT_TO_THE_GUARD
            moves = self.stream.pulse.moves + self.prices.moves
            self.has_moved, self._moves = moves != self._moves, moves
            self._follow_open_trades()

    def wake_at(
        self,
        bounds: Mapping[str, tuple[float, float]],
        exposures: Mapping[str, tuple[float, float]] | None = None,
        room: float = math.inf,
    ) -> None:
        """Have the next loop come at once when pushed prices of open trades get there.

        Replaces what was asked for before; strategies do so in each loop. What to do then they
        judge in the loop itself, by prices that freqtrade asks for.

        :param bounds: per pair, the prices below and above which
        :param exposures: per pair, what a price higher by 1 brings (quote currency), and the price
            at which `room` was reckoned
        :param room: what all of them together may lose from there, in quote currency
        """
        self.prices.set_alarm(PriceAlarm(dict(bounds), dict(exposures or {}), room))

    def end(self) -> None:
        """No loops any more (for now): no thread, no socket, freqtrade's own pauses."""
        self.stream.stop()
        self.bell.take_down()
        # freqtrade also closes an exchange that its config kept from being made.
        api = getattr(self._exchange, "_api", None)
        if api is not None:
            api.session.meanwhile = api.pause = None
            api.left_to_urgent = 0

    def _wait_for(self, answer: Future[Any], body: str) -> None:
        """Look at the account while an answer is waited for, on the loop's thread.

        What is ordered in `body` may come to be at any moment: its pairs are left alone.
        """
        with self._exchange.requests.in_hand.hold(self._pairs_of(body)):
            while not wait([answer], timeout=LOOKS_APART_S).done:
                self._look_amid()

    def pause(self, seconds: float) -> None:
        """Wait amid something, for a place in the budget or for BloFin to show what it has taken;
        look at the account while other things happen.
        """
        if not self.is_listening:
            time.sleep(seconds)
            return
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, LOOKS_APART_S))
            self._look_amid()

    def _look_amid(self) -> None:
        """Look at the account amid something that has to be brought to its end all the same."""
        is_deepest = self._looks_amid >= MOST_LOOKS_AMID
        if is_deepest or self._failure is not None or not self.bell.is_of_this_thread:
            return
        self._looks_amid += 1
        try:
            self._exchange.look_at_account()
        except Exception as e:  # noqa: BLE001 - raised by raise_failure
            self._failure = e
        finally:
            self._looks_amid -= 1

    def _pairs_of(self, body: str) -> set[str]:
        orders = json.loads(body) if body else []
        rows = orders if isinstance(orders, list) else [orders]
        ids = {row["instId"] for row in rows if "instId" in row}
        return {self._exchange._api.safe_symbol(name, None, "-", "swap") for name in ids}

    def _follow_open_trades(self) -> None:
        """Hear the prices of open trades until the next loop."""
        # freqtrade.persistence imports freqtrade.exchange.
        from bubbybot_freqtrade.blofin.account import database

        if database.is_open():
            markets = self._exchange.markets
            pairs = {trade.pair for trade in database.open_trades()} & markets.keys()
            self.prices.follow({markets[pair]["id"]: pair for pair in pairs})

    def _wake(self) -> None:
        """Something has happened that can't wait; on the stream's thread."""
        self.bell.ring()
        if not self._is_called:
            self._is_called = True
            # A loop that fetches candles waits in its own event loop, which calls this in its
            # thread, between two answers. Otherwise it is called with the next ones, for nothing.
            with suppress(RuntimeError):  # it was closed: the bot ends
                self._exchange.loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        self._is_called = False
        self._exchange.look_at_account()

    def _least_seconds(self) -> float:
        return LEAST_SECONDS if self.quiet.trust.is_all_earned else LEAST_SECONDS_ASKING

    def news(self) -> list[str]:
        """What the owner should know of it."""
        return [*([self.stream.trouble] if self.stream.trouble else []), *self.quiet.trust.news()]

    def _make_api(self) -> Any:
        """ccxt's pro BloFin with the user's settings for it, proxies above all, as freqtrade does.

        A client of its own: freqtrade closes that of the candles whenever it likes.
        """
        settings = self._exchange._config["exchange"]
        config = deep_merge_dicts(settings.get("ccxt_config", {}), self._exchange._ccxt_config)
        config = deep_merge_dicts(settings.get("ccxt_async_config", {}), config)
        api = self._exchange._init_ccxt(settings, False, config)
        asks = self._exchange._api
        # freqtrade takes the key out of its config once the clients are made.
        api.apiKey, api.secret, api.password = asks.apiKey, asks.secret, asks.password
        # Logins are signed with the venue's time, which the sync client measures.
        api.nonce = asks.nonce
        return api


class AccountInRealTime(Exchange):
    """Where freqtrade's own methods are the place to begin, look and end."""

    real_time: RealTime
    requests: "Requests"
    account_watch: "AccountWatch | None"
    _exchange_ws: "ExchangeWS | None"

    def klines(self, pair_interval: PairWithTimeframe, copy: bool = True) -> DataFrame:
        """Return candles of a pair; between those of two pairs is time to look at the account."""
        self.look_at_account()
        return super().klines(pair_interval, copy)

    def look_at_account(self) -> None:
        """Amid a loop, in its thread: give bare positions their stop if something has changed."""
        self.real_time.raise_failure()
        if self.account_watch is not None and self.real_time.is_due():
            self.account_watch.guard()

    def close(self) -> None:
        """Close what is open, the account's websocket first."""
        if getattr(self, "real_time", None) is not None:
            self.real_time.end()
        if self._exchange_ws and current_thread().name == "ccxt_ws":
            # The garbage collector ends an exchange on any thread; the last thing that is done
            # there is to wait for that thread, which it can't for itself.
            with suppress(RuntimeError):
                self._exchange_ws.cleanup()
            self._exchange_ws = None
        super().close()
