"""Candles over REST and websocket."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.verify.client import NoAnswerError
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, Anything, probe
from bubbybot_freqtrade.verify.stream import open_stream
from bubbybot_freqtrade.verify.view import NotMeasuredError

GROUP = "candles"
MOST = 1440
# Time, open, high, low, close and whether it has ended; traded prices have volumes between.
SHORTEST_ROW = 6
MINUTE_MS = 60_000
PUSHED_WITHIN_S = 130.0


def candles(desk: Desk, **params: Any) -> list[list[str]]:
    """Rows of market/candles, newest first."""
    reply = desk.public("market/candles", instId=desk.instrument.inst_id, bar="1m", **params)
    if not (reply.ok and isinstance(reply.data, list)):
        raise NoAnswerError(f"no candles: {reply.words}")
    if not all(isinstance(row, list) and len(row) >= SHORTEST_ROW for row in reply.data):
        raise NoAnswerError("rows that are no candles")
    return reply.data


@probe(
    GROUP,
    "How many candles come with one request?",
    assumed=MOST,
    copes=(*range(500, MOST),),
    advice="freqtrade would find holes in its candles. Report the number.",
)
def candles_per_request(desk: Desk) -> Answer:
    """More are asked for than the bot ever does."""
    return Answer(len(candles(desk, limit=2000)))


@probe(
    GROUP,
    "Does a candle say whether it has ended?",
    assumed="newest 0, others 1",
    copes=("newest 1, others 1",),
    advice="Set exchange.enable_ws to false: unfinished candles would be traded on. Report it.",
)
def candle_confirm(desk: Desk) -> Answer:
    """The last field of a row."""
    rows = candles(desk, limit=5)
    if len(rows) < 3:
        raise NotMeasuredError("the pair has too few candles")
    others = {row[-1] for row in rows[1:]}
    return Answer(f"newest {rows[0][-1]}, others {', '.join(sorted(others))}")


@probe(
    GROUP,
    "Is an ended candle of the websocket the one of REST?",
    assumed="equal",
    readings={"equal": "they are equal", "differ": "they differ"},
    advice="Set exchange.enable_ws to false. Report both rows.",
)
def candle_pushed(desk: Desk) -> Answer:
    """The first minute that ends while it is watched."""
    with open_stream(desk, private=False) as stream:
        stream.subscribe("candle1m", desk.instrument.inst_id)
        ended = desk.eventually(lambda: _ended(stream), PUSHED_WITHIN_S)
    if not ended:
        raise NotMeasuredError(f"no candle ended within {PUSHED_WITHIN_S:.0f} s")
    asked = desk.eventually(lambda: _with_time(desk, ended[0]))
    if not asked:
        raise NotMeasuredError("REST does not have the candle yet")
    equal = [Decimal(a) == Decimal(b) for a, b in zip(ended[:6], asked[:6], strict=True)]
    return Answer("equal" if all(equal) else "differ", "" if all(equal) else f"{ended}, {asked}")


def _ended(stream: Any) -> list[str]:
    return next((row for row in stream.rows("candle1m") if str(row[-1]) == "1"), [])


def _with_time(desk: Desk, moment: str) -> list[str]:
    return next((row for row in candles(desk, limit=5) if row[0] == moment), [])


@probe(
    GROUP,
    "Are mark and index candles there?",
    assumed="both",
    readings={"both": "both are"},
    copes=Anything(),
)
def other_candles(desk: Desk) -> Answer:
    """What `--candle-types mark` downloads."""
    there = [
        kind
        for kind in ("mark-price-candles", "index-candles")
        if desk.public(f"market/{kind}", instId=desk.instrument.inst_id, bar="1m", limit=5).rows
        or desk.public(f"market/{kind}", instId=desk.instrument.inst_id, bar="1m", limit=5).data
    ]
    return Answer("both" if len(there) == 2 else ", ".join(there) or "none")


PROBES = (candles_per_request, candle_confirm, candle_pushed, other_candles)
