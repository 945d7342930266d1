"""A config with a mistake in it: every command says where, and shows nothing of a key."""

import json
import os

import pytest
from click.testing import CliRunner

from bubbybot_freqtrade.cli import main
from tests.places import ROOT

# Made up here, and nowhere else.
SECRET, PASSPHRASE = "5ecre7-0f-n0b0dy", "pa55phra5e-0f-n0b0dy"
NO_COMMA = f"""{{
    "dry_run": true,
    "exchange": {{
        "secret": "{SECRET}"
        "password": "{PASSPHRASE}"
    }}
}}"""
STRATEGIES = ["--strategy-path", str(ROOT / "user_data/strategies")]
COMMANDS = {
    "doctor": ["doctor", "-c"],
    "status": ["status", "-c"],
    "report": ["report", "-c"],
    "patterns": ["patterns", "-c"],
    "explain": ["explain", "BTC/USDT:USDT", "-c"],
    "search": ["search", "--timerange", "20250101-20250601", "-c"],
    "rehearse": ["rehearse", "--days", "0.01", *STRATEGIES, "--out", "out", "--config"],
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("FREQTRADE")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture(params=COMMANDS)
def told(request):
    """What a command says of a config file, in one line; it must not be a traceback."""

    def run(file="own.json"):
        result = CliRunner().invoke(main, [*COMMANDS[request.param], file])
        assert isinstance(result.exception, SystemExit), result.exc_info
        assert result.exit_code in (1, 2), result.output
        return " ".join(result.output.split())

    return run


def test_a_mistake_in_the_json_is_found_by_its_line_and_no_secret_is_shown(folder, told):
    (folder / "own.json").write_text(NO_COMMA)
    said = told()
    assert "own.json, line 5: Missing a comma" in said
    assert SECRET not in said
    assert PASSPHRASE not in said


def test_so_is_one_in_a_file_that_the_config_adds(folder, told):
    (folder / "secrets.json").write_text(NO_COMMA)
    (folder / "own.json").write_text(json.dumps({"add_config_files": ["secrets.json"]}))
    said = told()
    assert "secrets.json, line 5" in said
    assert SECRET not in said


def test_a_passphrase_without_quotes_is_not_shown(folder, told):
    config = json.loads((ROOT / "config.json").read_text())
    config["exchange"]["password"] = 20250118
    (folder / "own.json").write_text(json.dumps(config))
    said = told()
    assert "exchange.password must be text" in said
    assert "20250118" not in said


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"[]", "no config"), (b'{"bot_name": "\xe9"}', "UTF-8"), (b"", "line 1")],
)
def test_a_file_that_is_no_config_is_named(folder, told, content, says):
    (folder / "own.json").write_bytes(content)
    said = told()
    assert "own.json" in said
    assert says in said


def test_an_empty_config_is_told_what_it_lacks(folder, told):
    (folder / "own.json").write_text('{"bubbybot": {}}')
    # A rehearsal needs no more than that.
    (folder / "out").write_text("no folder")
    said = told()
    assert "missing" in said or "out" in said


def one_line(*arguments, code):
    """What a command says that ends at once; it must not be a traceback."""
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert isinstance(result.exception, SystemExit), result.exc_info
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


@pytest.fixture
def config_with(folder):
    """`config_with(**changes)`: the repository's config, for real orders, in a file."""

    def write(**changes):
        config = json.loads((ROOT / "config.json").read_text())
        own = {"dry_run": False, "strategy_path": str(ROOT / "user_data/strategies")}
        (folder / "user_data").mkdir(exist_ok=True)
        (folder / "own.json").write_text(json.dumps(config | own | changes))
        return "own.json"

    return write


@pytest.mark.parametrize("command", ["status", "report", "patterns"])
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "no database URL"),
        (f"postgres://me:{PASSPHRASE}@localhost/trades", "no database 'postgres'"),
        (f"mysql+nodriver://me:{PASSPHRASE}@localhost/trades", "mysql+nodriver"),
        (f"oracle://me:{PASSPHRASE}@localhost/trades", "package"),
        ("sqlite:///damaged.sqlite", "not a database"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(folder, config_with, command, url, says):
    (folder / "damaged.sqlite").write_bytes(b"this is no database" * 100)
    said = one_line(command, "-c", config_with(db_url=url), code=1)
    assert says in said
    assert PASSPHRASE not in said
    assert "SELECT" not in said
    assert "PRAGMA" not in said


@pytest.mark.parametrize("command", ["report", "patterns"])
def test_a_page_that_cannot_be_written_is_one_line(folder, command):
    from freqtrade.persistence import Trade, init_db

    init_db(f"sqlite:///{folder}/empty.sqlite")
    Trade.session.remove()
    said = one_line(command, "empty.sqlite", "-o", "/nonexist/x.html", code=1)
    assert "/nonexist/x.html" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("rehearse", *STRATEGIES, "--balance", "much"), "'much' is not a number"),
        (("rehearse", *STRATEGIES, "--balance", "-1"), "--balance: Input should be greater"),
        (("sandbox", "--port", "99999"), "--port: Input should be less"),
        (("sandbox", "--balance", "-5"), "--balance: Input should be greater"),
        (("sandbox", "--latency", "-1"), "--latency: Input should be greater"),
        (("sandbox", "--pair-count", "0"), "--pair-count: Input should be greater"),
        (("sandbox", "--steps", "1"), "--steps: Input should be greater"),
    ],
)
def test_a_number_out_of_its_range_names_the_option(arguments, says):
    said = one_line(*arguments, code=2)
    assert says in said
    assert "pydantic" not in said
