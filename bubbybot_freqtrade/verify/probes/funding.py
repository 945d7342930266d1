"""Funding: where an isolated position's is taken from. Waits for a settlement."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, probe
from bubbybot_freqtrade.verify.view import NotMeasuredError

GROUP = "funding"
# In an ordinary run only a settlement this near is waited for.
NEAR_S = 600
SETTLED_WITHIN_S = 120.0


def seconds_to_funding(desk: Desk) -> float:
    """Until the pair's next settlement."""
    row = desk.public("market/funding-rate", instId=desk.instrument.inst_id).row
    return (int(row["fundingTime"]) - desk.clock.now_ms()) / 1000


@probe(
    GROUP,
    "Is funding of an isolated position taken from the wallet, or from its margin?",
    setting="isolated_funding",
    readings={"wallet": "from the wallet", "margin": "from the margin: liquidation moves"},
    copes=("margin",),
    once=True,
)
def isolated_funding(desk: Desk) -> Answer:
    """The position's margin before and after a settlement."""
    if desk.margin_mode != "isolated":
        raise NotMeasuredError("only isolated positions can tell")
    left = seconds_to_funding(desk)
    if left > NEAR_S:
        raise NotMeasuredError(
            f"the next settlement is {left / 60:.0f} minutes away: run it again with "
            "--only isolated-funding less than ten minutes before it"
        )
    with desk.long() as long:
        before = Decimal(long.row["margin"])
        desk.clock.sleep(max(left, 0) + 1)
        paid = desk.eventually(lambda: _payment(desk), SETTLED_WITHIN_S)
        if not paid:
            raise NotMeasuredError("no funding fee was shown after the settlement")
        # The list of positions may be behind.
        moved = desk.eventually(lambda: (margin := _margin(desk)) and margin != before and margin)
        after = moved or _margin(desk)
        if not after:
            raise NotMeasuredError("the position is gone")
    reading = "margin" if moved else "wallet"
    return Answer(reading, f"fee {paid.get('fundingFee')}, margin {before:f}, then {after:f}")


def _margin(desk: Desk) -> Decimal:
    return Decimal(desk.position().get("margin") or 0)


def _payment(desk: Desk) -> dict[str, Any]:
    since = desk.clock.now_ms() - NEAR_S * 1000
    for row in desk.get("account/funding-fees", instId=desk.instrument.inst_id, limit=20).rows:
        if int(row.get("fundingTime") or row.get("ts") or 0) >= since:
            return row
    return {}


PROBES = (isolated_funding,)
