"""When a list of the account is kept instead of asked for: whatever happens, in whatever order.

The venue's lists lag behind what it pushes, connections break, prices are pushed or not. The law: a
loop never sees less than BloFin's list would show it now.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bubbybot_freqtrade.blofin.exchange import loop_state, quiet
from bubbybot_freqtrade.blofin.exchange.account_stream import Pulse
from bubbybot_freqtrade.blofin.exchange.loop_state import LoopState
from bubbybot_freqtrade.blofin.exchange.quiet import (
    CHECK_SECONDS,
    PUSH_LATE_SECONDS,
    SETTLED_SECONDS,
    SILENCE_SECONDS,
    Quiet,
)


class Clock:
    """The loop's time, s."""

    def __init__(self):
        self.now = 1_000.0

    def monotonic(self):
        return self.now


def stop(number, price):
    return {
        "id": str(number),
        "symbol": "BTC/USDT:USDT",
        "status": "open",
        "amount": 1.0,
        "stopLossPrice": price,
        "takeProfitPrice": None,
    }


class Account(RuleBasedStateMachine):
    """A venue with one stop, a websocket, and the loop's lists."""

    is_pushed = True

    @initialize(lag=st.floats(0, SETTLED_SECONDS - 0.5), holding=st.booleans())
    def begin(self, lag, holding):
        self.clock, self.lag, self.holding = Clock(), lag, holding
        self.patch = pytest.MonkeyPatch()
        for module in (loop_state, quiet):
            self.patch.setattr(module, "time", self.clock)
        self.pulse = Pulse(session=1)
        self.price = 100.0
        # What the venue had from when on.
        self.history = [(0.0, self.price)]
        self.told = []
        self.asked = 0
        quietness = Quiet(lambda: self.pulse, on_disagreement=self.told.append)
        self.lists = LoopState({"tpsl": self.fetch, "positions": self.fetch_positions}, quietness)

    def teardown(self):
        self.patch.undo()

    def as_of(self, moment):
        return [price for at, price in self.history if at <= moment][-1]

    def fetch(self):
        self.asked += 1
        self.asked_at = self.clock.now
        return [stop(1, self.as_of(self.clock.now - self.lag))]

    def fetch_positions(self):
        position = {"symbol": "BTC/USDT:USDT", "side": "long", "contracts": 1.0}
        return [position] if self.holding else []

    def count(self, **counts):
        known = {name: getattr(self.pulse, name) for name in ("session", "changes", "data")}
        self.pulse = Pulse(**{**known, **counts})

    @rule(seconds=st.floats(0.01, 90))
    def time_passes(self, seconds):
        self.clock.now += seconds

    @rule()
    def the_price_is_pushed(self):
        self.count(data=self.pulse.data + self.is_pushed)

    @rule(times=st.integers(1, 3))
    def the_stop_changes(self, times):
        self.price += 1
        self.history.append((self.clock.now, self.price))
        if self.is_pushed and self.pulse.session is not None:
            # As often as it likes.
            self.count(changes=self.pulse.changes + times, data=self.pulse.data + times)

    @rule()
    def the_bot_moves_its_stop(self):
        self.price += 1
        self.history.append((self.clock.now, self.price))
        self.lists.forget("tpsl")

    @rule()
    def the_connection_breaks(self):
        self.sessions = getattr(self, "sessions", 1)
        self.count(session=None)

    @rule()
    def it_is_back(self):
        self.sessions = getattr(self, "sessions", 1) + 1
        self.count(session=self.sessions)

    @rule(pause=st.floats(0.5, 6))
    def a_loop_begins(self, pause):
        self.clock.now += pause
        self.lists.start_loop()
        self.lists.rows("positions")
        (seen,) = self.lists.rows("tpsl")
        self.judge(seen["stopLossPrice"])

    def judge(self, price):
        now = self.clock.now
        shown = {self.as_of(now - self.lag), *(p for at, p in self.history if at > now - self.lag)}
        assert price in shown
        assert self.told == []


class SilentAccount(Account):
    """The connection stands and nothing is ever pushed."""

    is_pushed = False

    def judge(self, price):
        age = self.clock.now - self.asked_at
        assert age < CHECK_SECONDS
        if self.holding:
            assert age <= SILENCE_SECONDS


TestAccount = Account.TestCase
TestSilentAccount = SilentAccount.TestCase
TestAccount.settings = TestSilentAccount.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)


@pytest.fixture
def account():
    account = Account()
    account.begin(lag=0.0, holding=False)
    yield account
    account.teardown()


def loops(account, count, pause=5.0):
    for _ in range(count):
        account.clock.now += pause
        account.lists.start_loop()
        account.lists.rows("positions")
        account.lists.rows("tpsl")


def test_what_is_held_in_silence_is_asked_for_in_every_loop():
    account = Account()
    account.begin(lag=0.0, holding=True)
    loops(account, 6, pause=SILENCE_SECONDS + 1)
    before = account.asked
    loops(account, 6, pause=SILENCE_SECONDS + 1)
    account.teardown()
    assert account.asked - before == 6


def test_a_quiet_list_is_asked_for_once_a_minute(account):
    loops(account, 6)
    before = account.asked
    loops(account, 24)
    assert account.asked - before == 2


def test_a_change_that_no_push_told_of_is_told_once_with_the_next_check(account):
    loops(account, 6)
    account.is_pushed = False
    account.the_stop_changes(1)
    loops(account, 14)
    assert len(account.told) == 1
    assert "tpsl" in account.told[0]


def test_a_push_that_comes_a_moment_after_the_list_is_no_disagreement(account):
    loops(account, 6)
    account.clock.now += CHECK_SECONDS
    account.is_pushed = False
    account.the_stop_changes(1)
    account.lists.start_loop()
    account.lists.rows("tpsl")
    account.clock.now += PUSH_LATE_SECONDS / 2
    account.count(changes=account.pulse.changes + 1)
    loops(account, 3)
    assert account.told == []


def test_without_a_connection_it_is_asked_for_in_every_loop(account):
    account.the_connection_breaks()
    before = account.asked
    loops(account, 10)
    assert account.asked - before == 10
