"""What a backtest's result keeps of a plan.

freqtrade's export drops a trade's custom data and keeps the tags of its orders, so a backtest's
entry order carries the plan's levels and regime in its tag (the trade's own enter tag stays as it
is).
"""

import re

from bubbybot_freqtrade.risk.plan import TradePlan

_LEVELS = re.compile(r"\[stop=(\S+) target=(\S+) confidence=(\S+?)(?: regime=([^\]]*))?\]$")


def with_levels(tag: str, plan: TradePlan) -> str:
    """An order's tag with the plan's stop, target (quote currency) and confidence behind it."""
    levels = f"[stop={plan.stop!r} target={plan.target!r} confidence={plan.confidence:.4f}"
    regime = f" regime={plan.regime}" if plan.regime else ""
    return f"{tag} {levels}{regime}]".lstrip()


def read_levels(tag: str) -> dict[str, float]:
    """Stop, target and confidence of a tag by `with_levels`; empty for any other."""
    found = _LEVELS.search(tag)
    names = ("stop", "target", "confidence")
    return {} if found is None else dict(zip(names, map(float, found.groups()[:3]), strict=True))


def read_regime(tag: str) -> str:
    """The regime of a tag by `with_levels`; empty where it has none."""
    found = _LEVELS.search(tag)
    return (found[4] or "") if found else ""
