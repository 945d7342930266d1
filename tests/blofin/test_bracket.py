"""The value that carries stop and target from a strategy to its entry order."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bubbybot_freqtrade.blofin import bracket as module
from bubbybot_freqtrade.blofin.bracket import Bracket, offer_bracket, take_bracket

prices = st.floats(min_value=1e-6, max_value=1e6)


def test_an_offer_is_taken_once():
    offered = Bracket(stop=90.0, target=120.0)
    offer_bracket("BTC/USDT:USDT", "long", offered)
    assert take_bracket("BTC/USDT:USDT", "long") is offered
    assert take_bracket("BTC/USDT:USDT", "long") is None


@pytest.mark.parametrize(("pair", "side"), [("ETH/USDT:USDT", "long"), ("BTC/USDT:USDT", "short")])
def test_another_entry_does_not_get_it_nor_anybody_after(pair, side):
    offer_bracket("BTC/USDT:USDT", "long", Bracket(stop=90.0))
    assert take_bracket(pair, side) is None
    assert take_bracket("BTC/USDT:USDT", "long") is None


def test_an_old_offer_is_forgotten(monkeypatch):
    offer_bracket("BTC/USDT:USDT", "long", Bracket(stop=90.0))
    later = module.time.monotonic() + module.OFFER_SECONDS + 0.1
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    assert take_bracket("BTC/USDT:USDT", "long") is None


@pytest.mark.parametrize(("stop", "target"), [(0.0, None), (-1.0, 2.0), (1.0, 0.0), (5.0, 5.0)])
def test_impossible_prices_are_refused(stop, target):
    with pytest.raises(ValueError, match="bracket"):
        Bracket(stop=stop, target=target)


@given(stop=prices, target=prices, rate=prices)
def test_an_entry_fits_at_most_one_side(stop, target, rate):
    assume(stop != target)
    bracket = Bracket(stop=stop, target=target)
    sides = [side for side in ("long", "short") if bracket.fits(side, rate)]
    between = min(stop, target) < rate < max(stop, target)
    assert sides == ([] if not between else ["long" if stop < target else "short"])
