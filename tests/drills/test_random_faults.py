"""A machine of everything that can happen, in any order that hypothesis can think of."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.market import walk
from bubbybot_freqtrade.drills.random_faults import FAULTS, PAIRS, PATHS, PRICES, Hands

pairs = st.sampled_from(PAIRS)
minutes = st.floats(0.1, 8)


class BadDay(RuleBasedStateMachine):
    """One bot, one venue, one owner and one market, none of them on its best day."""

    desk: Desk | None = None

    @initialize(seed=st.integers(0, 1000), amend_tpsl=st.booleans())
    def open(self, seed, amend_tpsl):
        prices = {
            pair: walk(price, 400, seed + number)
            for number, (pair, price) in enumerate(PRICES.items())
        }
        self.folder = tempfile.TemporaryDirectory()
        self.desk = Desk(Path(self.folder.name), prices, amend_tpsl=amend_tpsl).__enter__()
        self.desk.start()
        self.hands = Hands(self.desk)
        self.hands.loop()

    @rule(
        pair=pairs,
        side=st.sampled_from(["long", "short"]),
        away=st.sampled_from([0.0, 0.0, 0.001]),
    )
    def enter(self, pair, side, away):
        self.hands.enter(pair, side, away)

    @rule(pair=pairs)
    def exit(self, pair):
        self.hands.exit(pair)

    @rule(pair=pairs, share=st.floats(0.001, 0.02))
    def tighten(self, pair, share):
        self.hands.tighten(pair, share)

    @rule(minutes=minutes)
    def wait(self, minutes):
        self.hands.wait(minutes)

    @rule(
        name=st.sampled_from(sorted(FAULTS)), path=st.sampled_from(PATHS), times=st.integers(1, 3)
    )
    def fault(self, name, path, times):
        self.hands.fault(name, path, times)

    @rule(pair=pairs)
    def cancel_stops_by_hand(self, pair):
        self.hands.cancel_stops(pair)

    @rule(pair=pairs)
    def close_by_hand(self, pair):
        self.hands.close_position(pair)

    @rule(pair=pairs, leverage=st.integers(1, 50))
    def leverage_by_hand(self, pair, leverage):
        self.hands.set_leverage(pair, leverage)

    @rule()
    def fill_part(self):
        self.hands.fill_part()

    @rule(minutes=minutes)
    def restart(self, minutes):
        self.hands.restart(minutes)

    @rule()
    def settle(self):
        self.hands.settle()
        assert self.desk.broken() == []

    @invariant()
    def nothing_is_bare(self):
        if self.desk is not None:
            self.hands.loop()
            assert self.desk.watch.broken == []
            assert self.desk.stopped == ""

    def teardown(self):
        if self.desk is None:
            return
        try:
            self.hands.settle()
            assert self.desk.broken() == []
        finally:
            self.desk.__exit__(None, None, None)
            told = self.desk.secrets_told()
            self.folder.cleanup()
        assert told == []


TestBadDay = BadDay.TestCase
TestBadDay.settings = settings(
    max_examples=4,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
