"""Margin arithmetic of linear USDT contracts. Pure functions of Decimals.

The formulas were read off the numbers of the reference's position examples, which they reproduce
to the last digit (tests/sandbox/test_margin.py): maintenance is a rate on the notional at mark
price, and the margin ratio counts the taker fee of closing on top of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from bubbybot_freqtrade.sandbox.market.instruments import Tier
from bubbybot_freqtrade.sandbox.venue.amounts import ZERO, divide


def tier_of(tiers: Sequence[Tier], contracts: Decimal) -> Tier:
    """The tier a position of this size falls into; beyond the last row, the last row."""
    for tier in tiers:
        if contracts <= tier.max_size:
            return tier
    return tiers[-1]


def max_size_at(tiers: Sequence[Tier], leverage: Decimal) -> Decimal:
    """Largest position, in contracts, that this leverage may carry; 0 when no tier allows it."""
    allowed = [tier.max_size for tier in tiers if tier.max_leverage >= leverage]
    return max(allowed, default=ZERO)


def unrealized_pnl(
    direction: int, entry_value: Decimal, base_size: Decimal, mark: Decimal
) -> Decimal:
    """Profit in USDT at `mark`; `direction` 1 long, -1 short, `entry_value` entry price x base."""
    return direction * (mark * base_size - entry_value)


def maintenance_margin(base_size: Decimal, mark: Decimal, rate: Decimal) -> Decimal:
    """Maintenance requirement in USDT."""
    return base_size * mark * rate


def margin_ratio(
    equity: Decimal, base_size: Decimal, mark: Decimal, rate: Decimal, taker_fee: Decimal
) -> Decimal:
    """Equity behind the position over maintenance plus the fee of closing; 1 is liquidation."""
    return divide(equity, base_size * mark * (rate + taker_fee))


def liquidation_price(
    direction: int,
    base_size: Decimal,
    entry_value: Decimal,
    collateral: Decimal,
    rate: Decimal,
    taker_fee: Decimal,
) -> Decimal:
    """Mark price at which `margin_ratio` reaches 1; never below 0.

    `collateral` is the isolated margin; for cross the wallet's equity without this position's own
    unrealised profit.
    """
    price = divide(
        entry_value - direction * collateral,
        base_size * (1 - direction * (rate + taker_fee)),
    )
    return max(price, ZERO)


def bankruptcy_price(
    direction: int,
    base_size: Decimal,
    entry_value: Decimal,
    margin: Decimal,
    taker_fee: Decimal,
    tick_size: Decimal,
) -> Decimal:
    """The last price on tick at which closing, fee included, costs no more than the margin."""
    exact = (entry_value - direction * margin) / (base_size * (1 - direction * taker_fee))
    ticks = exact / tick_size
    rounding = ROUND_CEILING if direction > 0 else ROUND_FLOOR
    return max(ticks.to_integral_value(rounding), ZERO) * tick_size
