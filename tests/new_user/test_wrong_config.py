"""A config with a mistake in it: every command says where, and shows nothing of a key."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from bubbybot_freqtrade.cli import main

ROOT = Path(__file__).parents[2]
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
