"""Messages that freqtrade has no words for: what they say, when they come, and only once."""

from datetime import UTC, datetime, timedelta

import pytest
from freqtrade.persistence import Trade
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFault
from bubbybot_freqtrade.settings import MessageSettings
from bubbybot_freqtrade.signals.confluence import EARLY, LATE
from bubbybot_freqtrade.signals.trend import PREFIXES, SIDES
from bubbybot_freqtrade.signals.words import ANALYZERS
from bubbybot_freqtrade.strategy import messages
from bubbybot_freqtrade.strategy.watch import (
    AccountMessages,
    CandleWatch,
    PatternCalendar,
    PriceWatch,
    Watches,
)
from tests.strategy.telegram.conftest import BTC, ETH, START, write_market

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
PLAN = TradePlan(
    pair=BTC,
    side="long",
    entry=50_000.0,
    stop=49_000.0,
    target=53_000.0,
    leverage=8,
    size=0.08,
    margin=500.0,
    risk=84.75,
    reward_risk=2.71,
    liquidation=44_200.0,
    confidence=0.83,
    equity=10_000.0,
    tag="mc:early lux:late fc:early",
)
MARKDOWN_SIGNS = set("_*`[")


def test_the_plan_says_stop_target_r_leverage_liquidation_and_why():
    told = messages.plan_told(PLAN, 50_000.0)
    assert told.splitlines() == [
        "Plan of BTC/USDT:USDT long, entered at 50,000",
        "Stop 49,000 (-2.00%): loses 84.75, 0.8% of equity",
        "Target 53,000 (+6.00%): pays 2.71R after fees",
        "8x, margin 500.00, liquidation 44,200",
        "Why: confidence 0.83; Market Cipher early uptrend, Lux Algo uptrend, "
        "Frankie Candles early uptrend",
    ]


@pytest.mark.parametrize("side", SIDES)
def test_every_code_of_an_enter_tag_has_words(side):
    for prefix in PREFIXES.values():
        for code in (EARLY, LATE):
            words = messages.reasons(f"{prefix}:{code}", side)
            assert words.startswith(ANALYZERS[prefix])
            assert words.endswith("uptrend" if side == "long" else "downtrend")


@given(st.text(), st.floats(1e-8, 1e9), st.floats(1e-8, 1e9))
def test_no_message_has_a_sign_that_telegram_would_choke_on(name, one, other):
    texts = [
        messages.refused(name),
        messages.critical_exit(name, "long", name, one),
        messages.fast_move(name, one / other - 1, 3, other),
        messages.stale(name, timedelta(minutes=31)),
        messages.fresh_again(name),
        messages.day_over(0.1, 0.1, NOON, closes_trades=True),
        messages.reasons("mc:dot", "long"),
    ]
    assert not any(MARKDOWN_SIGNS & set(text) for text in texts)


@pytest.mark.parametrize(
    ("price", "told"),
    [
        (0.00000012345678, "0.00000012345678"),
        (0.1 + 0.2, "0.3"),
        (61_234.5, "61,234.5"),
        (123_456_789.4, "123,456,789"),
        (1e-8, "0.00000001"),
        (0.0, "0"),
    ],
)
def test_a_price_is_read_without_an_exponent(price, told):
    assert messages.price(price) == told


def test_a_moved_stop_says_what_it_holds():
    told = messages.stop_moved(PLAN, 49_000.0, 51_000.0, 0.887)
    assert told == "BTC/USDT:USDT long: stop moves from 49,000 to 51,000, which is +0.89R."


def test_the_end_of_a_day_says_until_when_and_what_happens_to_open_trades():
    told = messages.day_over(0.1034, 0.1, NOON, closes_trades=False)
    assert told == (
        "The day has lost 10.34% of the account, the limit is 10.00%: no entries until "
        "2025-03-04 12:00 UTC. Open trades keep their stops."
    )


def watch_prices(watch, *course):
    """What the watch tells along (minute, price) points."""
    return [
        text
        for minute, price in course
        for text in watch.look(NOON + timedelta(minutes=minute), {BTC: price})
    ]


def test_a_fast_move_is_told_once_a_slow_one_never():
    watch = PriceWatch(MessageSettings(price_move=0.02))
    told = watch_prices(watch, (0, 100), (5, 101), (6, 102.5), (7, 102.6), (8, 102.7))
    assert told == ["BTC/USDT:USDT moved +2.50% within 6 minutes, to 102.5."]
    slow = PriceWatch(MessageSettings(price_move=0.02))
    assert watch_prices(slow, *((10 * i, 100 + i) for i in range(8))) == []


def test_each_pair_may_have_its_own_threshold_and_none_is_silence():
    own = MessageSettings(price_move=None, price_moves={ETH: 0.01})
    watch = PriceWatch(own)
    watch.look(NOON, {BTC: 100, ETH: 100})
    (told,) = watch.look(NOON + timedelta(minutes=1), {BTC: 200, ETH: 98})
    assert told.startswith("ETH/USDT:USDT moved -2.00%")


def test_prices_are_looked_at_once_a_minute_and_at_once_when_one_of_a_trade_is_pushed_as_fast():
    watches = Watches.of(MessageSettings())
    assert watches.are_due(NOON)
    assert not watches.are_due(NOON + timedelta(seconds=5))
    assert watches.are_due(NOON + timedelta(seconds=6), moving=True)
    assert not watches.are_due(NOON + timedelta(seconds=65))
    assert watches.are_due(NOON + timedelta(seconds=66))


def test_old_candles_are_told_once_and_their_end_too():
    watch = CandleWatch(MessageSettings(stale_minutes=30))
    closed = {BTC: NOON}
    assert watch.look(NOON + timedelta(minutes=29), closed) == []
    (told,) = watch.look(NOON + timedelta(minutes=31), closed)
    assert "31 minutes ago" in told
    assert watch.look(NOON + timedelta(minutes=32), closed) == []
    assert watch.look(NOON + timedelta(minutes=33), {BTC: NOON + timedelta(minutes=30)}) == [
        "BTC/USDT:USDT: candles arrive again."
    ]


def test_what_is_wrong_with_the_account_is_told_once_while_it_lasts():
    watch = AccountMessages()
    assert watch.look(["a position nobody knows"]) == ["a position nobody knows"]
    assert watch.look(["a position nobody knows"]) == []
    assert watch.look([]) == []
    assert watch.look(["a position nobody knows"]) == ["a position nobody knows"]


@pytest.mark.parametrize(
    ("every", "due"), [("daily", [5, 6, 7, 10, 11, 12]), ("weekly", [10]), (None, [])]
)
def test_patterns_are_due_with_the_first_look_of_a_day_or_a_monday(every, due):
    calendar = PatternCalendar(MessageSettings(patterns=every))
    # From Tuesday noon on, every six hours but not at the weekend: 8 and 9 March 2025.
    looks = [NOON + timedelta(hours=6 * number) for number in range(32)]
    told = [now for now in looks if now.day not in (8, 9) and calendar.is_due(now)]
    assert [now.day for now in told] == due
    assert all(now.hour == 0 for now in told)


def test_the_phone_hears_what_past_trades_say(open_desk):
    desk = open_desk()
    desk.start(bubbybot={"messages": {"patterns": "daily"}})
    trade = desk.enter()
    trade.enter_tag = "mc:early lux:late fc:late"
    Trade.commit()
    desk.command(f"/forceexit {trade.id}", "Exiting")
    desk.loop()
    desk.loop()
    until_midnight = 24 * 60 - desk.now.hour * 60 - desk.now.minute
    desk.loop(minutes=until_midnight + 1)
    told = desk.phone.wait_for("What past trades say")
    lines = told.splitlines()
    assert any(line.startswith("Market Cipher early uptrend long: mean R") for line in lines)
    assert sum(line.endswith(", 1 trade") for line in lines) == 3
    assert desk.phone.refused == []


def test_the_phone_hears_of_orphans_fast_prices_and_critical_exits(open_desk):
    desk = open_desk()
    desk.start(bubbybot={"messages": {"price_move": 1e-5}, "exits": {"max_hours": 1.0}})
    order = {
        "instId": "ETH-USDT",
        "marginMode": "isolated",
        "positionSide": "net",
        "side": "buy",
        "orderType": "market",
        "price": "",
        "size": "1",
    }
    assert desk.sandbox.app("/api/v1/trade/order", order)["code"] == "0"
    trade = desk.enter()
    desk.loop(minutes=2)
    desk.loop(minutes=2)
    desk.phone.wait_for(ETH, "database doesn't know")
    desk.phone.wait_for("moved", "within", "minutes")
    for _ in range(5):
        desk.loop(minutes=15)
    desk.loop()
    desk.phone.wait_for(f"{trade.pair} long is closed at about", "older than it may get")
    assert desk.phone.refused == []


@pytest.fixture
def open_market(open_desk, tmp_path):
    """`open_market(courses)`: a desk whose prices go the written way from START on."""

    def make(courses):
        write_market(tmp_path / "data", courses)
        return open_desk(data=tmp_path / "data", start_ms=int(START.timestamp() * 1000))

    return make


def test_the_phone_hears_of_a_stop_that_moves_and_of_a_fast_price(open_market):
    # 1 % up in each candle, from a quarter of an hour after the entry on.
    desk = open_market({BTC: [(0, 1), (15, 1), (75, 1.04)], ETH: [(0, 1)]})
    own = {"exits": {"break_even_at": 1.0}, "messages": {"price_moves": {BTC: 0.009}}}
    desk.start(bubbybot=own)
    trade = desk.enter()
    first = float(desk.standing_stops()[0].tpsl.sl_trigger)
    for _ in range(30):
        desk.loop(minutes=2.5)
        if any("stop moves" in text for text in desk.phone.texts()):
            break
    desk.loop(minutes=2)
    told = desk.phone.wait_for(f"{trade.pair} long: stop moves from", "which is")
    (stop,) = desk.standing_stops()
    # At entry plus both fees, on the venue and in the message.
    even = trade.open_rate * (1 + 2 * 0.0006)
    assert float(stop.tpsl.sl_trigger) == pytest.approx(even, rel=1e-4)
    assert f"to {messages.price(round(even, 1))[:5]}" in told
    assert messages.price(first)[:5] in told
    fast = desk.phone.wait_for("BTC/USDT:USDT moved +", "within", "minutes")
    assert ETH not in fast
    assert desk.phone.refused == []


def test_the_phone_hears_of_the_days_loss_and_of_the_trade_it_closes(open_market):
    # A gap through stop and liquidation costs the whole margin, more than the stop would have.
    desk = open_market({BTC: [(0, 1), (29.95, 1), (30, 0.85)], ETH: [(0, 1)]})
    desk.start(bubbybot={"risk": {"daily_loss": 0.045, "max_risk": 0.021}})
    desk.enter(f"/forcelong {BTC}")
    other = desk.enter(f"/forceshort {ETH}")
    before = len(desk.phone.texts())
    for _ in range(4):
        desk.loop(minutes=10)
    lost = desk.phone.wait_for("The day has lost", after=before)
    assert "the limit is 4.50%: no entries until 2025-06-02 00:00 UTC" in lost
    assert "Open trades are closed." in lost
    desk.loop()
    told = desk.phone.wait_for(f"{ETH} short is closed at about", after=before)
    assert "the day's loss limit is reached" in told
    desk.phone.wait_for("Exited", ETH, "daily", after=before)
    assert desk.positions() == {}
    assert desk.standing_stops() == []
    Trade.session.refresh(other)
    assert other.exit_reason == "daily_loss_limit"
    # Once, and no entry any more, not even a forced one.
    desk.loop()
    assert sum("The day has lost" in text for text in desk.phone.texts()) == 1
    desk.command(f"/forcelong {ETH}", "Failed to enter")
    desk.loop()
    desk.phone.wait_for("No trade.", "the day's loss limit was reached")
    assert desk.phone.refused == []


def test_the_phone_hears_of_old_candles_and_of_their_end(open_desk):
    desk = open_desk()
    desk.start()
    now = int(desk.now.timestamp() * 1000)
    quarter = 15 * 60_000
    back = now + 5 * quarter
    for ahead in range(-1, 5):
        begun = now // quarter * quarter + ahead * quarter
        for inst_id in ("BTC-USDT", "ETH-USDT"):
            fault = {"inst_id": inst_id, "bar": "15m", "ts": begun, "kind": "missing"}
            desk.sandbox.feed.faults.append(CandleFault(**fault, until_ms=back))
    for _ in range(4):
        desk.loop(minutes=15)
    for pair in (BTC, ETH):
        desk.phone.wait_for(f"{pair}: the newest candle closed", "no entries on old candles")
    before = len(desk.phone.texts())
    for _ in range(4):
        desk.loop(minutes=10)
    for pair in (BTC, ETH):
        desk.phone.wait_for(f"{pair}: candles arrive again.", after=before)
    assert sum("the newest candle closed" in text for text in desk.phone.texts()) == 2
    assert desk.phone.refused == []
