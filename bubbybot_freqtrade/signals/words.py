"""Prices and enter tags as people read them."""

from decimal import Decimal

from bubbybot_freqtrade.signals.confluence import EARLY, LATE
from bubbybot_freqtrade.signals.trend import Side

ANALYZERS = {"mc": "Market Cipher", "lux": "Lux Algo", "fc": "Frankie Candles"}

TRENDS = {
    "long": {EARLY: "early uptrend", LATE: "uptrend"},
    "short": {EARLY: "early downtrend", LATE: "downtrend"},
}
"""What a code of the enter tag says of the analyzer's reading, by side."""


def price(value: float) -> str:
    """A price as people read it: thousands apart, no float noise, no more digits than needed."""
    if not abs(value) < 1e8:
        return f"{value:,.0f}"
    # As a decimal, for a float's own text of small numbers has an exponent.
    return f"{Decimal(f'{value:.8g}'):,f}"


def counted(count: int, what: str) -> str:
    """A number of things, one or several of them."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def reasons(tag: str, side: Side) -> str:
    """An enter tag in words: each analyzer that is on the side, and how."""
    words = []
    for part in tag.split():
        prefix, _, code = part.partition(":")
        if prefix in ANALYZERS and code:
            words.append(f"{ANALYZERS[prefix]} {TRENDS[side].get(code, code)}")
        else:
            words.append(part)
    return ", ".join(words)
