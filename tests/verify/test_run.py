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

# The sandbox's account has never paid funding for a week.
NEVER_MEASURED = {"funding-range"}


@pytest.mark.parametrize(
    ("settings", "not_asked"),
    [
        ({"leverage": 7}, set()),
        ({"position_mode": "long_short_mode"}, {"margin-mode-beside"}),
    ],
    ids=["one-way", "hedge"],
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
    assert others == dict.fromkeys(NEVER_MEASURED | not_asked, Verdict.NOT_MEASURED)


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
TAKING_AWAY = ("cancel-order", "cancel-tpsl", "asset/transfer", "amend-tpsl")


def is_announced(request: Any, journal: str) -> bool:
    """Orders by their id, settings by the request that gives them back."""
    if request.method != "POST" or request.path.endswith(TAKING_AWAY):
        return True
    body = json.loads(request.body)
    if "clientOrderId" in body:
        return body["clientOrderId"] in journal
    return f'"path": "{request.path.removeprefix("/api/v1/")}"' in journal
