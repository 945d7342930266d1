"""venue.json: the same in as out, and read by sandbox, rehearsal and drills."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bubbybot_freqtrade.cli import main
from bubbybot_freqtrade.sandbox.profile import Profile, ProfileError, read_profile, write_profile
from bubbybot_freqtrade.sandbox.readings import QUESTIONS
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probes import NOT_SEEN_BY_A_PROGRAM, PROBES
from bubbybot_freqtrade.verify.profile import keep
from bubbybot_freqtrade.verify.run import run

pytestmark = pytest.mark.usefixtures("few_samples")

# One venue that is otherwise in nearly everything; what would hide another answer is left.
OTHERWISE: dict[str, Any] = {
    name: question.others[0]
    for name, question in QUESTIONS.items()
    if name not in {*NOT_SEEN_BY_A_PROGRAM, "amend_tpsl", "lone_tpsl", "push_delay_ms"}
}


def profile_of(desk: Desk, folder: Path) -> Profile:
    results = run(desk, list(PROBES.values())).results
    return read_profile(keep(folder, "one.host", "PYTH/USDT:USDT", results))


@pytest.mark.parametrize("readings", [{}, OTHERWISE], ids=["the sandbox's own", "otherwise"])
def test_a_sandbox_from_a_profile_gives_the_same_profile(
    open_verify: Callable[..., Desk], tmp_path: Path, readings: dict[str, Any]
) -> None:
    measured = profile_of(open_verify(**readings), tmp_path / "one")
    defaults = {name: question.default for name, question in QUESTIONS.items()}
    asked = {name: value for name, value in defaults.items() if name not in NOT_SEEN_BY_A_PROGRAM}
    assert measured.settings() == asked | readings
    again = profile_of(open_verify(**measured.settings()), tmp_path / "two")
    assert again.readings == measured.readings
    verdicts = {name: finding.verdict for name, finding in measured.findings.items()}
    assert {name: finding.verdict for name, finding in again.findings.items()} == verdicts


def test_a_later_run_of_a_few_probes_keeps_the_others(
    open_verify: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = open_verify(amend_tpsl=False)
    first = run(desk, [PROBES["amend-tpsl"], PROBES["tpsl-sizes"]]).results
    keep(tmp_path, "one.host", "PYTH/USDT:USDT", first)
    second = run(desk, [PROBES["tpsl-sizes"]]).results
    profile = read_profile(keep(tmp_path, "one.host", "PYTH/USDT:USDT", second))
    assert profile.readings == {"amend_tpsl": False, "tpsl_sizes": "plain"}
    assert set(profile.findings) == {"amend-tpsl", "tpsl-sizes"}
    # Another host's answers say nothing of this one.
    other = read_profile(keep(tmp_path, "other.host", "PYTH/USDT:USDT", second))
    assert set(other.findings) == {"tpsl-sizes"}


def written(folder: Path, readings: dict[str, Any]) -> Path:
    file = folder / "venue.json"
    now = datetime(2026, 11, 1, tzinfo=UTC)
    write_profile(file, Profile(host="h", measured=now, pair="p", readings=readings))
    return file


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{", "no profile"),
        ('{"host": "h", "measured": "2026-11-01T00:00:00Z", "pair": "p", "port": 1}', "port"),
        (
            '{"host": "h", "measured": "2026-11-01T00:00:00Z", "pair": "p", '
            '"readings": {"balance": "9"}}',
            "balance",
        ),
        (
            '{"host": "h", "measured": "2026-11-01T00:00:00Z", "pair": "p", '
            '"readings": {"tpsl_sizes": "odd"}}',
            "tpsl_sizes",
        ),
    ],
)
@pytest.mark.parametrize("command", ["sandbox", "rehearse", "drill"])
def test_what_is_no_profile_is_refused_in_one_line(
    tmp_path: Path, content: str | None, said: str, command: str
) -> None:
    file = tmp_path / "venue.json"
    if content is not None:
        file.write_text(content)
    result = CliRunner().invoke(main, [command, "--profile", str(file)])
    assert result.exit_code == 2
    assert said in result.output
    assert str(file) in result.output.replace("\n", "")


def test_numbers_survive_the_file(tmp_path: Path) -> None:
    readings = {"price_band": Decimal("0.03"), "order_delay_ms": 1234, "amend_tpsl": False}
    assert read_profile(written(tmp_path, readings)).settings() == readings


def test_an_unreadable_profile_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="name the venue"):
        read_profile(tmp_path)


@pytest.fixture
def settings_seen(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Settings of every sandbox that a command opens; it opens none."""
    seen: list[dict[str, Any]] = []

    class OpenedError(Exception):
        """Far enough."""

    def look(sandbox: Any, settings: Any) -> None:
        seen.append(settings.model_dump())
        raise OpenedError

    monkeypatch.setattr("bubbybot_freqtrade.sandbox.server.Sandbox.__init__", look)
    return seen


@pytest.mark.parametrize(
    "arguments",
    [
        ["sandbox"],
        ["rehearse", "--days", "1", "--strategy-path", "user_data/strategies"],
        ["drill", "--only", "orphans"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_commands_run_on_the_venue_as_it_was_measured(
    tmp_path: Path, settings_seen: list[dict[str, Any]], arguments: list[str]
) -> None:
    file = written(tmp_path, {"tpsl_sizes": "padded", "order_delay_ms": 700})
    out = [] if arguments[0] == "sandbox" else ["--out", str(tmp_path / "out")]
    CliRunner().invoke(main, [*arguments, "--profile", str(file), *out])
    assert settings_seen[0]["tpsl_sizes"] == "padded"
    assert settings_seen[0]["order_delay_ms"] == 700
