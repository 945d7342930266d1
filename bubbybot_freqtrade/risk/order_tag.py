"""What a backtest's result keeps of a plan.

freqtrade's export drops a trade's custom data and keeps the tags of its orders, so a backtest's
entry order carries the plan's levels in its tag (the trade's own enter tag stays as it is).
"""

import re

from bubbybot_freqtrade.risk.plan import TradePlan

_LEVELS = re.compile(r"\[stop=(\S+) target=(\S+) confidence=(\S+)\]$")


def with_levels(tag: str, plan: TradePlan) -> str:
    """An order's tag with the plan's stop, target (quote currency) and confidence behind it."""
    levels = f"[stop={plan.stop!r} target={plan.target!r} confidence={plan.confidence:.4f}]"
    return f"{tag} {levels}".lstrip()


def read_levels(tag: str) -> dict[str, float]:
    """Stop, target and confidence of a tag by `with_levels`; empty for any other."""
    found = _LEVELS.search(tag)
    names = ("stop", "target", "confidence")
    return {} if found is None else dict(zip(names, map(float, found.groups()), strict=True))
