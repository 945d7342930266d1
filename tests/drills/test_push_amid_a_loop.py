"""Something happens on the account while the bot sends a request, whichever it is.

The loop that is under way has seen one half of the account before and the other half after it, and
its websocket tells of it amid all that, while that request hangs or not. The laws are those of
all drills: one stop on every position once the bot could act, every entry once, books equal to the
cent.
"""

import tempfile
import threading
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from requests import Session

from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.drill import settle
from bubbybot_freqtrade.drills.market import BTC, ETH, inst_id

PAIRS = (BTC, ETH)
# More requests than a loop with an entry and a stop to place sends.
MOST_REQUESTS = 14
# What a lag of a list, and a look that is asked for twice, may take.
LOOPS_TO_MEND = 4
# The request that it happens before may hang, real seconds: so long that what is signed is asked
# for again, and what isn't, or orders something, has the account looked at meanwhile.
HOW = st.sampled_from(("", "unsent", "unanswered"))
HANGS_S = 0.8


class Amid(RuleBasedStateMachine):
    """A bot that listens; before one of its requests its owner, or the venue, does something."""

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.desk = Desk(Path(self.folder.name)).__enter__()
        self.desk.start(exchange={"account_stream": True})
        self.desk.loop()
        self.stock = Session.send
        self.left, self.act, self.hangs = -1, None, ""
        machine = self

        def send(session, request, **kwargs):
            hangs = machine.switch()
            if hangs == "unsent":
                machine.hang()
            answer = machine.stock(session, request, **kwargs)
            if hangs == "unanswered":
                machine.hang()
            return answer

        Session.send = send

    def teardown(self):
        if not hasattr(self, "desk"):
            return
        Session.send = self.stock
        try:
            settle(self.desk)
            assert self.desk.broken() == []
        finally:
            self.desk.__exit__(None, None, None)
            self.folder.cleanup()

    def switch(self):
        """A request is about to be sent; whether it then hangs, and before or after its effect."""
        self.left -= 1
        if self.left == 0 and self.act is not None:
            act, self.act = self.act, None
            act()
            return self.hangs
        return ""

    def hang(self):
        """Give what was pushed the time to come, and the bot that to act amid this request."""
        threading.Event().wait(HANGS_S)

    def happens_amid(self, act, request, hangs=""):
        """Loops of the bot, and `act` before its so-manieth request."""
        self.left, self.act, self.hangs = request, act, hangs
        self.desk.loop(able=False)
        if self.act is not None:
            # The loop was a quiet one: then it happens in its pause.
            act, self.act = self.act, None
            act()
        self.desk.loop(LOOPS_TO_MEND, able=False)
        self.judge()

    def judge(self):
        account = self.desk.watch.account
        for position in account.positions.values():
            stops = [
                o for o in account.live_tpsl(position.inst_id) if o.tpsl.sl_trigger is not None
            ]
            assert len(stops) == 1, f"{len(stops)} stops on {position.inst_id}"
        assert self.desk.stopped == ""

    def holds(self, pair):
        return any(p.inst_id == inst_id(pair) for p in self.desk.watch.account.positions.values())

    @rule(pair=st.sampled_from(PAIRS))
    def the_owner_enters_by_command(self, pair):
        if not self.holds(pair):
            self.desk.enter(pair)
        self.desk.loop(2)

    @precondition(lambda self: self.desk.watch.account.positions)
    @rule(pair=st.sampled_from(PAIRS), request=st.integers(1, MOST_REQUESTS), hangs=HOW)
    def a_stop_is_canceled(self, pair, request, hangs):
        self.happens_amid(lambda: self.desk.cancel_stops(pair), request, hangs)

    @precondition(lambda self: self.desk.watch.account.positions)
    @rule(request=st.integers(1, MOST_REQUESTS), hangs=HOW)
    def all_stops_are_canceled(self, request, hangs):
        self.happens_amid(lambda: [self.desk.cancel_stops(p) for p in PAIRS], request, hangs)

    @precondition(lambda self: self.desk.watch.account.positions)
    @rule(pair=st.sampled_from(PAIRS), request=st.integers(1, MOST_REQUESTS), hangs=HOW)
    def a_position_is_closed(self, pair, request, hangs):
        self.happens_amid(lambda: self.desk.close_position(pair), request, hangs)

    @precondition(lambda self: self.desk.watch.account.positions)
    @rule(pair=st.sampled_from(PAIRS), request=st.integers(1, MOST_REQUESTS), hangs=HOW)
    def a_stop_is_canceled_twice(self, pair, request, hangs):
        """Once as the bot looks, and again what it has placed since."""

        def act():
            self.desk.cancel_stops(pair)
            self.left, self.act = 4, lambda: self.desk.cancel_stops(pair)

        self.happens_amid(act, request, hangs)

    @rule(request=st.integers(1, MOST_REQUESTS))
    def the_connection_breaks(self, request):
        self.happens_amid(self.desk.sandbox.streams.drop, request)


TestAmid = Amid.TestCase
TestAmid.settings = settings(
    max_examples=4,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
