"""What freqtrade learns of BloFin's markets: tiers, liquidation, funding, delisting, orders."""

from datetime import timedelta

import pytest
from freqtrade.enums import CandleType
from freqtrade.exceptions import InvalidOrderException
from freqtrade.rpc import RPC

from bubbybot_freqtrade.blofin.bracket import Bracket, offer_bracket
from bubbybot_freqtrade.sandbox.api.faults import Fault
from tests.blofin.desk import BTC, ETH, START


def change_instrument(desk, inst_id: str, **changes: str) -> None:
    engine = desk.sandbox.engine
    with engine.exclusive():
        engine.venue.state.instrument_changes[inst_id] = changes
        engine.venue.reload_instruments()
    desk.bot.exchange.reload_markets(True)


@pytest.mark.parametrize("margin_mode", ["isolated", "cross"])
@pytest.mark.parametrize(("side", "sign"), [("buy", 1), ("sell", -1)])
@pytest.mark.parametrize(("leverage", "amount"), [(2.0, 4.0), (10.0, 0.5), (25.0, 8.0)])
def test_the_simulated_liquidation_price_is_the_venues(
    open_desk, margin_mode, side, sign, leverage, amount
):
    desk = open_desk(balance=150_000)
    exchange = desk.start(margin_mode=margin_mode, db_url="sqlite://").exchange
    stop = 50_000 * (1 - sign * 0.01)
    offer_bracket(BTC, "long" if side == "buy" else "short", Bracket(stop=stop))
    exchange.create_order(
        pair=BTC, ordertype="market", side=side, amount=amount, rate=50_000.0, leverage=leverage
    )
    (position,) = exchange.fetch_positions()
    wallet = exchange.get_balances()["USDT"]["total"]
    margin = position["initialMargin"] if margin_mode == "isolated" else wallet
    simulated = exchange.dry_run_liquidation_price(
        pair=BTC, open_rate=position["entryPrice"], is_short=side == "sell", amount=amount,
        stake_amount=margin, leverage=leverage, wallet_balance=margin, open_trades=[],
    )  # fmt: skip
    if position["liquidationPrice"] is None:
        assert simulated <= 0
    else:
        assert simulated == pytest.approx(position["liquidationPrice"], rel=1e-3)


def test_leverage_tiers_allow_no_more_than_the_venue(open_desk):
    desk = open_desk()
    exchange = desk.start().exchange
    tiers = exchange._leverage_tiers[BTC]
    assert [t["maxLeverage"] for t in tiers] == sorted(
        (t["maxLeverage"] for t in tiers), reverse=True
    )
    for ours, venue in zip(tiers, desk.sandbox.market.tiers("BTC-USDT"), strict=True):
        assert ours["maxLeverage"] == float(venue.max_leverage)
        assert ours["maintenanceMarginRate"] == float(venue.maintenance_margin_rate)
        assert ours["maxNotional"] <= float(venue.max_size) * 0.001 * 50_100


@pytest.mark.parametrize("said", [[], None, [{"maxSize": "100", "maxLeverage": "50"}]])
def test_a_pair_without_leverage_tiers_is_not_traded_and_ends_no_bot(open_desk, said):
    desk = open_desk()
    desk.sandbox.faults.add(Fault(kind="data", path="*/market/position-tiers", data=said))
    bot = desk.start()
    assert bot.exchange.get_max_leverage(BTC, 100.0) == 1.0
    with pytest.raises(InvalidOrderException, match="not told this pair's leverage tiers"):
        RPC(bot)._rpc_force_entry(BTC, None, order_side="long")
    desk.loop()
    desk.sandbox.faults.clear()
    bot.exchange.reload_markets(True)
    assert desk.enter(BTC).leverage == 5.0


@pytest.mark.parametrize(
    ("sizes", "leverages"),
    [
        # 100 contracts of 0.001 BTC at 50,000 are 5,000 USDT.
        ((100,), (50,)),
        ((900, 100), (10, 50)),
        (("9.00e2", "100"), (10, "50")),
    ],
    ids=["one tier", "largest first", "other ways to write them"],
)
def test_tiers_are_read_in_whatever_order_and_spelling(open_desk, sizes, leverages):
    rows = [
        {"maxSize": size, "maxLeverage": leverage, "maintenanceMarginRate": 0.005}
        for size, leverage in zip(sizes, leverages, strict=True)
    ]
    desk = open_desk()
    desk.sandbox.faults.add(Fault(kind="data", path="*/market/position-tiers", data=rows))
    exchange = desk.start().exchange
    # 99 USDT at 50x are 4,950 USDT, just below 100 contracts.
    assert exchange.get_max_leverage(BTC, 99.0) == 50.0
    if len(sizes) == 1:
        with pytest.raises(InvalidOrderException, match="too high"):
            exchange.get_max_leverage(BTC, 101.0)
    else:
        assert exchange.get_max_leverage(BTC, 110.0) == 10.0


def test_an_announced_delisting_is_known_and_a_stale_time_is_not_one(open_desk):
    desk = open_desk()
    exchange = desk.start().exchange
    assert exchange.check_delisting_time(BTC) is None
    soon = START + timedelta(days=3)
    change_instrument(desk, "BTC-USDT", expire_time=str(int(soon.timestamp() * 1000)))
    assert exchange.check_delisting_time(BTC) == soon
    far = START + timedelta(days=300)
    change_instrument(desk, "BTC-USDT", expire_time=str(int(far.timestamp() * 1000)))
    assert exchange.check_delisting_time(BTC) is None


def test_a_suspended_market_is_not_traded(open_desk):
    desk = open_desk()
    bot = desk.start()
    change_instrument(desk, "ETH-USDT", state="suspend")
    desk.pass_time(61)
    desk.loop()
    assert ETH not in bot.active_pair_whitelist
    assert BTC in bot.active_pair_whitelist


@pytest.mark.parametrize(
    ("time_in_force", "spelled"), [("PO", "post_only"), ("IOC", "ioc"), ("FOK", "fok")]
)
def test_time_in_force_reaches_the_venue_with_its_stop(open_desk, time_in_force, spelled):
    desk = open_desk()
    exchange = desk.start().exchange
    offer_bracket(BTC, "long", Bracket(stop=49_000.0, target=51_000.0))
    exchange.create_order(
        pair=BTC, ordertype="limit", side="buy", amount=0.01, rate=49_900.0, leverage=5.0,
        time_in_force=time_in_force,
    )  # fmt: skip
    (order,) = desk.posts("/api/v1/trade/order")
    assert (order["orderType"], order["slTriggerPrice"]) == (spelled, "49000")


def test_funding_of_an_open_trade_is_the_venues(open_desk):
    desk = open_desk()
    desk.start()
    trade = desk.enter(BTC)
    desk.pass_time(4 * 60 - 5)
    desk.loop(minutes=10)
    ledger = desk.sandbox.ledger()
    paid = sum(float(e.amount) for e in ledger.entries if e.kind == "funding")
    assert paid != 0
    assert desk.bot.exchange.get_funding_fees(
        BTC, trade.amount, False, trade.date_last_filled_utc
    ) == pytest.approx(paid)


def test_mark_and_funding_candles_are_there_for_backtests(open_desk):
    desk = open_desk()
    exchange = desk.start().exchange
    since = int((START - timedelta(days=2)).timestamp() * 1000)
    mark = exchange.get_historic_ohlcv(BTC, "1h", since, CandleType.MARK)
    assert len(mark) >= 48
    funding = exchange.get_historic_ohlcv(BTC, "1h", since, CandleType.FUNDING_RATE)
    assert {date.hour for date in funding["date"]} == {0, 8, 16}
