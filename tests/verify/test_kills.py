"""kill -9 at random moments: the next start takes away what was left, and nothing else."""

import multiprocessing
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bubbybot_freqtrade.sandbox import DEMO_UID, Sandbox, SandboxSettings
from bubbybot_freqtrade.verify.cleaning import Cleaner, CleaningError
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.journal import POSITION_MODE, Setting
from bubbybot_freqtrade.verify.probes import PROBES
from tests.verify.conftest import START_MS, config_of, desk_on
from tests.verify.killed import verify_until_killed

KILLS, SEED = 6, 9
LEVERAGE = 7
# The probes that change something, so that most moments have something to leave.
NAMES = [p.name for p in PROBES.values() if p.group in ("account", "stops", "closing", "orders")]
# Requests of an undisturbed run of them.
REQUESTS = 600
SET_MODE = "account/set-position-mode"
NOTHING: dict[str, Any] = {"positions": [], "orders": [], "tpsl": [], "mode": "net_mode"}


@pytest.fixture(scope="module")
def processes() -> Any:
    """Children that have imported everything when they are asked for."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.verify.killed"])
    return context


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_kill_leaves_nothing_after_the_next_start(
    tmp_path: Path, processes: Any, kill: int
) -> None:
    moment = random.Random(f"{SEED} {kill}").randrange(10, REQUESTS)
    kill_and_clean(tmp_path, processes, moment)


def kill_and_clean(folder: Path, processes: Any, moment: int) -> None:
    """Kill a run at its request number `moment`, let the owner trade, and clean."""
    settings = SandboxSettings(
        rate_limits=False,
        margin_mode="isolated",
        start_ms=START_MS,
        pairs=("PYTH-USDT", "BTC-USDT"),
        leverage=LEVERAGE,
        latency_ms=1,
    )
    with Sandbox(settings) as sandbox:
        victim = processes.Process(
            target=verify_until_killed, args=(sandbox.url, config_of(sandbox), folder, NAMES)
        )
        victim.start()
        while victim.is_alive() and len(sandbox.requests) < moment:
            time.sleep(0.0002)
        victim.kill()
        victim.join()
        owner = NOTHING
        if sandbox.engine.account(DEMO_UID).position_mode == "net_mode":
            # The other mode, which verify was trying, would be fixed by what he opens.
            owner = the_owner_trades(sandbox)
        desk = desk_on(sandbox, folder)
        Cleaner(desk).clean(thorough=True)
        assert what_is_there(sandbox) == owner, f"killed at request {moment}"
        assert desk.leverage() == LEVERAGE
        assert not desk.journal.holds_something
        desk.journal.close()
        assert not desk.journal.file.exists()


def the_owner_trades(sandbox: Sandbox) -> dict[str, Any]:
    """A position with a stop and a waiting order, on the pair that verify was busy with.

    What verify has left of a position is part of it now.
    """
    basics = {
        "instId": "PYTH-USDT",
        "marginMode": "isolated",
        "positionSide": "net",
        "side": "buy",
    }
    last = float(sandbox.market.last_price("PYTH-USDT", sandbox.clock.now_ms()))
    bought = {**basics, "orderType": "market", "size": "3", "clientOrderId": "theowners1"}
    stop = {"slTriggerPrice": f"{last * 0.9:.5f}", "slOrderPrice": "-1"}
    waiting = {**basics, "orderType": "limit", "price": f"{last * 0.9:.5f}", "size": "2"}
    for body in ({**bought, **stop}, {**waiting, "clientOrderId": "theowners2"}):
        answer = sandbox.app("/api/v1/trade/order", body)
        assert answer["code"] == "0", answer
    return {**NOTHING, "positions": [3], "orders": ["theowners2"], "tpsl": ["theowners1"]}


def what_is_there(sandbox: Sandbox) -> dict[str, Any]:
    account = sandbox.engine.account(DEMO_UID)
    return {
        "positions": [position.size for position in account.positions.values()],
        "orders": [order.client_order_id for order in account.live_orders()],
        "tpsl": [order.client_order_id for order in account.live_tpsl()],
        "mode": account.position_mode,
    }


def test_a_mode_that_the_owner_has_fixed_is_told_and_given_back_later(
    open_verify: Callable[..., Desk],
) -> None:
    desk = open_verify()
    sandbox = desk.clock.sandbox
    # A run that ended after it had switched.
    desk.journal.change(Setting(POSITION_MODE, SET_MODE, {"positionMode": "net_mode"}))
    sandbox.app(f"/api/v1/{SET_MODE}", {"positionMode": "long_short_mode"})
    order = {"marginMode": "isolated", "positionSide": "long", "side": "buy"}
    order |= {"instId": "BTC-USDT", "orderType": "limit", "price": "70000", "size": "1"}
    assert sandbox.app("/api/v1/trade/order", order)["code"] == "0"
    with pytest.raises(CleaningError, match="close what is open on it"):
        Cleaner(desk).clean(thorough=True)
    for waiting in sandbox.engine.account(DEMO_UID).live_orders():
        cancel = {"instId": "BTC-USDT", "orderId": waiting.order_id}
        sandbox.app("/api/v1/trade/cancel-order", cancel)
    Cleaner(desk).clean(thorough=True)
    assert what_is_there(sandbox) == NOTHING
