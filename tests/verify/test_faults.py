"""A venue on a bad day: what it does not say is not measured, never taken for an answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bubbybot_freqtrade.sandbox import DEMO_UID, Fault
from bubbybot_freqtrade.sandbox.api.streams import StreamFaults
from bubbybot_freqtrade.verify.cleaning import Cleaner, CleaningError
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Verdict
from bubbybot_freqtrade.verify.probes import PROBES
from bubbybot_freqtrade.verify.run import Result, run

pytestmark = pytest.mark.usefixtures("few_samples")

LEVERAGE = 7
FAULTS: dict[str, dict[str, Any]] = {
    "reset": {"kind": "reset"},
    "lost-reset": {"kind": "lost_reset"},
    "lost-502": {"kind": "lost_http", "status": 502},
    "half-an-answer": {"kind": "lost_truncated"},
    "429": {"kind": "http", "status": 429},
    "403": {"kind": "http", "status": 403},
    "503": {"kind": "http", "status": 503},
    "internal-error": {"kind": "code", "code": "103013"},
}


def check(desk: Desk, results: list[Result]) -> None:
    wrong = [(r.probe.name, r.measured) for r in results if r.verdict not in TRUE_HERE]
    assert not wrong
    account = desk.clock.sandbox.engine.account(DEMO_UID)
    assert account.is_flat
    assert account.position_mode == "net_mode"
    assert set(account.leverages.values()) <= {LEVERAGE}
    assert not desk.journal.holds_something


TRUE_HERE = (Verdict.AS_ASSUMED, Verdict.NOT_MEASURED)


@pytest.mark.parametrize("share", [0.1, 0.3])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_answered_is_not_measured(
    open_verify: Callable[..., Desk], fault: str, share: float
) -> None:
    desk = open_verify(leverage=LEVERAGE)
    desk.clock.sandbox.faults.add(Fault(path="/api/*", probability=share, **FAULTS[fault]))
    results = run(desk, list(PROBES.values())).results
    check(desk, results)
    assert any(r.verdict is Verdict.NOT_MEASURED for r in results)


@pytest.mark.parametrize("fault", ["lost-reset", "half-an-answer", "lost-502"])
def test_no_answer_to_any_order(open_verify: Callable[..., Desk], fault: str) -> None:
    """Whatever is sent takes effect, the closings of what was opened too."""
    desk = open_verify(leverage=LEVERAGE)
    desk.clock.sandbox.faults.add(Fault(path="*/trade/order*", method="POST", **FAULTS[fault]))
    chosen = [p for p in PROBES.values() if p.group in ("stops", "closing")]
    results = run(desk, chosen).results
    check(desk, results)
    assert {r.verdict for r in results} == {Verdict.NOT_MEASURED}


def test_a_venue_that_is_gone_is_waited_for_and_then_told(
    open_verify: Callable[..., Desk],
) -> None:
    desk = open_verify(leverage=LEVERAGE)
    sandbox = desk.clock.sandbox

    def vanish(topic: str, account: Any, subject: Any) -> None:
        if account.positions and not sandbox.faults.hits():
            sandbox.faults.add(Fault(kind="http", status=503, path="/api/*"))

    sandbox.engine.venue.listeners.append(vanish)
    with pytest.raises(CleaningError, match="has its stop"):
        run(desk, [PROBES["attached-size"]])
    assert list(sandbox.engine.account(DEMO_UID).live_tpsl())
    sandbox.engine.venue.listeners.clear()
    sandbox.faults.clear()
    Cleaner(desk).clean(thorough=True)
    check(desk, [])


@contextmanager
def slow_answers(desk: Desk, seconds: float) -> Iterator[None]:
    """Every answer takes so long, on the clock that delays are measured with."""
    fetch = desk.client.fetch

    def late(*args: Any, **kwargs: Any) -> Any:
        desk.clock.sleep(seconds)
        return fetch(*args, **kwargs)

    desk.client.fetch = late
    yield
    desk.client.fetch = fetch


DELAYS = ("order-delay", "tpsl-delay", "position-delay", "fill-delay", "push-delay")


def test_slow_answers_are_no_delays_of_the_venue(open_verify: Callable[..., Desk]) -> None:
    desk = open_verify(leverage=LEVERAGE)
    with slow_answers(desk, 1.5):
        results = run(desk, [PROBES[name] for name in DELAYS]).results
    check(desk, results)


def test_a_delay_is_not_told_where_answers_are_slower_than_it(
    open_verify: Callable[..., Desk],
) -> None:
    desk = open_verify(leverage=LEVERAGE, order_delay_ms=2000)
    with slow_answers(desk, 1.5):
        (result,) = run(desk, [PROBES["order-delay"]]).results
    assert result.verdict is Verdict.NOT_MEASURED
    assert "too slowly" in result.reason


@pytest.mark.parametrize("fault", [{"refuse": True}, {"silent": True}], ids=["refused", "silent"])
def test_websockets_that_say_nothing(
    open_verify: Callable[..., Desk], fault: dict[str, bool]
) -> None:
    desk = open_verify(leverage=LEVERAGE)
    desk.clock.sandbox.streams.faults = StreamFaults(**fault)
    results = run(desk, [PROBES["push-delay"], PROBES["candle-pushed"]]).results
    assert {r.verdict for r in results} == {Verdict.NOT_MEASURED}
    check(desk, results)


def test_a_websocket_that_is_cut(open_verify: Callable[..., Desk]) -> None:
    desk = open_verify(leverage=LEVERAGE)
    sandbox = desk.clock.sandbox
    sandbox.requests.append = dropping(sandbox, sandbox.requests.append)
    (result,) = run(desk, [PROBES["push-delay"]]).results
    assert result.verdict is Verdict.NOT_MEASURED
    check(desk, [result])


def dropping(sandbox: Any, append: Callable[[Any], None]) -> Callable[[Any], None]:
    """The request log's append, cutting every websocket at each new order."""

    def log(request: Any) -> None:
        append(request)
        if request.path.endswith("trade/order"):
            sandbox.streams.drop()

    return log


def test_rows_that_are_none(open_verify: Callable[..., Desk]) -> None:
    desk = open_verify(leverage=LEVERAGE)
    rest = desk.clock.sandbox.rest
    answer = rest.answer
    rest.answer = lambda request: garbled(request, answer(request))
    results = run(desk, [p for p in PROBES.values() if p.group in ("history", "candles")]).results
    rest.answer = answer
    check(desk, results)


def garbled(request: Any, response: Any) -> Any:
    """Lists of history and candles as no venue should send them."""
    if not request.path.endswith(("-history", "candles")):
        return response
    body = b'{"code": "0", "msg": "", "data": ["x", null, 5, {}]}'
    return type(response)(response.status, body, "0", response.uid)
