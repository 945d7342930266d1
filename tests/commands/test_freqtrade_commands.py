"""freqtrade's own commands against the sandbox, with nothing but a config that points there.

They are loaded once for all (tests/preloaded.py); Windows, which has no fork, runs the program.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from freqtrade_client.ft_rest_client import FtRestClient

from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import (
    DEMO_API_KEY,
    DEMO_PASSPHRASE,
    DEMO_SECRET,
    SandboxSettings,
)
from tests.lively import NEAR, SHORT_WINDOW
from tests.places import ROOT
from tests.preloaded import preloaded

PAIRS = ["BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"]
ENVIRONMENT = os.environ | {
    "FREQTRADE__EXCHANGE__KEY": DEMO_API_KEY,
    "FREQTRADE__EXCHANGE__SECRET": DEMO_SECRET,
    "FREQTRADE__EXCHANGE__PASSWORD": DEMO_PASSPHRASE,
    "COLUMNS": "400",
}


class Desk:
    """A folder with a config, and freqtrade's command line."""

    def __init__(self, folder: Path, sandbox: Sandbox, programs: Path) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.programs = programs

    def config(self, name: str, base: str = "config.json", **changes) -> str:
        """Write a config that is `base` of this project with another address."""
        urls = {
            "rest": self.sandbox.url,
            "ws": {
                "swap": {
                    "public": self.sandbox.ws_public_url,
                    "private": self.sandbox.ws_private_url,
                }
            },
        }
        exchange = {
            "pair_whitelist": PAIRS,
            "ccxt_config": {"enableRateLimit": False, "urls": {"api": urls}},
        }
        file = self.folder / f"{name}.json"
        content = {"add_config_files": [str(ROOT / base)], "exchange": exchange, **changes}
        file.write_text(json.dumps(content))
        return str(file)

    def command(self, *args: str) -> list[str]:
        return [
            # Not python -m freqtrade, which ends with 0 after any error.
            str(self.programs / "freqtrade"),
            *args,
            "--userdir",
            str(self.folder / "user_data"),
        ]

    def run(self, *args: str) -> str:
        """Run a command to its end; it must succeed without a traceback."""
        done = subprocess.run(
            self.command(*args), capture_output=True, text=True, check=False, timeout=240,
            env=ENVIRONMENT, cwd=self.folder,
        )  # fmt: skip
        told = done.stdout + done.stderr
        assert done.returncode == 0, told
        assert "Traceback" not in told
        return told

    def refused(self, *args: str) -> str:
        """Run a command that must end with a configuration error and no traceback."""
        done = subprocess.run(
            self.command(*args), capture_output=True, text=True, check=False, timeout=240,
            env=ENVIRONMENT, cwd=self.folder,
        )  # fmt: skip
        told = done.stdout + done.stderr
        # freqtrade ends with 0 here.
        assert "ERROR - Configuration error" in told
        assert "Traceback" not in told
        return told

    def trade(self, *args: str, until: str) -> str:
        """Run the bot until its log says `until`, then stop it as Ctrl-C does."""
        log = self.folder / "trade.log"
        with log.open("w") as sink:
            bot = subprocess.Popen(
                self.command("trade", "--strategy-path", str(ROOT / "user_data/strategies"), *args),
                stdout=sink, stderr=subprocess.STDOUT, env=ENVIRONMENT, cwd=self.folder,
            )  # fmt: skip
            deadline = time.monotonic() + 120
            while until not in log.read_text() and time.monotonic() < deadline:
                assert bot.poll() is None, log.read_text()
                time.sleep(0.2)
            bot.send_signal(signal.SIGINT)
            bot.wait(timeout=60)
        told = log.read_text()
        assert until in told, told
        assert "Traceback" not in told, told
        return told


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Iterator[Desk]:
    with Sandbox(SandboxSettings(clock="real", rate_limits=False)) as sandbox:
        folder = tmp_path_factory.mktemp("freqtrade")
        (folder / "user_data").mkdir()
        if os.name == "nt":
            yield Desk(folder, sandbox, Path(sys.executable).parent)
            return
        (folder / "bin").mkdir()
        with preloaded(folder / "bin", ("freqtrade",)):
            yield Desk(folder, sandbox, folder / "bin")


@pytest.fixture(scope="module")
def candles(desk) -> str:
    """Download what a backtest needs; its timerange is returned."""
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - timedelta(days=45)
    told = desk.run(
        "download-data", "-c", desk.config("download"), "--timerange",
        f"{start - timedelta(days=16):%Y%m%d}-{end:%Y%m%d}", "-t", "15m", "1h", "4h",
    )  # fmt: skip
    assert "BTC/USDT:USDT, 1h, mark" in told
    assert "BTC/USDT:USDT, 1h, funding_rate" in told
    return f"{start:%Y%m%d}-{end:%Y%m%d}"


def printed_list(told: str) -> list[str]:
    """The pairs that a command printed among its log."""
    return json.loads(next(x for x in told.splitlines() if x.startswith("[")).replace("'", '"'))


def test_list_markets_shows_contracts_with_their_leverage(desk):
    told = desk.run("list-markets", "-c", desk.config("plain"), "--print-json")
    assert set(PAIRS) <= set(printed_list(told))


def test_list_pairs(desk):
    told = desk.run("list-pairs", "-c", desk.config("plain"), "--quote", "USDT", "--print-json")
    assert set(PAIRS) <= set(printed_list(told))


def test_a_volume_pairlist_ranks_by_quote_volume(desk):
    by_volume = [{"method": "VolumePairList", "number_assets": 2, "sort_key": "quoteVolume"}]
    told = desk.run("test-pairlist", "-c", desk.config("volume", pairlists=by_volume))
    ranked = printed_list(told)
    market, now = desk.sandbox.market, int(time.time() * 1000)
    volumes = {}
    for inst_id in market.instruments:
        candles = market.candles(inst_id, "1H", now_ms=now, limit=24)
        volumes[inst_id] = sum(float(candle.volume_currency_quote) for candle in candles)
    busiest = sorted(volumes, key=volumes.get, reverse=True)[:2]
    assert ranked == [f"{inst_id.replace('-', '/')}:USDT" for inst_id in busiest]


def test_the_config_for_many_pairs_chooses_them_by_volume_age_and_spread(desk):
    told = desk.run("test-pairlist", "-c", desk.config("many", base="config.pairs.json"))
    chosen = printed_list(told)
    assert set(PAIRS) <= set(chosen)
    assert len(chosen) <= 20
    for name in ("VolumePairList", "AgeFilter", "SpreadFilter"):
        assert name in told


def test_backtesting_runs_on_downloaded_candles(desk, candles):
    told = desk.run(
        "backtesting", "-c", desk.config("backtest"), "--timerange", candles,
        "--strategy-path", str(ROOT / "user_data/strategies"), "--cache", "none",
    )  # fmt: skip
    assert "STRATEGY SUMMARY" in told
    assert "No trades made" not in told


@pytest.fixture(scope="module")
def strategies(desk) -> str:
    """A folder with the strategy: freqtrade keeps parameter files beside it."""
    folder = desk.folder / "strategies"
    folder.mkdir()
    shutil.copy(ROOT / "user_data/strategies/BubbyBot.py", folder)
    return str(folder)


def test_list_strategies_is_clean_and_shows_what_hyperopt_may_change(desk, strategies):
    told = desk.run("list-strategies", "--strategy-path", strategies)
    (row,) = [line for line in told.splitlines() if "BubbyBot.py" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[:3] == ["BubbyBot", "BubbyBot.py", "OK"]
    # Six parameters of the entry, two of the exit.
    assert cells[3] == "Yes"
    assert [cells[4], cells[5]] == ["6", "2"]


def test_hyperopt_writes_parameters_that_the_next_run_reads(desk, candles, strategies):
    pytest.importorskip("optuna", reason='needs pip install "freqtrade[hyperopt]"')
    pytest.importorskip("cmaes", reason='needs pip install "freqtrade[hyperopt]"')
    config = desk.config("hyperopt", bubbybot={"confluence": {"window": SHORT_WINDOW["window"]}})
    desk.run(
        "hyperopt", "-c", config, "--strategy-path", strategies, "--timerange", candles,
        "--hyperopt-loss", "SharpeHyperOptLoss", "--spaces", "buy", "sell", "--epochs", "2",
        "--random-state", "3", "-j", "2", "-p", PAIRS[0],
    )  # fmt: skip
    written = Path(strategies) / "BubbyBot.json"
    found = json.loads(written.read_text())["params"]
    assert set(found["buy"]) == {
        "min_confidence", "ribbon_room", "structure_room", "value_room", "stop_atrs", "reward_risk",
    }  # fmt: skip
    assert set(found["sell"]) == {"break_even_at", "trail_from"}
    told = desk.run(
        "backtesting", "-c", config, "--strategy-path", strategies, "--timerange", candles,
        "--cache", "none", "-p", PAIRS[0],
    )  # fmt: skip
    for name, value in (found["buy"] | found["sell"]).items():
        assert f"{name} = {value}" in told
    # Read by us too: a value that breaks a rule of the house stops the start, by its name.
    changed = json.loads(written.read_text())
    changed["params"]["buy"]["min_confidence"] = 0.5
    written.write_text(json.dumps(changed))
    try:
        refused = desk.refused("backtesting", "-c", config, "--strategy-path", strategies)
        assert "bubbybot.confluence.min_confidence" in refused
    finally:
        written.unlink()


def test_freq_uis_chart_of_a_backtest_has_the_analyzers(desk, candles, strategies):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    api = {
        "enabled": True, "listen_ip_address": "127.0.0.1", "listen_port": port,
        "username": "owner", "password": "local-password", "jwt_secret_key": "0123456789" * 4,
        "CORS_origins": [],
    }  # fmt: skip
    told = desk.folder / "webserver.log"
    with told.open("w") as sink:
        config = desk.config("webserver", api_server=api, strategy_path=strategies)
        server = subprocess.Popen(
            desk.command("webserver", "-c", config),
            stdout=sink, stderr=subprocess.STDOUT, env=ENVIRONMENT, cwd=desk.folder,
        )  # fmt: skip
        client = FtRestClient(f"http://127.0.0.1:{port}", "owner", "local-password", timeout=60)
        try:
            deadline = time.monotonic() + 60
            while "Uvicorn running" not in told.read_text():
                assert server.poll() is None, told.read_text()
                assert time.monotonic() < deadline, told.read_text()
                time.sleep(0.2)
            assert "BubbyBot" in client.strategies()["strategies"]
            chart = client.pair_history(PAIRS[0], "15m", "BubbyBot", timerange=candles)
        finally:
            client._session.close()
            server.terminate()
            server.wait(60)
    assert chart["length"] > 1_000
    assert {"mc_wt1", "lux_range_high", "fc_poc", "long_confluence"} <= set(chart["columns"])
    assert {drawn["type"] for drawn in chart["annotations"]} == {"area", "line", "point"}
    assert "Traceback" not in told.read_text()


TAKES_A_FOLDER_OF_STRATEGIES = (
    "backtesting", "plot-dataframe", "plot-profit", "lookahead-analysis", "recursive-analysis",
    "list-strategies", "strategy-updater",
)  # fmt: skip


@pytest.fixture(scope="module")
def every_command(desk, candles, strategies) -> dict[str, str]:
    """What each of freqtrade's commands says that loads the strategy or reads what it has made."""
    lively = {"confluence": SHORT_WINDOW, "risk": NEAR}
    config = desk.config("every", bubbybot=lively)
    demo = desk.config("every-demo", base="config.demo.json")
    pair, span = ["-p", PAIRS[0]], ["--timerange", candles]
    given = {
        # Before any command that opens the database, and after a backtest to draw.
        "backtesting": [*span, "--cache", "none", "--export", "signals"],
        "plot-dataframe": [*span, *pair],
        "plot-dataframe-db": [
            *span,
            *pair,
            "--trade-source",
            "DB",
            "--db-url",
            f"sqlite:///{desk.folder}/t.sqlite",
        ],
        "plot-dataframe-no-db": [*span, *pair, "--trade-source", "DB"],
        "plot-profit": span,
        "plot-profit-no-db": [*span, "--trade-source", "DB"],
        "lookahead-analysis": [*span, "--targeted-trade-amount", "10"],
        "recursive-analysis": [*span, *pair],
        "backtesting-show": [],
        "backtesting-analysis": [*span, "--analysis-groups", "0", "1", "2", "3", "4", "5"],
        "hyperopt-list": [],
        "list-strategies": [],
        "list-hyperoptloss": [],
        "list-freqaimodels": [],
        "list-timeframes": [],
        "list-data": [],
        "convert-data": [*pair, "--format-from", "feather", "--format-to", "json"],
        "test-pairlist": [],
        "show-config": [],
        "show-trades": ["--db-url", f"sqlite:///{desk.folder}/tradesv3.dryrun.sqlite"],
        "strategy-updater": [],
        "edge": [],
        "download-data-trades": ["--dl-trades", "--days", "1", *pair],
        "backtesting-demo": [*span, "-c", demo],
    }
    lines = {}
    for name, arguments in given.items():
        command = name.removesuffix("-demo").removesuffix("-db").removesuffix("-no")
        command = "download-data" if name.startswith("download-data") else command
        given_config = [] if name == "backtesting-demo" else ["-c", config]
        path = ["--strategy-path", strategies]
        listed = command in TAKES_A_FOLDER_OF_STRATEGIES
        lines[name] = [command, *given_config, *arguments, *(path if listed else [])]
    return {name: said(desk, line) for name, line in lines.items()}


def said(desk: Desk, line: list[str]) -> str:
    """What a command line says, and how it ends."""
    done = subprocess.run(
        desk.command(*line), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=240, check=False, env=ENVIRONMENT, cwd=desk.folder,
    )  # fmt: skip
    return f"{done.stdout}\nexit {done.returncode}"


WORKS = {
    "backtesting": "STRATEGY SUMMARY",
    "plot-dataframe": "Stored plot as",
    "plot-dataframe-db": "Stored plot as",
    "plot-profit": "Stored plot as",
    # Its own wallet of a billion is cut to what a market takes.
    "lookahead-analysis": "BubbyBot.py",
    "recursive-analysis": "long_confluence",
    "backtesting-show": "STRATEGY SUMMARY",
    "backtesting-analysis": "exit_reason",
    "hyperopt-list": "",
    "list-strategies": "BubbyBot.py",
    "list-hyperoptloss": "SharpeHyperOptLoss",
    "list-freqaimodels": "LightGBM",
    "list-timeframes": "15m",
    "list-data": "BTC/USDT:USDT",
    "convert-data": "Converting",
    "test-pairlist": "BTC/USDT:USDT",
    "show-config": "BubbyBot",
    "show-trades": "Printing 0 Trades",
    "strategy-updater": "",
}
SAYS_WHY = {
    "edge": "removed in 2025.6",
    "download-data-trades": "Trade history not available for BloFin",
    "plot-profit-no-db": "--trade-source DB needs the bot's database",
    "plot-dataframe-no-db": "--trade-source DB needs the bot's database",
    "backtesting-demo": "Demo trading cannot be used together with dry_run",
}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", WORKS)
def test_every_command_that_loads_the_strategy_works(every_command, name):
    told = every_command[name]
    assert "Traceback" not in told, told
    assert " ERROR " not in told, told
    assert told.endswith("exit 0"), told
    assert WORKS[name] in told, told


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", SAYS_WHY)
def test_what_cannot_work_says_why_in_one_line(every_command, name):
    told = every_command[name]
    assert "Traceback" not in told
    assert told.count(" - ERROR - ") == 1
    assert SAYS_WHY[name] in " ".join(told.split())


def test_no_command_finds_a_bias_in_the_strategy(every_command):
    """Nothing looks ahead, and more candles before the first change no column of the last."""
    rows = every_command["lookahead-analysis"].splitlines()
    (row,) = [line for line in rows if "BubbyBot.py" in line and "BubbyBot │" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[2] == "No"
    assert [cells[4], cells[5]] == ["0", "0"]
    told = every_command["recursive-analysis"]
    (row,) = [line for line in told.splitlines() if " long_confluence │" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    # The strategy's own 1439, and 1999, beside fewer that do change it.
    assert cells[1] != "-"
    assert cells[-2:] == ["-", "-"]


def test_trade_on_paper_with_candles_from_the_websocket(desk):
    told = desk.trade("-c", desk.config("dry"), "-vv", until="watch done BTC/USDT:USDT, 15m")
    assert "dry_run enabled" in told
    assert not [r for r in desk.sandbox.requests if r.method == "POST"]


def test_a_bot_with_a_wrong_key_says_so_and_ends(desk):
    """By itself, though its websocket thread runs: a container has to start it again."""
    config = desk.config("wrong", base="config.demo.json")
    ended = subprocess.run(
        desk.command("trade", "--strategy-path", str(ROOT / "user_data/strategies"), "-c", config),
        env=ENVIRONMENT | {"FREQTRADE__EXCHANGE__SECRET": "another one"}, cwd=desk.folder,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    told = ended.stdout + ended.stderr
    assert ended.returncode == 2, told
    assert "The API secret does not belong to this API key" in told
    assert "Traceback" not in told


def test_trade_on_the_demo_account_by_keys_alone(desk):
    told = desk.trade("-c", desk.config("demo", base="config.demo.json"), until="Bot heartbeat")
    assert 'Using Exchange "BloFin (Demo)"' in told
    assert "state='RUNNING'" in told
    assert DEMO_SECRET not in told
    assert DEMO_PASSPHRASE not in told
    modes = {r.path: r.json() for r in desk.sandbox.requests if r.method == "POST"}
    # Whether the key may transfer shows only by asking for a transfer of nothing.
    assert modes.pop("/api/v1/asset/transfer")["amount"] == "0"
    assert modes == {"/api/v1/account/set-margin-mode": {"marginMode": "isolated"}}
