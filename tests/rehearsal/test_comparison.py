"""Differences to a backtest get the right names, and their parts add up."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.rehearsal.backtest import BacktestTrade
from bubbybot_freqtrade.rehearsal.comparison import UNEXPLAINED, compare
from bubbybot_freqtrade.rehearsal.trades import TradeRecord

CANDLE = 900_000
T0 = 1_748_779_200_000  # 12:00
FEE = 0.0006


def live(**changes):
    given_ = {
        "trade_id": 1,
        "pair": "BTC/USDT:USDT",
        "side": "long",
        "leverage": 10.0,
        "amount": 0.01,
        "entry": 100_000.0,
        "opened_ms": T0 + 2000,
        "exit": 103_000.0,
        "closed_ms": T0 + 3 * CANDLE + 100,
        "exit_reason": "take_profit_on_exchange",
        "tag": "",
        "net": 0.0,
        "fees": 0.0,
        "funding": 0.0,
        "order_ids": frozenset(),
        "plan": None,
        **changes,
    }
    return _booked(TradeRecord(**given_))


def backtested_(**changes):
    given_ = {
        "pair": "BTC/USDT:USDT",
        "side": "long",
        "leverage": 10.0,
        "amount": 0.01,
        "entry": 100_000.0,
        "opened_ms": T0,
        "exit": 103_000.0,
        "closed_ms": T0 + 3 * CANDLE,
        "exit_reason": "roi",
        "stop": 98_000.0,
        "net": 0.0,
        "fees": 0.0,
        "funding": 0.0,
        **changes,
    }
    return _booked(BacktestTrade(**given_))


def _booked(trade):
    """Fees and net profit as they follow from the rest."""
    fees = FEE * trade.amount * (trade.entry + trade.exit)
    gross = trade.sign * trade.amount * (trade.exit - trade.entry)
    return replace(trade, fees=fees, net=gross - fees + trade.funding)


def rehearsal(*trades, slots=3, said=()):
    log = SimpleNamespace(
        lines_about=lambda pair, start, end: [m for p, m in said if p == pair],
    )
    return SimpleNamespace(
        trades=list(trades),
        timeframe="15m",
        config={"max_open_trades": slots},
        span=SimpleNamespace(end_ms=T0 + 96 * CANDLE),
        log=log,
    )


def causes(rows):
    return [difference.cause for row in rows for difference in row.differences]


def test_equal_trades_have_no_difference():
    (row,) = compare(rehearsal(live()), [backtested_()])
    assert row.live
    assert row.backtest
    assert row.differences == ()


def test_another_tag_or_plan_in_the_same_candle_is_not_explained():
    plan = {"stop": 98_000.0, "target": 103_000.0, "confidence": 0.81234, "size": 0.01}
    planned = {"stop": 98_000.0, "target": 103_000.0, "confidence": 0.8123}
    same = live(tag="mc:dot", plan=plan)
    (row,) = compare(rehearsal(same), [backtested_(tag="mc:dot", planned=planned)])
    assert row.is_explained
    for other in (
        backtested_(tag="mc:div", planned=planned),
        backtested_(tag="mc:dot", planned=planned | {"stop": 98_010.0}),
        backtested_(tag="mc:dot", planned=planned | {"confidence": 0.82}),
        backtested_(tag="mc:dot"),
    ):
        (row,) = compare(rehearsal(same), [other])
        assert not row.is_explained


@pytest.mark.parametrize(
    ("one", "other", "cause"),
    [
        (live(entry=100_010.0), backtested_(), "entry: book and slippage"),
        (live(amount=0.011), backtested_(), "size: another entry price"),
        (live(exit=102_990.0), backtested_(), "exit: the target filled at the market"),
        (
            live(exit=98_000.0, exit_reason="stoploss_on_exchange"),
            backtested_(),
            "exit: stop and target in one candle",
        ),
        (
            live(exit=97_990.0, exit_reason="stoploss_on_exchange"),
            backtested_(exit=98_000.0, exit_reason="stop_loss"),
            "exit: the stop filled at the market",
        ),
        (live(funding=-0.2), backtested_(funding=-0.1), "funding: mark price of the moment"),
    ],
)
def test_a_difference_has_the_name_of_its_cause(one, other, cause):
    (row,) = compare(rehearsal(one), [other])
    largest = max(row.differences, key=lambda difference: abs(difference.usdt))
    assert largest.cause.startswith(cause)
    assert UNEXPLAINED not in causes([row])


PRICES = st.floats(min_value=90_000, max_value=110_000)


@given(
    side=st.sampled_from(["long", "short"]),
    prices=st.tuples(PRICES, PRICES, PRICES, PRICES),
    amounts=st.tuples(st.floats(0.001, 1), st.floats(0.001, 1)),
    funding=st.tuples(st.floats(-5, 5), st.floats(-5, 5)),
)
def test_the_parts_of_any_difference_add_up_to_it(side, prices, amounts, funding):
    one = live(side=side, entry=prices[0], exit=prices[1], amount=amounts[0], funding=funding[0])
    other = backtested_(
        side=side, entry=prices[2], exit=prices[3], amount=amounts[1], funding=funding[1]
    )
    (row,) = compare(rehearsal(one), [other])
    assert UNEXPLAINED not in causes([row])
    named = sum(difference.usdt for difference in row.differences)
    # Five parts below half a cent may be left out.
    assert named == pytest.approx(one.net - other.net, abs=0.026)


def test_money_that_no_part_accounts_for_is_shown():
    strange = replace(live(), net=live().net + 1)
    assert causes(compare(rehearsal(strange), [backtested_()])) == [UNEXPLAINED]


@pytest.mark.parametrize(
    ("play", "backtested", "cause"),
    [
        (
            rehearsal(live(opened_ms=T0 + CANDLE + 1)),
            [backtested_()],
            "the backtest was still in its trade before",
        ),
        (
            rehearsal(live(), slots=1),
            [backtested_(pair="ETH/USDT:USDT", opened_ms=T0 - CANDLE)],
            "the backtest had no free slot",
        ),
        (rehearsal(live(opened_ms=T0 + 600_000)), [], "entered in mid-candle"),
        (
            rehearsal(live(opened_ms=T0 + 95 * CANDLE)),
            [],
            "the backtest does not enter on its last",
        ),
        (rehearsal(live()), [], UNEXPLAINED),
        (
            rehearsal(live()),
            [backtested_(opened_ms=T0 + CANDLE)],
            "the bot was still in its trade before",
        ),
        (
            rehearsal(live(pair="ETH/USDT:USDT"), slots=1),
            [backtested_(opened_ms=T0 + CANDLE)],
            "the bot had no free slot",
        ),
        (
            rehearsal(said=[("BTC/USDT:USDT", "No trade. BTC/USDT:USDT: too little room.")]),
            [backtested_()],
            "refused live: BTC/USDT:USDT: too little room.",
        ),
        (
            rehearsal(said=[("*", "every pair is locked until 00:00 UTC")]),
            [backtested_()],
            "not entered live: every pair is locked",
        ),
        (rehearsal(), [backtested_()], UNEXPLAINED),
    ],
)
def test_a_trade_on_one_side_only_has_a_reason(play, backtested, cause):
    rows = compare(play, backtested)
    alone = [row for row in rows if row.live is None or row.backtest is None]
    assert any(
        difference.cause.startswith(cause) for row in alone for difference in row.differences
    )


def test_any_number_of_slots_is_never_full():
    rows = compare(rehearsal(live(), slots=-1), [])
    assert causes(rows) == [UNEXPLAINED]
