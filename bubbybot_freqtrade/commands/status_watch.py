"""`bubbybot status --watch`: the table stays, and follows what BloFin pushes.

A push of the account has it looked at again, over REST as ever: only prices are taken as they are
pushed, those of the last seconds, and the profits that they make. The account's thirty requests in
ten seconds are shared with the bot, so a look comes no sooner than two seconds after the last.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import ccxt
from freqtrade.exceptions import FreqtradeException
from freqtrade.exchange import Exchange
from rich.console import Console, Group
from rich.live import Live

from bubbybot_freqtrade.commands.status_table import Look

# Seconds between two looks: after a push, and at most, for a push may never come.
LEAST, MOST = 2.0, 15.0
# Between two pictures of pushed prices, and how old those may be.
PICTURE, OLDEST_PRICE = 1.0, 5.0


def watched(console: Console, exchange: Exchange, look: Callable[[], Look]) -> Look:
    """Show the table until Ctrl-C; the last look at it.

    :param exchange: freqtrade's, through our extension; listened to unless it trades on paper
    """
    real_time = exchange.real_time
    seen = look()
    if not exchange._config["dry_run"]:
        real_time.stream.start()
    try:
        with Live(console=console, auto_refresh=False) as live:
            trouble = ""
            while True:
                _follow(live, exchange, seen, trouble)
                real_time.bell.hush()
                try:
                    seen, trouble = look(), ""
                except (FreqtradeException, ccxt.BaseError) as error:
                    trouble = f"Not asked again since {_now()}: {error}"
    except KeyboardInterrupt:
        # How it is ended.
        return seen
    finally:
        real_time.end()


def _follow(live: Live, exchange: Exchange, seen: Look, trouble: str) -> None:
    """Show what was seen, at pushed prices, until it is time for another look."""
    real_time, began = exchange.real_time, time.monotonic()
    pairs = {one.pair for one in seen.positions} & exchange.markets.keys()
    real_time.prices.follow({exchange.markets[pair]["id"]: pair for pair in pairs})
    while True:
        age = time.monotonic() - began
        if age >= MOST or (age >= LEAST and real_time.bell.is_rung):
            return
        pushed = " and as BloFin pushes it" if real_time.is_heard else ""
        how = f"{_now()}, every {MOST:g} s{pushed}"
        lines = [*([trouble] if trouble else []), f"{how}. Ctrl-C ends it."]
        picture = seen.at(real_time.prices.shown(OLDEST_PRICE)).shown()
        live.update(Group(picture, *lines), refresh=True)
        # A ring that came too early would end each wait.
        if real_time.bell.is_rung:
            time.sleep(min(PICTURE, LEAST - age))
        else:
            real_time.bell.wait(PICTURE)


def _now() -> str:
    return f"{datetime.now(UTC):%H:%M:%S} UTC"
