"""Each thing that can be wrong is made wrong on a real venue, config, file or server."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from wsgiref.handlers import format_date_time

import pytest
from freqtrade.configuration.config_validation import validate_config_schema
from freqtrade.exceptions import ConfigurationError

from bubbybot_freqtrade.commands.doctor import examine
from bubbybot_freqtrade.commands.doctor.clock import clock
from bubbybot_freqtrade.commands.doctor.database import database
from bubbybot_freqtrade.commands.doctor.heartbeat import SignOfLife, bot
from bubbybot_freqtrade.commands.output import one_line
from bubbybot_freqtrade.sandbox.settings import DEMO_UID, ApiKey
from tests.blofin.conftest import open_desk  # noqa: F401 - a fixture
from tests.commands.doctor.conftest import sandbox_config
from tests.places import ROOT
from tests.strategy.telegram.bot_api import CHAT_ID, TOKEN, BotApi

DAY_MS = 86_400_000


def test_a_fit_setup_has_no_problem(visit, open_sandbox):
    bound = ApiKey(ips=("127.0.0.1",))
    seen = visit(open_sandbox(keys=(bound,)))
    assert seen.problems() == {}
    assert set(seen.notes()) == {"telegram"}
    (key,) = seen.about("key")
    assert key.found == "May read and trade, bound to 1 address(es), without expiry."


@pytest.mark.parametrize(
    ("key", "point", "says"),
    [
        (ApiKey(permissions=frozenset({"READ"})), "key", "READ and TRADE"),
        (ApiKey(ips=("203.0.113.7",)), "key", "IP list"),
        (ApiKey(expires_ms=1), "key", "Create a new API key"),
        (ApiKey(passphrase="another one"), "key", "between single quotes"),
        (ApiKey(permissions=frozenset({"READ", "TRADE", "TRANSFER"})), "key", "may transfer"),
        (ApiKey(secret="another one"), "key", "secret"),
        (ApiKey(api_key="another one"), "key", "Check the API key"),
    ],
)
def test_what_is_wrong_with_the_key_comes_with_its_mending(visit, open_sandbox, key, point, says):
    seen = visit(open_sandbox(keys=(key,)))
    assert list(seen.problems()) == [point]
    assert says in seen.problems()[point]
    assert "account" in seen.notes()


def test_a_key_without_addresses_or_near_its_end_is_noted(visit, open_sandbox):
    soon = ApiKey(expires_ms=int(time.time() * 1000) + 3 * DAY_MS)
    seen = visit(open_sandbox(keys=(soon,)))
    assert seen.problems() == {}
    lines = [finding.line for finding in seen.about("key")]
    assert any("expires on" in line for line in lines)
    assert any("bound to no IP" in line for line in lines)


def test_missing_keys_are_named_by_their_variables(visit):
    seen = visit(exchange={"key": "", "secret": "", "password": ""})
    assert "FREQTRADE__EXCHANGE__PASSWORD" in seen.problems()["key"]


def test_paper_trading_needs_no_key(visit):
    seen = visit(dry_run=True, exchange={"key": "", "secret": "", "password": ""})
    assert seen.problems() == {}
    assert "Paper trading" in seen.notes()["key"]


def test_another_mode_is_a_note_while_nothing_is_open_and_a_problem_after(visit, open_sandbox):
    sandbox = open_sandbox(position_mode="long_short_mode", margin_mode="cross")
    seen = visit(sandbox)
    assert seen.problems() == {}
    modes = [finding.line for finding in seen.about("account mode")]
    assert [line.split()[0] for line in modes] == ["exchange.position_mode", "margin_mode"]
    order = {
        "instId": "BTC-USDT",
        "marginMode": "cross",
        "positionSide": "long",
        "side": "buy",
        "orderType": "market",
        "price": "",
        "size": "1",
    }
    assert sandbox.app("/api/v1/trade/order", order)["code"] == "0"
    problems = visit(sandbox).problems()
    assert "cannot change" in problems["account mode"]
    assert "BTC/USDT:USDT has a position" in problems["positions"]


def test_an_empty_account_says_where_to_transfer(visit, open_sandbox):
    seen = visit(open_sandbox(balance=0))
    assert "Transfer" in seen.problems()["balance"]


def test_an_account_below_the_smallest_order_names_what_is_missing(visit, open_sandbox):
    seen = visit(open_sandbox(balance="0.01"))
    assert "too small for every pair" in seen.problems()["limits"]
    assert "BTC/USDT:USDT" in " ".join(finding.line for finding in seen.about("limits"))


def test_pairs_that_are_unknown_suspended_or_leaving(visit, open_sandbox):
    sandbox = open_sandbox()
    sandbox.change_instrument("ETH-USDT", state="suspend")
    sandbox.change_instrument("SOL-USDT", expire_time=int(time.time() * 1000) + DAY_MS)
    pairs = ["BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT", "NO/USDT:USDT"]
    seen = visit(sandbox, exchange={"pair_whitelist": pairs})
    lines = {f.line for f in seen.about("pairs") if f.verdict == "problem"}
    assert any("does not have NO/USDT:USDT" in line for line in lines)
    assert any("ETH/USDT:USDT" in line for line in lines)
    assert "SOL/USDT:USDT is delisted on" in seen.notes()["pairs"]


def test_a_venue_that_is_away_is_a_problem_and_not_a_crash(visit, open_sandbox):
    sandbox = open_sandbox()
    sandbox.stop()
    line = visit(sandbox).problems()["venue"]
    assert "network" in line
    # The reason itself: freqtrade says "investigate the above error", and nothing is above.
    assert sandbox.url in line
    assert "above" not in line


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"bubbybot": {"risk": {"max_margin": 0.2}}}, "bubbybot.risk.max_margin"),
        (
            {"bubbybot": {"risk": {"max_margn": 0.02}}},
            "bubbybot.risk.max_margn = 0.02: there is no such setting, did you mean max_margin?",
        ),
        ({"bubbybot": {"risks": {}}}, "did you mean risk?"),
        ({"bubbybot": {"zzz": 1}}, "there is no such setting."),
        ({"strategy": "NoSuchStrategy"}, "NoSuchStrategy"),
        ({"stake_amount": "much"}, "stake_amount"),
        ({"position_adjustment_enable": True}, "a second entry has neither plan nor limit"),
    ],
)
def test_a_wrong_setting_is_named(visit, changes, says):
    seen = visit(**changes)
    # Once: nothing else is a problem because of it.
    assert list(seen.problems()) == ["config"]
    assert says in seen.problems()["config"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"key": ["SECRET-VALUE"]}, "exchange.key"),
        ({"secret": 4711}, "exchange.secret"),
        ({"ccxt_config": "SECRET-VALUE"}, "exchange.ccxt_config"),
    ],
)
def test_what_breaks_freqtrades_schema_is_named_without_its_value(change, named):
    config = json.loads((ROOT / "config.json").read_text())
    config["exchange"] |= change
    with pytest.raises(ConfigurationError, match=r"SECRET-VALUE|4711") as raised:
        validate_config_schema(config)
    told = one_line(raised.value)
    assert told.startswith(f"{named} is not what freqtrade takes there")
    assert "SECRET-VALUE" not in told
    assert "4711" not in told


def test_a_missing_config_file_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    findings = list(examine(["nowhere.json"]))
    assert "nowhere.json" in next(f for f in findings if f.point == "config").line


def test_databases_that_cannot_serve(visit, tmp_path):
    memory = visit(db_url="sqlite://").problems()["database"]
    assert "restart would forget" in memory
    assert (
        "does not exist" in visit(db_url=f"sqlite:///{tmp_path}/no/t.sqlite").problems()["database"]
    )
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(b"this is no database" * 100)
    assert "restore" in visit(db_url=f"sqlite:///{damaged}").problems()["database"]


@pytest.mark.parametrize("url", ["nonsense", "postgres://me:hidden@localhost/trades"])
def test_a_database_url_that_is_none_is_a_problem_and_hides_its_password(visit, url):
    line = visit(db_url=url).problems()["database"]
    assert "sqlite:///trades.sqlite" in line
    assert "hidden" not in line


@pytest.mark.parametrize(
    "changes",
    [
        {"db_url": "postgresql+psycopg://me:hidden@127.0.0.1:9/trades"},
        {"db_url": "postgresql+psycopg://me@127.0.0.1:9/trades?password=hidden"},
        {"db_url": "postgresql+psycopg://me@127.0.0.1:9/trades?sslmode=require&sslPassword=hidden"},
        {"exchange": {"ccxt_config": {"urls": {"api": {"rest": "http://me:hidden@127.0.0.1:9"}}}}},
    ],
    ids=["user", "query", "key", "venue"],
)
def test_no_password_of_an_address_is_shown(visit, changes):
    pytest.importorskip("psycopg")
    seen = visit(**changes)
    assert "127.0.0.1:9" in " ".join(seen.problems().values())
    assert "hidden" not in str([finding.line for finding in seen.findings])


@pytest.mark.parametrize("wrong", ["text", {"urls": 5}], ids=["text", "urls"])
def test_an_exchange_that_cannot_be_made_is_a_problem_and_not_a_crash(visit, wrong):
    line = visit(exchange={"ccxt_config": wrong}).problems()["venue"]
    assert "ccxt_config" in line


def test_a_database_with_another_exchanges_trades_is_refused(visit, tmp_path):
    file = tmp_path / "other.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE trades (pair TEXT, exchange TEXT, is_open BOOLEAN)")
        connection.execute("INSERT INTO trades VALUES ('BTC/USDT:USDT', 'bybit', 1)")
    assert "bybit" in visit(db_url=f"sqlite:///{file}").problems()["database"]


@pytest.mark.parametrize("bot", ["blofin", "blofin_demo"])
@pytest.mark.parametrize("trades_of", ["blofin", "blofin_demo"])
def test_trades_of_the_demo_account_belong_to_the_demo_bot(visit, tmp_path, bot, trades_of):
    """freqtrade writes `blofin_demo` into the trades of a bot with demo_trading."""
    file = tmp_path / "trades.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE trades (pair TEXT, exchange TEXT, is_open BOOLEAN)")
        connection.execute("INSERT INTO trades VALUES ('BTC/USDT:USDT', ?, 1)", (trades_of,))
    seen = visit(exchange={"demo_trading": bot == "blofin_demo"})
    assert ("database" in seen.problems()) == (bot != trades_of)


def test_a_healthy_demo_bot_with_an_open_trade_has_no_problem(open_desk):  # noqa: F811
    """What the container's health check sees."""
    desk = open_desk(keys=(ApiKey(ips=("127.0.0.1",)),))
    desk.start(exchange={"demo_trading": True})
    trade = desk.enter()
    assert trade.exchange == "blofin_demo"
    file = str(desk.folder / "config.json")
    findings = list(examine([file], desk.folder))
    assert [f.line for f in findings if f.verdict == "problem"] == []
    assert {f.point: f.line for f in findings}["positions"] == "1 on BloFin, all known."


def test_looking_creates_no_database(visit, tmp_path):
    visit()
    assert not (tmp_path / "trades.sqlite").exists()


def test_looking_changes_nothing_on_the_account(visit, open_sandbox):
    sandbox = open_sandbox(position_mode="long_short_mode", margin_mode="cross")
    before = sandbox.ledger(DEMO_UID).totals()
    visit(sandbox)
    # A transfer of nothing is how BloFin tells whether the key may transfer.
    asked = sandbox.requests.select(method="POST")
    assert {request.path for request in asked} <= {"/api/v1/asset/transfer"}
    assert sandbox.ledger(DEMO_UID).totals() == before


def test_telegram_is_asked_and_its_token_is_never_shown(visit):
    with BotApi() as bot_api:
        settings = {"enabled": True, "token": TOKEN, "chat_id": str(CHAT_ID)}
        seen = visit(telegram=settings, telegram_api=bot_api.url)
        assert seen.about("telegram")[0].line == f"@local_bubby_bot writes to chat {CHAT_ID}."
        seen = visit(telegram=settings | {"chat_id": "1"}, telegram_api=bot_api.url)
        assert "/start" in seen.problems()["telegram"]
        seen = visit(telegram=settings | {"token": "9:wrong"}, telegram_api=bot_api.url)
        assert "@BotFather" in seen.problems()["telegram"]
        seen = visit(telegram=settings | {"token": ""}, telegram_api=bot_api.url)
        assert "empty: FREQTRADE__TELEGRAM__TOKEN." in seen.problems()["telegram"]
    away = visit(telegram=settings, telegram_api=bot_api.url)
    assert "network" in away.problems()["telegram"]
    assert TOKEN not in str([finding.line for finding in away.findings])


def clock_beside(answer):
    """What the doctor says of the clock beside a server that answers so."""
    with HTTPServer(("127.0.0.1", 0), answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (finding,) = clock(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    return finding


@pytest.mark.parametrize(("ahead", "verdict"), [(0, "ok"), (-20, "note"), (45, "problem")])
def test_the_clock_is_compared_with_the_venues(ahead, verdict):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response_only(200)
            self.send_header("Date", format_date_time(time.time() - ahead))
            self.end_headers()

        def log_message(self, *_):
            pass

    finding = clock_beside(Answer)
    assert finding.verdict == verdict


def test_the_clock_is_not_that_of_a_server_that_a_redirect_leads_to():
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            elsewhere = self.path == "/elsewhere"
            self.send_response_only(200 if elsewhere else 302)
            self.send_header("Date", format_date_time(time.time() - 3600))
            if not elsewhere:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    finding = clock_beside(Answer)
    assert (finding.verdict, "not compared" in finding.line) == ("note", True)


def test_a_rest_api_open_to_others_or_without_a_password_is_refused(visit, monkeypatch):
    monkeypatch.delenv("FT_APP_ENV", raising=False)
    settings = {
        "enabled": True,
        "listen_ip_address": "0.0.0.0",
        "listen_port": 8080,
        "username": "owner",
        "password": "long",
        "jwt_secret_key": "longer",
    }
    assert "0.0.0.0:8080" in visit(api_server=settings).problems()["REST API"]
    for known in ("", "SuperSecurePassword"):
        found = visit(api_server=settings | {"password": known})
        assert "password" in found.problems()["REST API"]
    assert (
        "REST API" not in visit(api_server=settings | {"listen_ip_address": "127.0.0.1"}).problems()
    )
    # Docker's own network: what is published is the service's to say.
    monkeypatch.setenv("FT_APP_ENV", "docker")
    assert "0.0.0.0:8080" in visit(api_server=settings).notes()["REST API"]


LINE = "{at:%Y-%m-%d %H:%M:%S},123 - freqtrade.worker - INFO - {said}\n"
BEAT = "Bot heartbeat. PID=7, version='2026.9', state='RUNNING'"


def written(*signs) -> str:
    """Log lines of (minutes ago, text), with what another thread says last."""
    now = datetime.now()  # noqa: DTZ005 - as freqtrade logs
    lines = [LINE.format(at=now - timedelta(minutes=ago), said=said) for ago, said in signs]
    return "".join(lines) + LINE.format(at=now, said="x").replace("worker", "rpc.telegram")


@pytest.mark.parametrize(
    ("signs", "verdict", "says"),
    [
        ([(30, BEAT), (1, BEAT)], "ok", "s ago, running."),
        ([(1, BEAT.replace("RUNNING", "STOPPED"))], "ok", "stopped"),
        ([(12, BEAT)], "problem", "12 minutes old"),
        # A bot that has just been started again has a while to reach its first loop.
        ([(300, BEAT), (2, "Starting worker 2026.9")], "ok", "starting"),
        ([(300, BEAT), (20, "Starting worker 2026.9")], "problem", "20 minutes old"),
        ([], "problem", "no heartbeat"),
    ],
)
def test_a_bot_that_hangs_is_seen_by_its_log(tmp_path, signs, verdict, says):
    log = tmp_path / "bot.log"
    log.write_text(written(*signs))
    (finding,) = bot(log)
    assert finding.verdict == verdict
    assert says in finding.line


def test_a_log_that_was_just_put_aside_still_tells(tmp_path):
    log = tmp_path / "bot.log"
    (tmp_path / "bot.log.1").write_text(written((1, BEAT)))
    log.write_text(written())
    assert [finding.verdict for finding in bot(log)] == ["ok"]


def test_a_log_that_is_not_there_is_a_problem(tmp_path):
    (finding,) = bot(tmp_path / "no.log")
    assert finding.verdict == "problem"
    assert "No such file" in finding.line


def test_the_command_prints_a_line_each_and_fails_on_a_problem(open_sandbox, tmp_path):
    sandbox = open_sandbox(keys=(ApiKey(ips=("127.0.0.1",)),))
    file = sandbox_config(sandbox, tmp_path)
    command = [sys.executable, "-m", "bubbybot_freqtrade.cli", "doctor", "-c", str(file)]
    command[1:3] = ["-c", "from bubbybot_freqtrade.cli import main; main()"]
    good = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert good.returncode == 0, good.stdout + good.stderr
    points = [line[8:21].strip() for line in good.stdout.splitlines()]
    assert points == [*dict.fromkeys(points)]
    assert all(line.startswith(("ok ", "note ")) for line in good.stdout.splitlines())
    sandbox.stop()
    bad = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert bad.returncode == 1
    assert "PROBLEM venue" in bad.stdout
    assert "Traceback" not in bad.stderr


def test_a_folder_without_write_permission_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    config = {
        "db_url": f"sqlite:///{tmp_path}/t.sqlite",
        "dry_run": False,
        "exchange": {"name": "blofin"},
    }
    (finding,) = database(config)
    assert "not writable" in finding.line


def test_settings_that_the_environment_replaces_are_noted_without_their_values(visit, monkeypatch):
    monkeypatch.setenv("FREQTRADE__EXCHANGE__PASSWORD", "")
    monkeypatch.setenv("FREQTRADE__EXCHANGE__SECRET", "a-secret-of-the-environment")
    monkeypatch.setenv("FREQTRADE__MAX_OPEN_TRADES", "1")
    monkeypatch.setenv("FREQTRADE__BOT_NAME", "not in the file")
    seen = visit(bot_name="", max_open_trades=1)
    assert "exchange.password, exchange.secret." in seen.notes()["environment"]
    assert "a-secret" not in str([finding.line for finding in seen.findings])


def test_an_environment_of_its_own_is_no_note(visit, monkeypatch):
    monkeypatch.setenv("FREQTRADE__EXCHANGE__UID", "1")
    assert visit().about("environment") == []


def test_a_key_that_may_transfer_passes_with_its_owners_word(visit, open_sandbox):
    key = ApiKey(permissions=frozenset({"READ", "TRADE", "TRANSFER"}))
    seen = visit(open_sandbox(keys=(key,)), exchange={"allow_transfer_permission": True})
    assert seen.problems() == {}


@pytest.mark.skipif(os.name != "posix", reason="files have no group and others there")
@pytest.mark.parametrize(("mode", "refused"), [(0o644, True), (0o640, True), (0o600, False)])
def test_a_file_with_the_key_that_others_can_read_is_refused_as_by_the_bot(
    open_sandbox, tmp_path, monkeypatch, mode, refused
):
    monkeypatch.chdir(tmp_path)
    sandbox = open_sandbox()
    file = sandbox_config(sandbox, tmp_path)
    # 127.0.0.1 itself is let pass as a sandbox's.
    file.write_text(file.read_text().replace("//127.0.0.1", "//localhost"))
    file.chmod(mode)
    lines = [f.line for f in examine([str(file)]) if f.verdict == "problem"]
    assert any(f"chmod 600 {file}" in line for line in lines) == refused


@pytest.mark.parametrize(
    ("written", "now", "minutes"),
    [
        # Berlin's clock goes from 03:00 back to 02:00 at 01:00 UTC, and forward in spring.
        ("2025-10-26 02:58:00", datetime(2025, 10, 26, 1, 3, tzinfo=UTC), 5),
        ("2025-10-26 02:02:00", datetime(2025, 10, 26, 1, 3, tzinfo=UTC), 1),
        ("2025-10-26 02:30:00", datetime(2025, 10, 26, 2, 30, tzinfo=UTC), 60),
        ("2025-03-30 01:58:00", datetime(2025, 3, 30, 1, 3, tzinfo=UTC), 5),
        ("2025-07-01 12:00:00", datetime(2025, 7, 1, 10, 2, tzinfo=UTC), 2),
    ],
)
def test_a_sign_of_life_keeps_its_age_when_the_clock_is_changed(monkeypatch, written, now, minutes):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        sign = SignOfLife(datetime.fromisoformat(written), "running")
        assert sign.age(now) == timedelta(minutes=minutes)
    finally:
        monkeypatch.undo()
        time.tzset()
