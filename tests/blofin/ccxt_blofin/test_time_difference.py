"""A clock that is off: what an answer's Date proves of it, and what requests are signed with."""

import time
from email.utils import formatdate

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinAsync, BlofinPro, BlofinSync
from bubbybot_freqtrade.blofin.ccxt_blofin.time_difference import (
    LONGEST_SPAN_MS,
    NOTICED_MS,
    TOLERATED_MS,
    date_ms,
    difference,
)
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import ApiKey, SandboxSettings

NOON = 1_767_268_800_000
HOUR = 3_600_000

offs = st.integers(-HOUR, HOUR)
waits = st.integers(0, LONGEST_SPAN_MS // 2)


def answered(off, there, back, at, before=0):
    """`difference` after an answer: `off` ms ahead, `there` and `back` ms on the way."""
    sent = at + off
    written = (at + there) // 1000 * 1000
    return difference(sent, sent + there + back, written, before)


@given(off=offs, there=waits, back=waits, at=st.integers(NOON, NOON + 10_000), before=offs)
def test_after_any_answer_the_time_is_good_enough_for_the_venue(off, there, back, at, before):
    assert abs(off - answered(off, there, back, at, before)) < TOLERATED_MS


@given(there=waits, back=waits, at=st.integers(NOON, NOON + 10_000))
def test_a_clock_that_is_right_is_never_corrected(there, back, at):
    assert answered(0, there, back, at) == 0


@given(off=st.integers(-NOTICED_MS + 1000, NOTICED_MS - 1000), at=st.integers(NOON, NOON + 2000))
def test_seconds_are_left_alone(off, at):
    assert answered(off, 100, 100, at) == 0


@given(off=offs, at=st.integers(NOON, NOON + 10_000), before=offs)
def test_a_quick_answer_tells_to_the_second(off, at, before):
    known = answered(off, 50, 50, at, before)
    assert known == 0 or abs(known - off) <= 1100


def test_an_answer_that_took_too_long_tells_nothing():
    assert answered(120_000, LONGEST_SPAN_MS, 1, NOON, before=5) == 5
    # Nor does one that came before its request: the clock was set in between.
    assert difference(NOON, NOON - 1, NOON - 60_000, 5) == 5


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Date": formatdate(NOON / 1000, usegmt=True)}, NOON),
        ({"date": formatdate(NOON / 1000, usegmt=True), "age": "0"}, NOON),
        ({"Date": formatdate(NOON / 1000, usegmt=True), "Age": "17"}, None),
        ({"Date": "yesterday"}, None),
        ({}, None),
        (None, None),
    ],
    ids=["written", "fresh", "cached", "nonsense", "none", "no headers"],
)
def test_the_date_of_an_answer(headers, expected):
    assert date_ms(headers) == expected


@pytest.fixture
def client_off_by(connect):
    """A client whose machine is so many seconds ahead of its venue."""
    opened = []

    def make(seconds, cls=BlofinSync, **config):
        start_ms = time.time_ns() // 1_000_000 - seconds * 1000
        settings = SandboxSettings(clock="driven", start_ms=start_ms, pair_count=2)
        sandbox = Sandbox(settings).start()
        opened.append(sandbox)
        key = ApiKey()
        keys = {"apiKey": key.api_key, "secret": key.secret, "password": key.passphrase}
        urls = {"api": {"rest": sandbox.url, "ws": {"swap": {}}}}
        return connect(cls, **keys, urls=urls, **config)

    yield make
    for sandbox in opened:
        sandbox.stop()


@pytest.mark.parametrize("cls", [BlofinSync, BlofinAsync, BlofinPro], ids=["sync", "async", "pro"])
@pytest.mark.parametrize("seconds", [120, -120])
def test_requests_are_signed_with_the_venues_time(client_off_by, cls, seconds):
    client = client_off_by(seconds, cls)
    assert client.fetch_balance()["USDT"]["total"] > 0
    assert client.options["timeDifference"] == pytest.approx(seconds * 1000, abs=15_000)
    assert not client.is_time_wrong()


def test_a_clock_an_hour_off_is_refused_and_known_to_be_wrong(client_off_by):
    client = client_off_by(3600)
    with pytest.raises(ccxt.InvalidNonce):
        client.fetch_balance()
    assert client.is_time_wrong()
    assert client.options["timeDifference"] == pytest.approx(3_600_000, abs=15_000)


def test_the_correction_can_be_switched_off(client_off_by):
    client = client_off_by(120, options={"adjustForTimeDifference": False})
    with pytest.raises(ccxt.InvalidNonce):
        client.fetch_balance()
    assert client.is_time_wrong()
