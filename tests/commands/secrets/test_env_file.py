"""`bubbybot secrets`: passwords that nobody chose, in a file that nobody else reads."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from freqtrade.configuration import Configuration
from freqtrade.configuration.environment_vars import environment_vars_to_dict

from bubbybot_freqtrade.cli import main
from bubbybot_freqtrade.commands.secrets import GENERATED
from tests.places import ROOT


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


def loaded(file=".env", *, all_in_use=False):
    """The file's variables, as a shell takes them; maybe those behind a # too."""
    text = Path(file).read_text()
    if all_in_use:
        text = text.replace("#FREQTRADE", "FREQTRADE")
    script = f"set -a; {text}\nset +a; env -0"
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
    assert loaded() == {}, "it would win over the config files"
    settings = loaded(all_in_use=True)
    values = [settings[name] for name in GENERATED]
    assert len(set(values)) == 3
    assert all(len(value) >= 43 for value in values)
    assert not [value for value in values if value in told]
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    assert settings["FREQTRADE__API_SERVER__LISTEN_IP_ADDRESS"] == "127.0.0.1"
    assert settings["FREQTRADE__API_SERVER__ENABLED"] == "true"
    assert settings["FREQTRADE__EXCHANGE__KEY"] == ""
    assert [file.name for file in folder.iterdir() if file.name != ".env.example"] == [".env"]


def test_without_a_template_freqtrade_takes_what_it_makes(folder, monkeypatch):
    generate()
    assert loaded() == {}
    for name, value in loaded(all_in_use=True).items():
        monkeypatch.setenv(name, value)
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
    assert "FREQTRADE__API_SERVER__ENABLED" not in settings
    assert "PASSWORD" not in told
    assert file.read_text().startswith("# mine\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = file.read_text()
    assert "Generated: nothing" in generate()
    assert file.read_text() == again


def test_secrets_are_renewed_on_demand_and_keys_are_not(folder):
    (folder / ".env").write_text("FREQTRADE__EXCHANGE__KEY=abc\n")
    generate()
    before = loaded(all_in_use=True)
    generate("--renew")
    after = loaded(all_in_use=True)
    assert {name for name in before if before[name] != after[name]} == set(GENERATED)


def test_a_comment_is_no_password(folder):
    (folder / ".env").write_text("FREQTRADE__API_SERVER__PASSWORD= # fill in later\n")
    assert "FREQTRADE__API_SERVER__PASSWORD" in generate()
    assert len(loaded()["FREQTRADE__API_SERVER__PASSWORD"]) >= 43
    assert "# fill in later" in (folder / ".env").read_text()


def test_a_file_of_another_editor_or_of_docker_is_read_and_put_right(folder):
    name = "FREQTRADE__API_SERVER__PASSWORD"
    text = f"{name} = 'ab$cd & ef'\r\nexport FREQTRADE__EXCHANGE__KEY =k\r\n# A = b\r\n"
    (folder / ".env").write_bytes(b"\xef\xbb\xbf" + text.encode())
    generate()
    assert loaded() == {name: "ab$cd & ef", "FREQTRADE__EXCHANGE__KEY": "k"}
    written = (folder / ".env").read_text()
    assert written.count(name) == 1
    assert "# A = b" in written


def test_a_file_of_another_language_is_written_as_it_was_read(folder):
    (folder / ".env").write_bytes("# Schlüssel\n# a\fFREQTRADE__EXCHANGE__KEY=k\n".encode())
    # A bare container's machine, whose language has no ü.
    bare = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    command = [Path(sys.executable).parent / "bubbybot", "secrets"]
    done = subprocess.run(command, env=os.environ | bare, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    written = (folder / ".env").read_bytes().decode()
    assert written.startswith("# Schlüssel\n# a\fFREQTRADE__EXCHANGE__KEY=k\n")
    assert loaded() == {}
    assert set(GENERATED) <= loaded(all_in_use=True).keys()
    assert [file.name for file in folder.iterdir()] == [".env"]


def test_a_line_in_use_counts_before_one_that_is_not(folder):
    own = "FREQTRADE__API_SERVER__PASSWORD='ab$cd & ef'\n"
    (folder / ".env").write_text((ROOT / ".env.example").read_text() + own)
    generate()
    assert loaded() == {"FREQTRADE__API_SERVER__PASSWORD": "ab$cd & ef"}


@pytest.mark.parametrize("key", ["KEY", "SECRET", "PASSWORD"])
def test_what_is_filled_into_the_template_arrives_as_it_is(folder, key):
    line = f"#FREQTRADE__EXCHANGE__{key}='"
    text = (ROOT / ".env.example").read_text()
    assert text.count(line) == 1
    (folder / ".env").write_text(text.replace(line, line[1:] + "ab$cd&ef gh#"))
    assert loaded() == {f"FREQTRADE__EXCHANGE__{key}": "ab$cd&ef gh#"}


def test_keys_and_api_server_of_config_files_count_beside_the_template(folder, monkeypatch):
    (folder / ".env.example").write_text((ROOT / ".env.example").read_text())
    generate()
    for name, value in loaded().items():
        monkeypatch.setenv(name, value)
    server = {"enabled": True, "listen_ip_address": "127.0.0.1", "listen_port": 8090}
    mine = {"exchange": {"key": "k", "secret": "s", "password": "p"}, "api_server": server}
    (folder / "mine.json").write_text(json.dumps(mine))
    files = [str(ROOT / "config.json"), "mine.json"]
    config = Configuration({"config": files, "user_data_dir": str(folder)}).get_config()
    assert {name: config["exchange"][name] for name in mine["exchange"]} == mine["exchange"]
    assert config["api_server"] == server


@pytest.mark.parametrize("file", ["nowhere/.env", "latin1.env"])
def test_a_file_that_cannot_be_used_is_one_line(folder, file):
    (folder / "latin1.env").write_bytes(b"# \xe9\n")
    done = CliRunner().invoke(main, ["secrets", "--file", file])
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == 1
    assert file.partition("/")[0] in done.output
