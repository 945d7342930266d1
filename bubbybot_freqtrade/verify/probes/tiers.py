"""Position tiers: the unit of their sizes, and where they end."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Any

from bubbybot_freqtrade.verify.client import Reply
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, probe
from bubbybot_freqtrade.verify.view import NotMeasuredError

GROUP = "tiers"
TOO_LARGE = "542"
NO_MARGIN = "103003"
# Beyond the border, whatever the price does meanwhile.
CLEARLY = Decimal("1.05")


def first_tier(desk: Desk) -> dict[str, Any]:
    """The tier of the smallest positions, with the pair's leverage set to its highest."""
    rows = desk.public(
        "market/position-tiers", instId=desk.instrument.inst_id, marginMode=desk.margin_mode
    ).rows
    if not rows:
        raise NotMeasuredError("the pair has no tiers")
    tier = min(rows, key=lambda row: Decimal(row["maxSize"]))
    reply = desk.set_leverage(Decimal(tier["maxLeverage"]))
    if not reply.ok:
        raise NotMeasuredError(f"the tier's leverage is refused: {reply.words}")
    return tier


def try_size(desk: Desk, contracts: Decimal, price: Decimal) -> Reply:
    """Whether an order may be as large: fill-or-kill and far below the market, so it never is."""
    _, reply = desk.send_order("buy", contracts, price=price, orderType="fok")
    if reply.code == NO_MARGIN:
        needed = contracts * desk.instrument.contract_value * price / desk.leverage()
        raise NotMeasuredError(f"the account is too small: it takes {needed:.0f} USDT of margin")
    if not reply.ok and reply.code != TOO_LARGE:
        raise NotMeasuredError(f"the order is refused otherwise: {reply.words}")
    return reply


@probe(
    GROUP,
    "In which unit are the sizes of position-tiers?",
    setting="tier_unit",
    readings={"contracts": "contracts", "quote": "USDT", "neither": "neither contracts nor USDT"},
    advice="The bot takes them for contracts: entries would be refused (542) and maintenance "
    "margin be taken for too low. Report it.",
)
def tier_unit(desk: Desk) -> Answer:
    """An order between the two borders: too large by one unit, not by the other.

    It can never fill; it takes no more than the account's margin to be looked at.
    """
    return unit_of(desk, first_tier(desk), desk.far_price())


def unit_of(desk: Desk, tier: dict[str, Any], price: Decimal) -> Answer:
    """By an order that is too large in one unit, and not in the other."""
    worth = desk.instrument.contract_value * price
    border = Decimal(tier["maxSize"])
    in_quote = border / worth
    low, high = sorted((border, in_quote))
    size = desk.instrument.size(low * CLEARLY)
    if size >= high:
        raise NotMeasuredError("a contract of this pair is worth about a USDT: take another pair")
    reply = try_size(desk, size, price)
    figures = f"tier 1 ends at {border:f}; {size:f} contracts ({size * worth:.0f} USDT): "
    figures += "accepted" if reply.ok else reply.words
    wide = "contracts" if border > in_quote else "quote"
    narrow = "quote" if wide == "contracts" else "contracts"
    return Answer(wide if reply.ok else narrow, figures)


@probe(
    GROUP,
    "Is the border of a tier part of it?",
    assumed="included",
    readings={"included": "it is, and a lot more is refused", "excluded": "it is not"},
    copes=("excluded", "wider"),
)
def tier_border(desk: Desk) -> Answer:
    """Orders at the first tier's border, and a lot beyond it."""
    tier = first_tier(desk)
    price = desk.far_price()
    border = (Decimal(tier["maxSize"]) / desk.instrument.lot).quantize(Decimal(1), ROUND_FLOOR)
    border *= desk.instrument.lot
    if border + desk.instrument.lot > desk.instrument.max_limit_size:
        raise NotMeasuredError("the tier ends beyond the largest order")
    at, beyond = (try_size(desk, border + more, price) for more in (0, desk.instrument.lot))
    figures = f"{border:f} contracts: {at.words}; a lot more: {beyond.words}"
    if not at.ok:
        if unit_of(desk, tier, price).reading != "contracts":
            raise NotMeasuredError("the sizes are not in contracts")
        return Answer("excluded", figures)
    return Answer("wider" if beyond.ok else "included", figures)


PROBES = (tier_unit, tier_border)
