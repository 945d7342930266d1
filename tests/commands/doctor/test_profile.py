"""What the doctor says of how the venue was measured."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bubbybot_freqtrade.sandbox.profile import Finding, Profile, write_profile
from bubbybot_freqtrade.verify.probe import Verdict

NOW = datetime.now(UTC)


@pytest.fixture
def measured(tmp_path):
    """`measured(days_ago, probe=verdict, ...)`: leave a profile where verify leaves it."""

    def write(days: int = 0, **verdicts: Verdict) -> None:
        at = NOW - timedelta(days=days)
        findings = {
            name: Finding(asks="?", assumed="a", measured="b", verdict=verdict.value, at=at)
            for name, verdict in verdicts.items()
        }
        file = Path(tmp_path) / "user_data" / "verify" / "venue.json"
        write_profile(file, Profile(host="demo.example", measured=at, pair="p", findings=findings))

    return write


def test_a_fresh_profile_is_named_with_its_age(visit, open_sandbox, measured):
    measured(days=3, one=Verdict.AS_ASSUMED)
    (finding,) = visit(open_sandbox()).about("profile")
    assert finding.line == "demo.example was measured 3 days ago, 1 answers."


def test_an_old_profile_is_noted(visit, open_sandbox, measured):
    measured(days=40)
    (finding,) = visit(open_sandbox()).about("profile")
    assert finding.verdict == "note"
    assert "40 days ago" in finding.line
    assert "bubbybot verify" in finding.line


def test_what_was_not_as_assumed_is_named(visit, open_sandbox, measured):
    measured(one=Verdict.COPES, two=Verdict.DANGER, three=Verdict.AS_ASSUMED)
    seen = visit(open_sandbox())
    assert "two" in seen.problems()["profile"]
    assert "Do not trade live" in seen.problems()["profile"]
    assert "one." in seen.notes()["profile"]
    assert "three" not in " ".join(finding.line for finding in seen.findings)


def test_a_file_that_is_no_profile_is_noted(visit, open_sandbox, measured, tmp_path):
    measured()
    (tmp_path / "user_data" / "verify" / "venue.json").write_text("{}")
    assert "no profile of a venue" in visit(open_sandbox()).notes()["profile"]


def test_a_sandbox_need_not_be_measured(visit, open_sandbox):
    assert not visit(open_sandbox()).about("profile")


def test_real_money_at_a_venue_that_nobody_measured_is_noted(visit, open_sandbox, monkeypatch):
    monkeypatch.setattr(
        "bubbybot_freqtrade.commands.doctor.profile.is_on_this_machine", lambda api: False
    )
    assert "bubbybot verify -c config.demo.json" in visit(open_sandbox()).notes()["profile"]
