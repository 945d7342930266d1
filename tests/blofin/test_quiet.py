"""When a list of the account is kept instead of asked for: whatever happens, in whatever order.

The venue's lists lag behind what it pushes, connections break, prices are pushed or not. The law: a
loop never sees less than BloFin's list would show it now.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bubbybot_freqtrade.blofin.exchange import loop_state, quiet, trust
from bubbybot_freqtrade.blofin.exchange.account_stream import Pulse
from bubbybot_freqtrade.blofin.exchange.loop_state import LoopState
from bubbybot_freqtrade.blofin.exchange.pushed_rows import read_push
from bubbybot_freqtrade.blofin.exchange.quiet import CHECK_SECONDS, SILENCE_SECONDS, Quiet
from bubbybot_freqtrade.blofin.exchange.trust import LAG_SECONDS, PROOFS, PUSH_LATE_SECONDS


class Clock:
    """The loop's time, s."""

    def __init__(self):
        self.now = 1_000.0

    def monotonic(self):
        return self.now


def venue_row(number, price):
    """A TP/SL order as the venue spells it; numbers are padded in a list."""
    state = "canceled" if price is None else "live"
    return {"tpslId": str(number), "state": state, "size": "1", "slTriggerPrice": str(price)}


def stop(number, price):
    """As ccxt hands it on from the list."""
    row = venue_row(number, price)
    return {"id": row["tpslId"], "info": {**row, "size": "1.0000"}, "stopLossPrice": price}


class Account(RuleBasedStateMachine):
    """A venue with one stop at a time, a websocket, and the loop's lists."""

    is_pushed = True
    # Whether it begins with a channel that has earned trust, and then tells nothing any more.
    is_tried = False

    @initialize(lag=st.floats(0, LAG_SECONDS - 0.5), holding=st.booleans())
    def begin(self, lag, holding):
        self.clock, self.lag, self.holding = Clock(), lag, holding
        self.patch = pytest.MonkeyPatch()
        for module in (loop_state, quiet, trust):
            self.patch.setattr(module, "time", self.clock)
        self.pulse, self.waiting = Pulse(session=1), []
        self.number, self.price = 1, 100.0
        # What the venue had from when on.
        self.history = [(0.0, (self.number, self.price))]
        self.lost = 0
        self.asked = 0
        self.quiet = Quiet(lambda: self.pulse, self.take, on_lost=self.lose)
        self.lists = LoopState(
            {"tpsl": self.fetch, "positions": self.fetch_positions, "orders": list}, self.quiet
        )
        if self.is_tried:
            earn(self)
            self.is_pushed = False

    def teardown(self):
        self.patch.undo()

    def lose(self):
        self.lost += 1

    def take(self):
        rows, self.waiting = self.waiting, []
        return rows

    def as_of(self, moment):
        return [what for at, what in self.history if at <= moment][-1]

    def fetch(self):
        self.asked += 1
        self.asked_at = self.clock.now
        number, price = self.as_of(self.clock.now - self.lag)
        return [] if price is None else [stop(number, price)]

    def fetch_positions(self):
        position = {"id": "7", "contracts": 1.0, "info": {"positions": "1", "leverage": "3"}}
        return [position] if self.holding else []

    def count(self, **counts):
        known = {name: getattr(self.pulse, name) for name in ("session", "changes", "data")}
        self.pulse = Pulse(**{**known, **counts})

    def push(self, *rows, times=1, shuffled=False):
        """As often and in the order that the venue likes."""
        if not self.is_pushed or self.pulse.session is None:
            return
        told = [read_push("orders-algo", row) for row in rows for _ in range(times)]
        self.waiting += reversed(told) if shuffled else told
        many = len(told)
        self.count(changes=self.pulse.changes + many, data=self.pulse.data + many)

    def happens(self, number, price):
        self.number, self.price = number, price
        self.history.append((self.clock.now, (number, price)))

    @rule(seconds=st.floats(0.01, 90))
    def time_passes(self, seconds):
        self.clock.now += seconds

    @rule()
    def the_price_is_pushed(self):
        self.count(data=self.pulse.data + self.is_pushed)

    @rule(moves=st.integers(1, 3), times=st.integers(1, 2), shuffled=st.booleans())
    def the_stop_changes(self, moves, times, shuffled):
        rows = []
        for _ in range(moves):
            self.happens(self.number + (self.price is None), (self.price or 100.0) + 1)
            rows.append(venue_row(self.number, self.price))
        self.push(*rows, times=times, shuffled=shuffled)

    @rule(times=st.integers(1, 2))
    def the_stop_is_canceled(self, times):
        if self.price is not None:
            self.happens(self.number, None)
            self.push(venue_row(self.number, None), times=times)

    @rule(shuffled=st.booleans())
    def another_takes_its_place(self, shuffled):
        ended = venue_row(self.number, None)
        self.happens(self.number + 1, (self.price or 100.0) + 1)
        self.push(ended, venue_row(self.number, self.price), shuffled=shuffled)

    @rule(is_told_first=st.booleans())
    def the_bot_moves_its_stop(self, is_told_first):
        self.happens(self.number + (self.price is None), (self.price or 100.0) + 1)
        if is_told_first:
            self.push(venue_row(self.number, self.price))
            self.quiet.look()
        self.lists.changed("tpsl")
        self.lists.forget("tpsl")
        if not is_told_first:
            self.push(venue_row(self.number, self.price))

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
        self.lists.rows("orders")
        self.lists.rows("positions")
        self.judge([(int(row["id"]), row["stopLossPrice"]) for row in self.lists.rows("tpsl")])

    def judge(self, seen):
        """What the list could show at this moment, had it been asked for."""
        now = self.clock.now
        shown = [self.as_of(now - self.lag), *(w for at, w in self.history if at > now - self.lag)]
        assert any(seen == ([] if price is None else [(n, price)]) for n, price in shown)
        assert self.lost == 0
        assert self.quiet.trust.missed == 0


class SilentAccount(Account):
    """The connection stands and nothing is ever pushed."""

    is_pushed = False

    def judge(self, seen):
        assert self.asked_at == self.clock.now


class MuteAccount(Account):
    """Values of positions are pushed, and nothing of stops, once they had earned its trust."""

    is_tried = True

    @rule()
    def the_price_is_pushed(self):
        self.count(data=self.pulse.data + 1)

    def judge(self, seen):
        age = self.clock.now - self.asked_at
        assert age < CHECK_SECONDS
        assert self.lost <= 1
        if self.lost:
            assert age == 0
        if self.holding and self.clock.now - self.quiet._heard_at > SILENCE_SECONDS:
            assert age == 0


def loops(account, count, pause=5.0):
    for _ in range(count):
        account.clock.now += pause
        account.count(data=account.pulse.data + 1)
        account.lists.start_loop()
        for name in ("orders", "positions", "tpsl"):
            account.lists.rows(name)


def earn(account):
    """Let the venue push so many changes, one at a time."""
    loops(account, 4)
    for _ in range(PROOFS):
        account.the_stop_changes(1, 1, False)
        loops(account, 4)
    assert account.quiet.trust.is_earned("tpsl")


TestAccount = Account.TestCase
TestSilentAccount = SilentAccount.TestCase
TestMuteAccount = MuteAccount.TestCase
TestAccount.settings = TestSilentAccount.settings = TestMuteAccount.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)


@pytest.fixture
def untried():
    account = Account()
    account.begin(lag=0.0, holding=False)
    yield account
    account.teardown()


@pytest.fixture
def account(untried):
    earn(untried)
    return untried


def asked_in(account, count, pause=5.0):
    before = account.asked
    loops(account, count, pause)
    return account.asked - before


# --- trust is earned ------------------------------------------------------------------------------


def test_nothing_is_kept_of_an_account_that_has_never_changed(untried):
    loops(untried, 6)
    assert asked_in(untried, 24) == 24


def test_it_takes_three_changes_that_were_pushed(untried):
    loops(untried, 6)
    for _ in range(2):
        untried.the_stop_changes(1, 1, False)
        assert asked_in(untried, 24) == 24
    untried.the_stop_changes(1, 1, False)
    assert asked_in(untried, 24) <= 6


def test_an_order_that_the_venue_has_taken_is_one_of_them(untried):
    loops(untried, 6)
    for number in range(10, 13):
        untried.quiet.sent("tpsl", str(number))
        # It was filled before any list showed it.
        untried.push(venue_row(number, None))
    loops(untried, 2)
    assert untried.quiet.trust.is_earned("tpsl")


def test_one_that_is_not_pushed_is_missed(account):
    account.quiet.sent("tpsl", "10")
    account.clock.now += PUSH_LATE_SECONDS
    account.quiet.look()
    assert account.lost == 1
    assert asked_in(account, 24) == 24


def test_pushes_of_another_row_prove_nothing(untried):
    loops(untried, 6)
    untried.happens(1, 101.0)
    untried.push(venue_row(2, 101.0))
    loops(untried, 3)
    assert untried.quiet.trust.missed == 1


def test_nor_does_one_that_shows_the_row_as_it_was(untried):
    loops(untried, 6)
    untried.happens(1, 101.0)
    untried.push(venue_row(1, 100.0))
    loops(untried, 3)
    assert untried.quiet.trust.missed == 1


def test_a_change_that_was_pushed_long_ago_does_not_count_for_one_of_today(untried):
    loops(untried, 6)
    untried.happens(1, 101.0)
    untried.push(venue_row(1, 101.0))
    loops(untried, 6)
    untried.happens(1, 100.0)
    untried.push(venue_row(1, 100.0))
    loops(untried, 6)
    untried.happens(1, 101.0)
    loops(untried, 6)
    assert untried.quiet.trust.missed == 1


def test_a_missed_change_is_told_once_and_trust_has_to_be_earned_anew(account, caplog):
    account.is_pushed = False
    account.the_stop_changes(1, 1, False)
    loops(account, 14)
    account.the_stop_changes(1, 1, False)
    loops(account, 4)
    assert account.lost == 1
    assert account.quiet.trust.missed == 2
    (say,) = account.quiet.trust.news()
    assert [record.message for record in caplog.records] == [say]
    assert "TP/SL orders" in say
    account.is_pushed = True
    for _ in range(PROOFS):
        assert asked_in(account, 6) == 6
        account.the_stop_changes(1, 1, False)
    assert asked_in(account, 24) <= 6
    assert account.quiet.trust.news() == []
    assert "again" in caplog.records[-1].message


def test_a_channel_is_relied_on_for_its_own_list_alone(account):
    assert not account.quiet.trust.is_earned("positions")
    assert not account.quiet.trust.is_earned("orders")


def test_a_push_that_comes_a_moment_after_the_list_is_no_miss(account):
    loops(account, 6)
    account.clock.now += CHECK_SECONDS
    account.happens(1, 500.0)
    account.lists.start_loop()
    account.lists.rows("tpsl")
    account.clock.now += PUSH_LATE_SECONDS / 2
    account.push(venue_row(1, 500.0))
    loops(account, 3)
    assert account.quiet.trust.missed == 0


# --- and then little is asked ---------------------------------------------------------------------


def test_a_quiet_list_is_asked_for_once_a_minute(account):
    assert asked_in(account, 24) == 2


def test_a_change_is_asked_for_once_where_the_list_shows_what_was_pushed(account):
    loops(account, 2)
    account.the_stop_changes(1, 2, False)
    assert asked_in(account, 6) == 1


def test_a_push_that_tells_what_the_list_shows_already_asks_for_nothing(account):
    loops(account, 2)
    account.push(venue_row(account.number, account.price), times=3)
    assert asked_in(account, 6) == 0


def test_two_changes_of_a_row_may_have_come_in_any_order_and_are_looked_at_until_they_settle(
    account,
):
    loops(account, 2)
    account.the_stop_changes(2, 1, True)
    assert asked_in(account, 6) == 4


def test_a_list_that_lags_behind_a_push_is_asked_for_until_it_shows_it(account):
    account.lag = 7.0
    loops(account, 2)
    account.the_stop_changes(1, 1, False)
    assert asked_in(account, 6) == 2


def test_what_the_bot_changes_is_asked_for_until_the_venue_has_told_of_it(account):
    loops(account, 2)
    account.lists.changed("tpsl")
    account.lists.forget("tpsl")
    assert asked_in(account, 6) == 2
    account.the_bot_moves_its_stop(False)
    assert asked_in(account, 6) == 1


def test_a_push_that_cannot_be_read_may_be_any_change(account):
    loops(account, 2)
    account.push(None)
    assert asked_in(account, 6) == 4


def test_what_is_held_in_silence_is_asked_for_in_every_loop(untried):
    untried.holding = True
    earn(untried)
    for _ in range(6):
        untried.clock.now += SILENCE_SECONDS + 1
        before = untried.asked
        untried.a_loop_begins(0.5)
        assert untried.asked == before + 1


def test_without_a_connection_it_is_asked_for_in_every_loop(account):
    account.the_connection_breaks()
    assert asked_in(account, 10) == 10
