"""What the venue shows of one pair of one account: prices, orders, TP/SLs and the position."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

from bubbybot_freqtrade.verify.client import NO_PERMISSION, NoAnswerError, RawBlofin, Reply
from bubbybot_freqtrade.verify.clock import Clock
from bubbybot_freqtrade.verify.instrument import Instrument, Prices
from bubbybot_freqtrade.verify.journal import Intent, Journal

T = TypeVar("T")

# What a new order or TP/SL may take to be seen before it counts as not there, in seconds.
PATIENCE_S = 6.0
LOOK_EVERY_S = 0.1
LOOK_SLOWER = 1.6
# Reads are asked again after these pauses; what changes something never is.
PAUSES_S = (1, 2)
# While the venue has to answer, so that what is left can go. Every request to one that has
# shut us out prolongs that.
LONGEST_PAUSE_S = 60
PAUSE_WHEN_SHUT_OUT_S = 30

# What reading an answer raises that is not of the shape that the reference shows.
MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)

OPPOSITE = {"buy": "sell", "sell": "buy"}
TRAILING_STOP = "trailing_stop"


class NotMeasuredError(Exception):
    """A probe that cannot answer here and now; the text says why."""


class PairView:
    """Asks; changes nothing. What it learns of TP/SLs of ours goes into the journal."""

    def __init__(
        self,
        client: RawBlofin,
        journal: Journal,
        clock: Clock,
        instrument: Instrument,
        *,
        hedged: bool,
    ) -> None:
        self.client = client
        self.journal = journal
        self.clock = clock
        self.instrument = instrument
        self.hedged = hedged
        self.patient_until_ms = 0
        self._pause_s = 1

    # Asking

    def get(self, path: str, *, expecting: Container[str] = (), **params: Any) -> Reply:
        """A signed read; asked again where no answer came, unless the venue has shut us out."""
        return self._read("GET", path, params, expecting, public=False)

    def public(self, path: str, **params: Any) -> Reply:
        """A read that needs no key."""
        return self._read("GET", path, params, (), public=True)

    def _read(
        self, method: str, path: str, params: Any, expecting: Container[str], *, public: bool
    ) -> Reply:
        pauses = iter(PAUSES_S)
        while True:
            try:
                return self.client.call(method, path, params, public=public, expecting=expecting)
            except NoAnswerError as error:
                if self.patient_until_ms:
                    self.wait_for_answers(error)
                    continue
                pause = next(pauses, None)
                if error.shut_out or pause is None:
                    raise
                self.clock.sleep(pause)

    def wait_for_answers(self, error: NoAnswerError) -> None:
        """Pause, longer each time; raise `error` when the patience is over."""
        if self.clock.elapsed_ms() >= self.patient_until_ms:
            raise error
        pause = PAUSE_WHEN_SHUT_OUT_S if error.shut_out else self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self.clock.sleep(pause)

    @contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """For so long, wait for a venue that does not answer."""
        self.patient_until_ms, self._pause_s = self.clock.elapsed_ms() + int(seconds * 1000), 1
        try:
            yield
        finally:
            self.patient_until_ms = 0

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Rows of a list of this pair.

        :raises NoAnswerError: for a refusal too: an empty list would say something else
        """
        reply = self.get(path, instId=self.instrument.inst_id, **params)
        if not reply.ok:
            raise NoAnswerError(f"{path}: {reply.words}")
        if len(reply.rows) != len(reply.data or ()):
            raise NoAnswerError(f"{path}: rows that are none")
        return reply.rows

    def prices(self) -> Prices:
        """Of the pair, now."""
        row = self.public("market/tickers", instId=self.instrument.inst_id).row
        names = ("last", "bidPrice", "askPrice", "askSize", "bidSize")
        try:
            return Prices(*(Decimal(row[name]) for name in names))
        except (KeyError, ArithmeticError) as error:
            raise NoAnswerError("the ticker has no prices") from error

    def eventually(self, look: Callable[[], T], seconds: float = PATIENCE_S) -> T:
        """What `look` says once it is true, or its last word when that takes too long."""
        end = self.clock.elapsed_ms() + seconds * 1000
        pause = LOOK_EVERY_S
        while not (seen := look()) and self.clock.elapsed_ms() < end:
            self.clock.sleep(pause)
            pause = min(pause * LOOK_SLOWER, 1.0)
        return seen

    # What the venue holds of ours

    def order(self, client_order_id: str) -> dict[str, Any]:
        """One plain order by our id, empty while the venue does not know it."""
        reply = self.get(
            "trade/order-detail", instId=self.instrument.inst_id, clientOrderId=client_order_id
        )
        row = reply.row if reply.ok else {}
        return row if row.get("clientOrderId") == client_order_id else {}

    def placed(self, client_order_id: str) -> dict[str, Any]:
        """The same, waited for."""
        row = self.eventually(lambda: self.order(client_order_id))
        if not row:
            raise NotMeasuredError("the order was accepted and never shown")
        return row

    def tpsl_rows(self) -> list[dict[str, Any]]:
        """Live TP/SL orders of the pair that are ours."""
        ours = []
        for row in self.rows("trade/orders-tpsl-pending", limit=100):
            tpsl_id, intents = str(row["tpslId"]), self.journal.intents.values()
            made_by = (i.client_order_id for i in intents if made_tpsl(i, row))
            maker = self.journal.learned.get(tpsl_id) or next(made_by, None)
            if maker is not None:
                self.journal.learn(tpsl_id, maker)
                ours.append(row)
        return ours

    def trailing_rows(self) -> list[dict[str, Any]]:
        """Live trailing stops of the pair that are ours; none where the venue knows no such type.

        :raises NoAnswerError: when it does not say
        """
        reply = self.get(
            "trade/orders-algo-pending",
            instId=self.instrument.inst_id,
            orderType=TRAILING_STOP,
            limit=100,
            expecting=(NO_PERMISSION,),
        )
        if not reply.ok:
            return []
        ours = []
        for row in reply.rows:
            algo_id = str(row["algoId"])
            maker = self.journal.learned.get(algo_id) or row.get("clientOrderId")
            if maker in self.journal.intents:
                self.journal.learn(algo_id, maker)
                ours.append(row)
        return ours

    def tpsl_of(self, client_order_id: str) -> list[dict[str, Any]]:
        """Live TP/SL orders that came of this intent."""
        rows, learned = self.tpsl_rows(), self.journal.learned
        return [row for row in rows if learned[str(row["tpslId"])] == client_order_id]

    def position(self, side: str = "buy") -> dict[str, Any]:
        """The position that a `buy` or `sell` opens, empty when there is none."""
        position_side = self.position_side(side)
        for row in self.rows("account/positions"):
            size = Decimal(row["positions"] or 0)
            if row.get("positionSide") == position_side and size:
                if position_side == "net" and (size > 0) != (side == "buy"):
                    continue
                return row
        return {}

    def position_side(self, side: str, *, closing: bool = False) -> str:
        """`net`, or in hedge mode the side of the position that the order works on."""
        if not self.hedged:
            return "net"
        return "long" if (side == "buy") != closing else "short"


def made_tpsl(intent: Intent, row: dict[str, Any]) -> bool:
    """True when a TP/SL row came of `intent`: by our id, or by exactly its prices and its side.

    Whether an attached TP/SL carries the entry's id is one of the questions.
    """
    if row.get("clientOrderId"):
        return bool(row["clientOrderId"] == intent.client_order_id)
    if not intent.stop and not intent.target:
        return False
    closing = intent.side if intent.kind == "tpsl" else OPPOSITE[intent.side]
    created = int(row.get("createTime") or 0)
    return (
        row.get("side") == closing
        and row.get("positionSide") == intent.position_side
        and created >= intent.at_ms - _CLOCKS_APART_MS
        and same_price(row.get("slTriggerPrice"), intent.stop)
        and same_price(row.get("tpTriggerPrice"), intent.target)
    )


# The venue's clock beside this machine's.
_CLOCKS_APART_MS = 60_000


def same_price(shown: Any, sent: str) -> bool:
    """As numbers; the venue pads them, and writes nothing, null or 0 where there is none."""
    return Decimal(shown or 0) == Decimal(sent or 0)
