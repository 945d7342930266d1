"""Which orders closed how much of a trade: laws that hold for any sequence of orders."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.blofin.closings import closed_contracts, closing_parts


def order(number, side, filled, placed=0, ended=0, reduce_only=False):
    return {
        "id": str(number), "side": side, "filled": filled, "average": 100.0, "cost": filled * 100,
        "timestamp": placed, "lastUpdateTimestamp": ended, "reduceOnly": reduce_only,
        "fee": {"cost": filled / 10, "currency": "USDT"}, "info": {"positionSide": "net"},
    }  # fmt: skip


def test_the_rest_of_an_entry_may_be_canceled_after_its_filled_part_was_closed():
    entry, close = order(1, "buy", 4.0, 1, 9), order(2, "sell", 4.0, 5, 5, reduce_only=True)
    assert closing_parts([entry, close], "long", {"1"}, 4.0) == [close]


def test_what_turns_a_position_round_counts_as_far_as_it_closed():
    entry, turn = order(1, "buy", 9.9, 1, 1), order(2, "sell", 15.0, 2, 2)
    later = order(3, "sell", 5.0, 3, 3)
    (part,) = closing_parts([entry, turn, later], "long", {"1"}, 9.9)
    assert (part["id"], part["filled"]) == ("2", 9.9)
    assert part["fee"]["cost"] == pytest.approx(0.99)


lots = st.integers(1, 50).map(lambda n: n / 10)


@given(
    entry=lots,
    others=st.lists(st.tuples(st.sampled_from(["buy", "sell"]), lots), max_size=8),
    wanted=lots,
)
def test_no_more_is_explained_than_was_asked_for_or_closed(entry, others, wanted):
    orders = [order(1, "buy", entry, 1, 1)]
    orders += [order(n, side, size, n, n) for n, (side, size) in enumerate(others, 2)]
    parts = closing_parts(orders, "long", {"1"}, wanted)
    sold = sum((Decimal(str(size)) for side, size in others if side == "sell"), Decimal(0))
    assert Decimal(str(closed_contracts(parts))) <= min(Decimal(str(wanted)), sold)
    assert [p["id"] for p in parts] == sorted((p["id"] for p in parts), key=int)
    assert all(p["side"] == "sell" and p["filled"] > 0 for p in parts)
