"""What a backtest's result keeps of a plan.

freqtrade's export drops a trade's custom data and keeps the tags of its orders, so a backtest's
entry order carries the plan's levels and regime in its tag, and the stop's moves behind them (the
trade's own enter tag stays as it is).
"""

import re
from datetime import UTC, datetime

from bubbybot_freqtrade.risk.plan import TradePlan

_LEVELS = re.compile(
    r"\[stop=(\S+) target=(\S+) confidence=(\S+?)(?: regime=([^\]]*))?\](?= \[moved |$)"
)
_MOVES = re.compile(r" \[moved ([^\]]*)\]$")

Moves = list[tuple[datetime, float]]
"""When a stop was moved, and where to (quote currency)."""


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


def with_move(tag: str, moment: datetime, stop: float) -> str:
    """An order's tag with one more move of the stop behind it."""
    moves = [*read_moves(tag), (moment, stop)]
    told = " ".join(f"{moved.timestamp():.0f}={level!r}" for moved, level in moves)
    return f"{_MOVES.sub('', tag)} [moved {told}]"


def read_moves(tag: str) -> Moves:
    """The moves of a tag by `with_move`, the oldest first; none for any other."""
    found = _MOVES.search(tag)
    pairs = (move.split("=") for move in found[1].split()) if found else ()
    return [(datetime.fromtimestamp(int(when), UTC), float(level)) for when, level in pairs]
