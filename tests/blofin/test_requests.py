"""What the bot costs the venue: the same trading requests with one open trade as with twenty."""

from collections import Counter
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from bubbybot_freqtrade.blofin.ccxt_blofin.budget import wait_for
from bubbybot_freqtrade.blofin.exchange import tiers
from bubbybot_freqtrade.sandbox.settings import DEMO_UID
from tests.blofin.desk import BTC

PAIRS = [f"C{number:02}/USDT:USDT" for number in range(20)]
COURSES = {pair: [(0, 100 + number)] for number, pair in enumerate(PAIRS)}


def trading_requests(desk) -> Counter:
    """Paths of BloFin's trading endpoints asked in one loop in which nothing happens."""
    before = len(desk.sandbox.requests)
    desk.loop(minutes=0.2)
    asked = [r for r in list(desk.sandbox.requests)[before:] if "/trade/" in r.path]
    return Counter(r.path for r in asked)


def cancel_in_the_app(desk):
    """The owner takes the stop away; as it was."""
    (stop,) = desk.standing_stops(BTC)
    with desk.sandbox.engine.exclusive():
        body = {"instId": "BTC-USDT", "tpslId": stop.tpsl_id}
        desk.sandbox.app("/api/v1/trade/cancel-tpsl", body, uid=DEMO_UID)
    return stop


def test_a_loop_with_twenty_trades_asks_no_more_than_with_one(open_desk):
    desk = open_desk(COURSES)
    desk.start(exchange={"pair_whitelist": PAIRS})
    desk.enter(PAIRS[0])
    with_one = trading_requests(desk)
    for pair in PAIRS[1:]:
        desk.enter(pair)
    with_twenty = trading_requests(desk)
    assert with_twenty == with_one
    before = len(desk.sandbox.requests)
    desk.loop()
    paths = [r.path for r in list(desk.sandbox.requests)[before:]]
    assert paths.count("/api/v1/market/tickers") == 1
    assert "/api/v1/market/books" not in paths
    assert sum(with_one.values()) <= 2
    assert set(with_one) <= {
        "/api/v1/trade/orders-tpsl-pending",
        "/api/v1/trade/orders-pending",
    }


def test_open_entry_orders_are_read_from_one_list(open_desk):
    desk = open_desk(COURSES)
    desk.start(exchange={"pair_whitelist": PAIRS})
    for pair in PAIRS[:5]:
        desk.enter(pair, price=90.0, order_type="limit")
    assert trading_requests(desk) == {
        "/api/v1/trade/orders-pending": 1,
        "/api/v1/trade/orders-tpsl-pending": 1,
    }


def test_a_stop_that_is_put_back_asks_once_what_its_trade_was_entered_with(open_desk):
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    desk.loop()
    details = []
    for _ in range(3):
        stop = cancel_in_the_app(desk)
        asked = trading_requests(desk)
        (again,) = desk.standing_stops(BTC)
        assert (again.tpsl.sl_trigger, again.tpsl.tp_trigger) == (
            stop.tpsl.sl_trigger,
            stop.tpsl.tp_trigger,
        )
        details.append(asked["/api/v1/trade/order-detail"])
    assert details[1:] == [0, 0]
    assert details[0] <= 1


@pytest.mark.parametrize("stands", [False, True])
def test_the_stop_of_a_bare_position_waits_for_no_place_that_is_left_to_stops(open_desk, stands):
    desk = open_desk()
    ccxt_config = desk.config()["exchange"]["ccxt_config"] | {"enableRateLimit": True}
    bot = desk.start(exchange={"ccxt_config": ccxt_config})
    trade = desk.enter(BTC)
    desk.loop()
    if not stands:
        cancel_in_the_app(desk)
        bot.exchange.requests.rows("tpsl", fresh=True)
    api, waits = bot.exchange._api, []
    api.left_to_urgent, api.pause = 7, waits.append
    # A burst of orders has used up what is not left to stops.
    while wait_for(api, 2, api.left_to_urgent) <= 0:
        pass
    stop = trade.stop_loss * (1.001 if stands else 1)
    bot.exchange.create_stoploss(BTC, trade.amount, stop, bot.strategy.order_types, "sell", 5.0)
    assert (max(waits) > 1) == stands
    assert len(desk.standing_stops(BTC)) == 1


def test_leverage_tiers_get_renewed_a_few_at_a_time(open_desk, monkeypatch):
    monkeypatch.setattr(tiers, "MAX_AGE", timedelta(hours=2))
    monkeypatch.setattr(tiers, "AT_ONCE", 9)
    desk = open_desk(COURSES)
    desk.start()

    def asked() -> tuple[set[str], int]:
        """Markets whose tiers were asked for since the last time, and requests for prices."""
        requests = list(desk.sandbox.requests)
        desk.sandbox.requests.clear()
        tiers = [parse_qs(r.query)["instId"][0] for r in requests if r.path.endswith("tiers")]
        assert len(tiers) == len(set(tiers))
        return set(tiers), sum(r.path.endswith("/market/tickers") for r in requests)

    markets, prices = asked()
    assert len(markets) == len(COURSES) + 3
    assert prices < 5
    in_an_hour = []
    for _ in range(4):
        desk.loop(minutes=61)
        in_an_hour.append(asked()[0])
    assert [len(tiers) for tiers in in_an_hour] == [0, 9, 9, 9]
    # The oldest first: all have had their turn.
    assert set.union(*in_an_hour) == markets


def test_every_request_of_the_bot_is_signed_once_and_carries_no_key_in_its_address(open_desk):
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    private = [r for r in desk.sandbox.requests if "/trade/" in r.path or "/account/" in r.path]
    assert private
    assert all(r.code == "0" for r in private)


def test_signals_that_a_strategy_refuses_do_not_ask_for_the_wallet_each(open_desk):
    desk = open_desk(COURSES)
    desk.start(strategy="Picky", exchange={"pair_whitelist": PAIRS})
    desk.loop()
    before = len(desk.sandbox.requests)
    desk.loop(minutes=5)
    asked = Counter(r.path for r in list(desk.sandbox.requests)[before:])
    assert asked["/api/v1/account/balance"] == 1
    # The account watch looks for itself.
    assert asked["/api/v1/account/positions"] == 2
