"""A whole run on a sandbox as it is: what it answers, and what it leaves."""

from collections.abc import Callable

from bubbybot_freqtrade.sandbox import DEMO_UID
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Verdict
from bubbybot_freqtrade.verify.probes import PROBES
from bubbybot_freqtrade.verify.run import run


def test_a_run_leaves_the_account_as_it_was(open_verify: Callable[..., Desk]) -> None:
    desk = open_verify(leverage=7)
    results = run(desk, list(PROBES.values()))
    desk.journal.close()
    account = desk.clock.sandbox.engine.account(DEMO_UID)
    assert account.is_flat
    assert account.position_mode == "net_mode"
    assert set(account.leverages.values()) == {7}
    assert not desk.journal.file.exists()
    assert not [r.probe.name for r in results if r.verdict is Verdict.DANGER]
