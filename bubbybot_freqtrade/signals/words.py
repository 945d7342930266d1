"""Prices and enter tags as people read them."""

from bubbybot_freqtrade.signals.confluence import EVIDENCE, STATE_ONLY, Side

ANALYZERS = {"mc": "Market Cipher", "lux": "Lux Algo", "fc": "Frankie Candles"}


def price(value: float) -> str:
    """A price as people read it: thousands apart, no float noise, no more digits than needed."""
    return f"{value:,.8g}" if abs(value) < 1e8 else f"{value:,.0f}"


def reasons(tag: str, side: Side) -> str:
    """An enter tag in words: each analyzer and its strongest evidence."""
    words = []
    for part in tag.split():
        prefix, _, code = part.partition(":")
        if prefix in ANALYZERS and code:
            words.append(f"{ANALYZERS[prefix]} {_evidence(side, prefix, code)}")
        else:
            words.append(part)
    return ", ".join(words)


def _evidence(side: Side, prefix: str, code: str) -> str:
    if code == STATE_ONLY:
        return "trend"
    columns = [item.column for item in EVIDENCE[side][prefix] if item.code == code]
    return columns[0].removeprefix(f"{prefix}_").replace("_", " ") if columns else code
