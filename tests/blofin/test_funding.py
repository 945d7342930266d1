"""Funding of a trade: of its side and instrument, and kept where BloFin's list has an end."""

from datetime import UTC, datetime, timedelta

import ccxt
import pytest
import time_machine
from freqtrade.persistence import Trade, init_db

from bubbybot_freqtrade.blofin.exchange.funding import funding_since
from bubbybot_freqtrade.sandbox.settings import DEMO_UID

BTC = "BTC/USDT:USDT"
OPENED = datetime(2025, 5, 1, 12, tzinfo=UTC)


class SevenDays:
    """A venue's list of payments, which reaches back seven days and no further."""

    def __init__(self):
        self.payments = []
        self.fails = False

    def pay(self, amount, symbol=BTC, side="net"):
        now = int(datetime.now(UTC).timestamp() * 1000)
        info = {"positionSide": side}
        self.payments.append({"timestamp": now, "amount": amount, "symbol": symbol, "info": info})

    def fetch_funding_history(self, symbol, since):
        if self.fails:
            raise ccxt.ExchangeNotAvailable("no answer")
        oldest = (datetime.now(UTC) - timedelta(days=7)).timestamp() * 1000
        return [p for p in self.payments if p["timestamp"] >= max(since, oldest)]


@pytest.fixture
def trade():
    init_db("sqlite://")
    trade = Trade(
        pair=BTC, exchange="blofin", open_rate=50_000, amount=0.01, stake_amount=100,
        fee_open=0.0006, fee_close=0.0006, open_date=OPENED, is_short=False, leverage=5,
    )  # fmt: skip
    Trade.session.add(trade)
    Trade.commit()
    yield trade
    Trade.session.remove()


def test_a_sum_keeps_what_has_left_the_list_and_what_an_error_hides(trade):
    api, told = SevenDays(), []
    with time_machine.travel(OPENED, tick=False) as traveller:
        for day in range(12):
            for hour in (8, 16, 24):
                traveller.move_to(OPENED + timedelta(days=day, hours=hour))
                api.pay(-0.5)
                traveller.shift(timedelta(minutes=1))
                api.fails = day == 9
                told.append(funding_since(api, BTC, is_short=False, since=OPENED))
        api.fails = False
        assert told[:27] == pytest.approx([-0.5 * n for n in range(1, 28)])
        assert told[27:30] == pytest.approx([-13.5] * 3)  # no answer for a day: what was known
        assert told[30:] == pytest.approx([-0.5 * n for n in range(31, 37)])
        # A restart reads it back.
        Trade.session.expire_all()
        assert funding_since(api, BTC, is_short=False, since=OPENED) == pytest.approx(-18)


def test_what_has_left_the_list_before_it_was_asked_for_is_said_once(trade, caplog):
    api = SevenDays()
    with time_machine.travel(OPENED, tick=False) as traveller:
        for day in range(10):
            traveller.move_to(OPENED + timedelta(days=day, hours=8))
            api.pay(-0.5)
            if day == 0:
                funding_since(api, BTC, is_short=False, since=OPENED)
        # The bot was off: it knows the first day's, and BloFin has the last seven.
        for _ in range(3):
            traveller.shift(timedelta(minutes=1))
            assert funding_since(api, BTC, is_short=False, since=OPENED) == pytest.approx(-4)
        told = [record.getMessage() for record in caplog.records]
        assert len([say for say in told if "is not in its result" in say]) == 1
        assert "from 2025-05-01 11:59 to 2025-05-03 20:01 UTC" in told[0]


def test_payments_of_the_other_side_and_of_other_pairs_are_not_the_trade_s(trade):
    api = SevenDays()
    with time_machine.travel(OPENED + timedelta(hours=8), tick=False) as traveller:
        api.pay(-0.4, side="long")
        api.pay(1.5, side="short")
        api.pay(-7.0, symbol="ETH/USDT:USDT", side="long")
        traveller.shift(timedelta(minutes=1))
        assert funding_since(api, BTC, is_short=False, since=OPENED) == pytest.approx(-0.4)
        assert funding_since(api, BTC, is_short=True, since=OPENED) == pytest.approx(1.5)


def test_what_freqtrade_has_booked_before_stays(trade):
    api = SevenDays()
    trade.funding_fee_running = -3.0
    Trade.commit()
    with time_machine.travel(OPENED + timedelta(days=10), tick=False) as traveller:
        assert funding_since(api, BTC, is_short=False, since=OPENED) == pytest.approx(-3)
        traveller.shift(timedelta(hours=8))
        api.pay(-0.5)
        traveller.shift(timedelta(minutes=1))
        assert funding_since(api, BTC, is_short=False, since=OPENED) == pytest.approx(-3.5)


def test_a_payment_counts_by_the_share_that_the_trade_had(trade):
    api = SevenDays()
    with time_machine.travel(OPENED, tick=False) as traveller:
        shares = {8: 1.0, 16: 0.4, 24: 0.4, 32: 1.0}
        told = []
        for hour, share in shares.items():
            traveller.move_to(OPENED + timedelta(hours=hour))
            api.pay(-1.0)
            told.append(
                funding_since(api, BTC, is_short=False, since=OPENED, share=lambda _, s=share: s)
            )
        # What the owner had added is gone again, what was its is not counted later.
        assert told == pytest.approx([-1.0, -1.4, -1.8, -2.8])
        traveller.move_to(OPENED + timedelta(days=9))
        last = funding_since(api, BTC, is_short=False, since=OPENED)
    assert last == pytest.approx(-2.8)


def test_funding_before_an_addition_is_the_trade_s_as_a_whole(open_desk):
    """The addition has filled at BloFin before freqtrade has it in its trade."""
    desk = open_desk()
    desk.start(position_adjustment_enable=True)
    desk.pass_time(230)
    desk.enter(BTC)
    desk.pass_time(11)
    trade = desk.enter(BTC, stake_amount=60)
    assert trade.nr_of_successful_entries == 2
    desk.bot.update_funding_fees()
    ledger = desk.sandbox.engine.account(DEMO_UID).ledger
    (paid,) = [float(entry.amount) for entry in ledger.entries if entry.kind == "funding"]
    assert paid != 0
    assert trade.funding_fees == pytest.approx(paid)


def test_funding_counts_what_the_owner_has_added_as_the_owner_s_beside_an_addition(open_desk):
    desk = open_desk()
    desk.start(position_adjustment_enable=True)
    desk.pass_time(220)
    trade = desk.enter(BTC)
    held = desk.sandbox.engine.account(DEMO_UID)
    (position,) = held.positions.values()
    own = position.size
    body = {"instId": "BTC-USDT", "marginMode": "isolated", "positionSide": "net"}
    order = {"side": "buy", "orderType": "market", "size": str(own)}
    desk.sandbox.app("/api/v1/trade/order", body | order)
    desk.loop()
    desk.pass_time(21)
    desk.enter(BTC, stake_amount=60)
    desk.bot.update_funding_fees()
    (paid,) = [float(entry.amount) for entry in held.ledger.entries if entry.kind == "funding"]
    # Half of the position was the owner's when it was paid.
    assert trade.funding_fees == pytest.approx(paid / 2)
