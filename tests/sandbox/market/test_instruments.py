from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.sandbox.market.instruments import (
    Instrument,
    catalogue,
    instrument,
    instrument_at_price,
    tiers,
)

relaxed = settings(deadline=None)

numbered = st.integers(1, 10_000).map(lambda number: instrument(f"ALT{number}-USDT"))


def test_the_familiar_six_come_first() -> None:
    bases = [contract.base for contract in catalogue(6)]
    assert bases == ["BTC", "ETH", "SOL", "XRP", "DOGE", "AVAX"]


def test_facts_of_the_reference_and_of_the_venue() -> None:
    """The reference's example of market/instruments: 0.001 BTC a contract, at least 0.1."""
    btc = instrument("BTC-USDT")
    assert (btc.contract_value, btc.min_size, btc.lot_size) == (
        Decimal("0.001"),
        Decimal("0.1"),
        Decimal("0.1"),
    )
    assert (btc.max_leverage, btc.expire_time, btc.state) == (Decimal(150), 0, "live")
    assert (btc.inst_type, btc.contract_type, btc.settle) == ("SWAP", "linear", "USDT")


def test_as_many_as_are_wanted_each_different() -> None:
    contracts = catalogue(450)
    assert len({contract.inst_id for contract in contracts}) == 450
    assert contracts[:40] == catalogue(40)


@pytest.mark.parametrize("inst_id", ["BTC", "BTC-", "-USDT", ""])
def test_a_name_that_is_none(inst_id: str) -> None:
    with pytest.raises(ValueError, match="write BASE-QUOTE"):
        instrument(inst_id)


def test_a_catalogue_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least one"):
        catalogue(0)


def _is_tradable(contract: Instrument) -> bool:
    value = contract.profile.price * contract.contract_value
    return (
        contract.min_size % contract.lot_size == 0
        and contract.max_market_size % contract.lot_size == 0
        and contract.max_limit_size >= contract.max_market_size > contract.min_size
        and contract.min_size * value < 100
        and contract.profile.price / contract.tick_size > 1_000
    )


@relaxed
@given(numbered)
def test_the_rule_makes_contracts_that_can_be_traded(contract: Instrument) -> None:
    assert _is_tradable(contract)


def test_all_of_the_table_can_be_traded() -> None:
    assert all(_is_tradable(contract) for contract in catalogue(60))


@relaxed
@given(st.floats(1e-9, 1e6))
def test_a_contract_for_any_price(price: float) -> None:
    contract = instrument_at_price("NEW-USDT", price)
    assert 10 <= float(contract.contract_value) * price <= 100.001
    assert 9_999 < price / float(contract.tick_size) < 100_001
    # Written out, because these become the venue's number strings.
    assert not {"E", "e"} & set(f"{contract.contract_value:f}{contract.tick_size:f}")


@relaxed
@given(numbered)
def test_tiers_leave_no_size_out_and_only_get_stricter(contract: Instrument) -> None:
    rows = tiers(contract)
    assert rows[0].min_size == contract.min_size
    assert rows[0].max_leverage == contract.max_leverage
    assert rows[-1].max_leverage == 1
    assert rows[-1].max_size >= contract.max_limit_size
    for row, after in pairwise(rows):
        assert after.min_size == row.max_size + contract.lot_size
        assert after.max_leverage < row.max_leverage
        assert after.maintenance_margin_rate > row.maintenance_margin_rate
    for row in rows:
        assert row.min_size <= row.max_size
        # Maintenance below the initial margin, else a position is liquidated as it is opened.
        assert 0 < row.maintenance_margin_rate < 1 / row.max_leverage


def test_tiers_of_a_name_and_of_its_contract_are_the_same() -> None:
    assert tiers("BTC-USDT") == tiers(instrument("BTC-USDT"))


def test_the_rate_of_the_reference_example() -> None:
    """market/position-tiers in the reference: 125x has a maintenance rate of 0.004."""
    rates = {row.max_leverage: row.maintenance_margin_rate for row in tiers("BTC-USDT")}
    assert rates[Decimal(125)] == Decimal("0.004")
