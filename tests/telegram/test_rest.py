"""freqtrade's REST API beside Telegram: the same doors, the same rules."""

import socket
import time

import pytest
import requests

from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.strategy import PLAN
from tests.telegram.conftest import BTC, REST_API


@pytest.fixture
def rest_api():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return REST_API | {"listen_port": free.getsockname()[1]}


def wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            assert requests.get(f"{url}/ping", timeout=5).json() == {"status": "pong"}
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "the REST API did not start"
            time.sleep(0.05)
        else:
            return


def test_rest_enters_shows_and_exits_by_the_same_rules(open_desk, rest_api):
    desk = open_desk()
    desk.start(api_server=rest_api, telegram={"enabled": False, "token": "", "chat_id": ""})
    url = f"http://127.0.0.1:{rest_api['listen_port']}/api/v1"
    wait_until_it_answers(url)
    wrong = requests.get(f"{url}/status", auth=("owner", "guess"), timeout=30)
    assert wrong.status_code == 401
    with requests.Session() as owner:
        owner.auth = (rest_api["username"], rest_api["password"])
        # A tag and a stake of the owner's choice; the plan's size and levels all the same.
        wish = {"pair": BTC, "side": "short", "entry_tag": "my_idea", "stakeamount": 5_000}
        answer = owner.post(f"{url}/forceenter", json=wish, timeout=60)
        assert answer.status_code == 200, answer.text
        desk.loop()
        (trade,) = owner.get(f"{url}/status", timeout=60).json()
        assert (trade["pair"], trade["is_short"], trade["enter_tag"]) == (BTC, True, "my_idea")
        assert trade["stake_amount"] <= 0.05 * 10_000 * 1.01
        kept = owner.get(f"{url}/trades/{trade['trade_id']}/custom-data", timeout=60).json()
        values = {item["key"]: item["value"] for entry in kept for item in entry["custom_data"]}
        plan = TradePlan.from_dict(values[PLAN])
        assert trade["stop_loss_abs"] == pytest.approx(plan.stop, rel=1e-4)
        exited = owner.post(
            f"{url}/forceexit", json={"tradeid": str(trade["trade_id"])}, timeout=60
        )
        assert exited.status_code == 200, exited.text
        desk.loop()
        assert owner.get(f"{url}/status", timeout=60).json() == []
        assert owner.get(f"{url}/profit", timeout=60).json()["closed_trade_count"] == 1
        assert owner.post(f"{url}/stopentry", timeout=60).status_code == 200
        refused = owner.post(f"{url}/forceenter", json=wish, timeout=60)
        assert "not running" in refused.text
    assert desk.positions() == {}
    assert desk.standing_stops() == []
