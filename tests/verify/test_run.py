"""A whole run on a sandbox as it is: what it answers, and what it leaves."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bubbybot_freqtrade.sandbox import DEMO_UID
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Verdict
from bubbybot_freqtrade.verify.probes import PROBES
from bubbybot_freqtrade.verify.run import run


@pytest.mark.parametrize(
    ("settings", "not_asked"),
    [
        ({"leverage": 7}, set()),
        ({"position_mode": "long_short_mode"}, {"margin-mode-beside"}),
        # Those of an account that has never paid funding.
        ({"past_days": 0}, {"funding-range", "funding-pages"}),
    ],
    ids=["one-way", "hedge", "new account"],
)
def test_all_is_as_assumed_and_the_account_as_it_was(
    open_verify: Callable[..., Desk], settings: dict[str, Any], not_asked: set[str]
) -> None:
    desk = open_verify(**settings)
    before = desk.leverage()
    results = run(desk, list(PROBES.values())).results
    desk.journal.close()
    account = desk.clock.sandbox.engine.account(DEMO_UID)
    assert account.is_flat
    assert account.position_mode == settings.get("position_mode", "net_mode")
    assert desk.leverage() == before
    assert not desk.journal.file.exists()
    by_verdict = {r.probe.name: r.verdict for r in results}
    others = {name: v for name, v in by_verdict.items() if v is not Verdict.AS_ASSUMED}
    assert others == dict.fromkeys(not_asked, Verdict.NOT_MEASURED)


def test_a_delay_is_told_of_ten_samples_in_every_place(
    open_verify: Callable[..., Desk],
) -> None:
    desk = open_verify()
    results = run(desk, [PROBES[name] for name in PLACES]).results
    for result in results:
        told = {place: f"median 0 ms, worst 0 ms of {n}" for place, n in PLACES[result.probe.name]}
        assert result.answer.figures == "; ".join(f"{p}: {words}" for p, words in told.items())


# Both orders of a round trip are looked for on the websocket.
PLACES = {
    "order-delay": [("detail", 10), ("pending", 10)],
    "tpsl-delay": [("pending", 10), ("detail", 10)],
    "position-delay": [("opened", 10), ("closed", 10)],
    "fill-delay": [("history", 10), ("detail", 10)],
    "list-delay": [
        ("orders-pending", 10),
        ("orders-history", 10),
        ("orders-tpsl-pending", 10),
        ("orders-tpsl-history", 10),
        ("filled", 10),
    ],
    "push-delay": [("orders", 10), ("fills", 20), ("TP/SLs", 10)],
}


@pytest.mark.usefixtures("few_samples")
def test_no_more_than_one_position_is_held_and_each_has_a_stop(
    open_verify: Callable[..., Desk],
) -> None:
    desk = open_verify()
    venue = desk.clock.sandbox.engine.venue
    bare, most = [], [0]

    def watch(topic: str, account: Any, subject: Any) -> None:
        most[0] = max(most[0], len(account.positions))
        if topic == "account":
            held = account.positions.values()
            bare.extend(p for p in held if not list(account.live_tpsl(p.inst_id)))

    venue.listeners.append(watch)
    run(desk, list(PROBES.values()))
    assert most == [1]
    assert not bare


@pytest.mark.usefixtures("few_samples")
def test_every_request_that_changes_something_is_on_disk_before_it_is_sent(
    open_verify: Callable[..., Desk],
) -> None:
    desk = open_verify()
    rest = desk.clock.sandbox.rest
    answer, unannounced = rest.answer, []

    def look(request: Any) -> Any:
        journal = desk.journal.file.read_text() if desk.journal.file.exists() else ""
        if not is_announced(request, journal):
            unannounced.append((request.path, request.body))
        return answer(request)

    rest.answer = look
    run(desk, list(PROBES.values()))
    assert not unannounced


# What may be sent without a word: it takes something away, or it has no effect.
TAKING_AWAY = ("cancel-order", "cancel-tpsl", "cancel-algo", "asset/transfer", "amend-tpsl")


def is_announced(request: Any, journal: str) -> bool:
    """Orders by their id, settings by the request that gives them back."""
    if request.method != "POST" or request.path.endswith(TAKING_AWAY):
        return True
    body = json.loads(request.body)
    if "clientOrderId" in body:
        return body["clientOrderId"] in journal
    return f'"path": "{request.path.removeprefix("/api/v1/")}"' in journal
