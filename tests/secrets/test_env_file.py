"""`bubbybot secrets`: passwords that nobody chose, in a file that nobody else reads."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from freqtrade.configuration import Configuration
from freqtrade.configuration.environment_vars import environment_vars_to_dict

from bubbybot_freqtrade.cli import main
from bubbybot_freqtrade.env_file import GENERATED

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("FREQTRADE")]:
        monkeypatch.delenv(name)
    return tmp_path


def generate(*options):
    done = CliRunner().invoke(main, ["secrets", *options])
    assert done.exit_code == 0, done.output
    return done.output


def loaded(file=".env"):
    """The file's variables, as a shell takes them."""
    script = f"set -a; . ./{file}; set +a; env -0"
    done = subprocess.run(["bash", "-ec", script], capture_output=True, check=True)
    entries = done.stdout.decode().split("\0")
    return dict(e.split("=", 1) for e in entries if e.startswith("FREQTRADE__"))


def test_a_new_file_is_the_template_with_three_secrets_and_for_its_owner_alone(folder):
    (folder / ".env.example").write_text((ROOT / ".env.example").read_text())
    before = os.umask(0)
    try:
        told = generate()
    finally:
        os.umask(before)
    settings = loaded()
    values = [settings[name] for name in GENERATED]
    assert len(set(values)) == 3
    assert all(len(value) >= 43 for value in values)
    assert not [value for value in values if value in told]
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    assert settings["FREQTRADE__API_SERVER__LISTEN_IP_ADDRESS"] == "127.0.0.1"
    assert settings["FREQTRADE__API_SERVER__ENABLED"] == "false"
    assert settings["FREQTRADE__EXCHANGE__KEY"] == ""
    assert [file.name for file in folder.iterdir() if file.name != ".env.example"] == [".env"]


def test_without_a_template_freqtrade_takes_what_it_makes(folder, monkeypatch):
    generate()
    for name, value in loaded().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FREQTRADE__API_SERVER__ENABLED", "true")
    assert set(environment_vars_to_dict()["api_server"]) == {
        *("enabled", "listen_ip_address", "listen_port", "username"),
        *("password", "jwt_secret_key", "ws_token"),
    }
    config = Configuration({"config": [str(ROOT / "config.json")], "user_data_dir": str(folder)})
    assert config.get_config()["api_server"]["listen_ip_address"] == "127.0.0.1"


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_what_stands_there_is_kept(folder, quote):
    file = folder / ".env"
    own = (
        "# mine\nFREQTRADE__EXCHANGE__KEY=abc=def\n"
        f"export FREQTRADE__API_SERVER__PASSWORD={quote}chosen before{quote}\n"
        "FREQTRADE__API_SERVER__LISTEN_PORT=9000\nFREQTRADE__API_SERVER__WS_TOKEN=''\n"
    ).replace("chosen before", "chosen before" if quote else "chosen-before")
    file.write_text(own)
    file.chmod(0o644)
    told = generate()
    settings = loaded()
    assert settings["FREQTRADE__EXCHANGE__KEY"] == "abc=def"
    assert settings["FREQTRADE__API_SERVER__PASSWORD"].startswith("chosen")
    assert settings["FREQTRADE__API_SERVER__LISTEN_PORT"] == "9000"
    assert len(settings["FREQTRADE__API_SERVER__WS_TOKEN"]) >= 43
    assert "PASSWORD" not in told
    assert file.read_text().startswith("# mine\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = file.read_text()
    assert "Generated: nothing" in generate()
    assert file.read_text() == again


def test_secrets_are_renewed_on_demand_and_keys_are_not(folder):
    (folder / ".env").write_text("FREQTRADE__EXCHANGE__KEY=abc\n")
    generate()
    before = loaded()
    generate("--renew")
    after = loaded()
    assert {name for name in before if before[name] != after[name]} == set(GENERATED)
