"""Compose file and image, as far as they can be checked without an engine."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from freqtrade.commands.arguments import Arguments

from bubbybot_freqtrade.cli import main
from tests.places import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text()
SERVICES = COMPOSE["services"]
# Keys of the Compose Specification's service element that we use; a misspelt one is not here.
SERVICE_KEYS = {
    "build", "cap_drop", "command", "container_name", "entrypoint", "env_file", "healthcheck",
    "image", "logging", "network_mode", "profiles", "restart", "security_opt",
    "stop_grace_period", "volumes", "working_dir",
}  # fmt: skip
FULL_IMAGE = "BUBBYBOT_TEST_IMAGE"


def test_there_is_a_profile_for_each_way_to_run():
    assert {name: service["profiles"] for name, service in SERVICES.items()} == {
        name: [name] for name in ("live", "demo", "rehearsal")
    }


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_opens_a_port_or_is_more_than_it_has_to_be(name):
    service = SERVICES[name]
    assert set(service) <= SERVICE_KEYS
    assert "ports" not in service
    assert service.get("network_mode") != "host"
    assert service["cap_drop"] == ["ALL"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", ["live", "demo"])
def test_bots_start_again_and_are_examined_by_the_doctor(name):
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["env_file"] == ".env"
    check = service["healthcheck"]["test"]
    assert check[:3] == ["CMD", "bubbybot", "doctor"]
    # The same config and folder as the bot's own.
    assert set(check[3:]) <= set(service["command"])
    parsed = Arguments(service["command"]).get_parsed_arg()
    assert parsed["command"] == "trade"
    result = CliRunner().invoke(main, [*check[2:], "--help"])
    assert result.exit_code == 0, result.output


def test_the_rehearsal_has_no_network_no_secrets_and_a_known_command():
    service = SERVICES["rehearsal"]
    assert service["network_mode"] == "none"
    assert "env_file" not in service
    command = [*service["entrypoint"], *service["command"]]
    result = CliRunner().invoke(main, [*command[1:], "--help"])
    assert result.exit_code == 0, result.output


def alone(*command: str) -> list[str]:
    """A command on a machine with nothing but a loopback, as `network_mode: none` gives."""
    return ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]


@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run(alone("true"), capture_output=True, check=False).returncode != 0,
    reason="this machine allows no network of one's own (unshare)",
)
def test_the_rehearsal_works_without_a_network(tmp_path):
    service = SERVICES["rehearsal"]
    bubbybot = str(Path(sys.executable).with_name(service["entrypoint"][0]))
    short = ["--days", "0.05", "--no-backtest", "--out", str(tmp_path / "out")]
    done = subprocess.run(
        alone(bubbybot, *service["command"], *short),
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No rule was broken." in done.stdout


@pytest.mark.parametrize("name", ["live", "demo"])
def test_databases_lie_in_the_volume(name):
    """freqtrade's relative database paths start in the working directory."""
    service = SERVICES[name]
    config = (ROOT / Path(service["command"][1].partition("=")[2]).name).read_text()
    named = re.search(r'"db_url": "sqlite:///([^"]+)"', config)
    database = Path(service["working_dir"]) / (named[1] if named else "tradesv3.sqlite")
    assert database.is_relative_to("/freqtrade/user_data")
    assert "./user_data:/freqtrade/user_data" in service["volumes"]


def test_every_config_is_mounted():
    configs = {f"./{file.name}:/freqtrade/{file.name}:ro" for file in ROOT.glob("config*.json")}
    for service in SERVICES.values():
        assert configs <= set(service["volumes"])


def test_the_guides_commands_for_a_container_find_what_the_bot_uses():
    guide = (ROOT / "docs/guide.md").read_text()
    commands = re.findall(r"^docker compose exec (\w+) bubbybot (.+)$", guide, flags=re.MULTILINE)
    assert {name for name, _ in commands} == {"live", "demo"}
    for name, arguments in commands:
        words = shlex.split(arguments)
        result = CliRunner().invoke(main, [*words, "--help"])
        assert result.exit_code == 0, result.output
        # The bot's own config and folder; the page goes where the container may write.
        assert f"--config={words[words.index('-c') + 1]}" in SERVICES[name]["command"]
        assert f"--userdir={words[words.index('--userdir') + 1]}" in SERVICES[name]["command"]
        if "-o" in words:
            assert words[words.index("-o") + 1].startswith("/freqtrade/user_data/")


def test_every_mounted_file_exists():
    for service in SERVICES.values():
        for volume in service["volumes"]:
            assert (ROOT / volume.split(":")[0]).exists()
        assert (ROOT / service["build"]["dockerfile"]).is_file()


def test_secrets_are_in_no_file_of_the_image_or_the_compose_file():
    text = DOCKERFILE + (ROOT / "docker-compose.yml").read_text()
    assert not re.search(r"(KEY|SECRET|PASSWORD|TOKEN)\s*[=:]\s*\S", text)
    ignored = (ROOT / "docker/Dockerfile.dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert allowed == {source for sources, _ in copies() for source in sources}


def copies() -> list[tuple[list[str], str]]:
    """Sources and target of each COPY of the Dockerfile."""
    lines = re.findall(r"^COPY (?:--\S+ )*(.+)$", DOCKERFILE, flags=re.MULTILINE)
    return [(words[:-1], words[-1]) for words in map(shlex.split, lines)]


def stage(folder: Path) -> Path:
    """What the image's build sees in /tmp/bubbybot."""
    for sources, target in copies():
        to = folder / target.removeprefix("/")
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                to.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, to)
    return folder / "tmp/bubbybot"


def test_what_is_copied_into_the_image_builds_the_package(tmp_path):
    staged = stage(tmp_path / "image")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    options = ["--no-build-isolation", "--wheel-dir", str(tmp_path / "wheel"), str(staged)]
    subprocess.run([*command, *options], check=True)
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "bubbybot_freqtrade.pth" in names
    assert "bubbybot_freqtrade/strategy/bubbybot.py" in names


@pytest.mark.timeout(1500)
@pytest.mark.skipif(
    FULL_IMAGE not in os.environ, reason=f"installs freqtrade anew; set {FULL_IMAGE}=1 to run"
)
def test_the_images_own_steps_work_in_a_clean_environment(tmp_path):
    """freqtrade stands in for the base image; then the Dockerfile's RUN lines, word by word."""
    tag = re.search(r"^ARG FREQTRADE_TAG=(\S+)$", DOCKERFILE, flags=re.MULTILINE)[1]
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    own = {
        **os.environ,
        "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
    }
    subprocess.run(["pip", "install", "--quiet", f"freqtrade=={tag}"], env=own, check=True)
    staged = stage(tmp_path / "image")
    for line in re.findall(r"^RUN (.+)$", DOCKERFILE, flags=re.MULTILINE):
        # A virtual environment is its own "user" site.
        step = line.replace("--user ", "").replace("/tmp/bubbybot", str(staged))
        subprocess.run(["bash", "-ec", step], env=own, cwd=tmp_path, check=True)
    listed = subprocess.run(
        ["freqtrade", "list-exchanges"], env=own, cwd=tmp_path, check=True, capture_output=True
    )
    assert b"lofin" in listed.stdout
