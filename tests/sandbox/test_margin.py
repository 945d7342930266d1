"""The margin formulas against the numbers of the reference's own examples."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bubbybot_freqtrade.sandbox.venue import margin

TAKER = Decimal("0.0006")

# GET Positions of the reference: 1 contract of ETH-USDT (0.1 ETH), isolated, 3x.
ETH_BASE, ETH_ENTRY, ETH_MARK, ETH_MARGIN = (
    Decimal("0.1"),
    Decimal("1591.8"),
    Decimal("1591.69"),
    Decimal("53.06"),
)
ETH_RATE = Decimal("0.004")
# And 290 contracts of BCH-USDT (2.9 BCH) short, cross.
BCH_BASE, BCH_ENTRY, BCH_MARK, BCH_RATE = (
    Decimal("2.9"),
    Decimal(1890),
    Decimal(1889),
    Decimal("0.01"),
)


def test_isolated_long_of_the_reference():
    pnl = margin.unrealized_pnl(1, ETH_ENTRY * ETH_BASE, ETH_BASE, ETH_MARK)
    assert pnl == Decimal("-0.011")
    assert margin.maintenance_margin(ETH_BASE, ETH_MARK, ETH_RATE) == Decimal("0.636676")
    ratio = margin.margin_ratio(ETH_MARGIN + pnl, ETH_BASE, ETH_MARK, ETH_RATE, TAKER)
    assert ratio == Decimal("72.453752328329172684")
    price = margin.liquidation_price(1, ETH_BASE, ETH_ENTRY * ETH_BASE, ETH_MARGIN, ETH_RATE, TAKER)
    assert price == Decimal("1066.104078762306610407")


def test_cross_short_of_the_reference():
    pnl = margin.unrealized_pnl(-1, BCH_ENTRY * BCH_BASE, BCH_BASE, BCH_MARK)
    assert pnl == Decimal("2.9")
    assert margin.maintenance_margin(BCH_BASE, BCH_MARK, BCH_RATE) == Decimal("54.781")
    # The account's equity is not in the example; its margin ratio and its liquidation price
    # must agree on it.
    equity = Decimal("172426.851188979265788635") * BCH_BASE * BCH_MARK * (BCH_RATE + TAKER)
    price = margin.liquidation_price(
        -1, BCH_BASE, BCH_ENTRY * BCH_BASE, equity - pnl, BCH_RATE, TAKER
    )
    assert price == pytest.approx(Decimal("3418227.599542259480103079"), rel=Decimal("1e-20"))


@pytest.mark.parametrize("direction", [1, -1])
def test_bankruptcy_costs_the_margin_and_nothing_more(direction):
    base, entry_value, put_up = (
        Decimal("0.37"),
        Decimal("0.37") * Decimal("60123.4"),
        Decimal("444.3"),
    )
    tick = Decimal("0.1")
    price = margin.bankruptcy_price(direction, base, entry_value, put_up, TAKER, tick)

    def left(at):
        return put_up + direction * (at * base - entry_value) - at * base * TAKER

    assert price % tick == 0
    assert left(price) >= 0 > left(price - direction * tick)


@pytest.mark.parametrize("direction", [1, -1])
def test_at_the_liquidation_price_the_ratio_is_one(direction):
    base, entry_value, put_up, rate = (
        Decimal("0.2"),
        Decimal("0.2") * Decimal(50_000),
        Decimal(1000),
        Decimal("0.005"),
    )
    price = margin.liquidation_price(direction, base, entry_value, put_up, rate, TAKER)
    equity = put_up + margin.unrealized_pnl(direction, entry_value, base, price)
    ratio = margin.margin_ratio(equity, base, price, rate, TAKER)
    assert ratio == pytest.approx(Decimal(1), abs=Decimal("1e-12"))
