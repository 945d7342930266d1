"""No window of time ever holds more requests than the venue allows, whoever sends them."""

import asyncio
import threading

from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinAsync, BlofinSync, budget
from bubbybot_freqtrade.blofin.ccxt_blofin.budget import RequestBudget

limits = st.lists(
    st.tuples(st.floats(0.5, 20), st.integers(1, 12)), min_size=1, max_size=3
).map(tuple)  # fmt: skip


@given(limits=limits, pauses=st.lists(st.floats(0, 3), min_size=1, max_size=80))
def test_no_window_holds_more_than_its_limit(limits, pauses):
    reserved, now = RequestBudget(limits), 0.0
    sent = []
    for pause in pauses:
        now += pause
        wait = reserved.reserve(now)
        assert wait >= 0
        sent.append(now + wait)
    for seconds, count in limits:
        for first, after in zip(sent, sent[count:], strict=False):
            assert after - first >= seconds * (1 - 1e-9)


@given(
    limits=limits,
    left=st.integers(0, 12),
    pauses=st.lists(st.tuples(st.floats(0, 3), st.booleans()), min_size=1, max_size=80),
)
def test_so_does_none_where_some_are_left_to_what_is_urgent(limits, left, pauses):
    reserved, now, sent = RequestBudget(limits), 0.0, []
    for pause, is_urgent in pauses:
        # As on one thread: each waits for its time before the next one asks.
        now += pause
        now += reserved.reserve(now, 0 if is_urgent else left)
        sent.append(now)
    for seconds, count in limits:
        for first, after in zip(sent, sent[count:], strict=False):
            assert after - first >= seconds * (1 - 1e-9)


def test_what_is_urgent_waits_for_nothing_after_a_burst_of_others():
    reserved = RequestBudget(((10.0, 27),))
    assert {reserved.reserve(0.0, 6) for _ in range(21)} == {0.0}
    assert reserved.reserve(0.0) == 0.0
    assert {reserved.reserve(0.0) for _ in range(5)} == {0.0}
    assert reserved.reserve(1.0, 6) == 9.0


def test_a_request_waits_for_nothing_while_there_is_room():
    reserved = RequestBudget(((60.0, 450),))
    assert {reserved.reserve(0.1 * n) for n in range(450)} == {0.0}
    assert reserved.reserve(45.0) > 0


def test_sync_and_async_clients_share_one_budget(monkeypatch):
    waits: list[float] = []
    lock = threading.Lock()

    def slept(seconds):
        with lock:
            waits.append(seconds)

    async def slept_async(seconds):
        slept(seconds)

    monkeypatch.setattr(budget.MachineBudget, "is_shared", False)
    monkeypatch.setattr(budget, "LIMITS", ((1000.0, 10),))
    monkeypatch.setattr(budget.time, "sleep", slept)
    config = {"urls": {"api": {"rest": "http://127.0.0.1:1/shared"}}, "rateLimit": 1}
    sync, async_ = BlofinSync(config), BlofinAsync(config)

    async def ask():
        monkeypatch.setattr(budget.asyncio, "sleep", slept_async)
        for _ in range(6):
            await async_.throttle(1)

    asyncio.run(ask())
    for _ in range(6):
        sync.throttle(1)
    assert sum(wait > 900 for wait in waits) == 2


def test_trading_requests_have_a_limit_of_their_own(monkeypatch):
    monkeypatch.setattr(budget, "TRADING_LIMITS", ((1000.0, 3),))
    exchange = BlofinSync({"urls": {"api": {"rest": "http://127.0.0.1:1/trading"}}})
    assert [budget.wait_for(exchange, 1.67) > 900 for _ in range(4)] == [False] * 3 + [True]
    assert budget.wait_for(exchange, 1) == 0
