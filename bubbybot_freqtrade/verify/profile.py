"""Answers of a run in the sandbox's words, beside those that an earlier run has given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bubbybot_freqtrade.sandbox.profile import (
    FILE_NAME,
    Finding,
    Profile,
    ProfileError,
    read_profile,
    write_profile,
)
from bubbybot_freqtrade.sandbox.readings import QUESTIONS, Readings
from bubbybot_freqtrade.verify.probe import Verdict
from bubbybot_freqtrade.verify.run import Result


def keep(folder: Path, host: str, pair: str, results: Sequence[Result]) -> Path:
    """Write `venue.json`. What was not measured this time stays as the last run found it.

    Another host's answers, or a file that is none, are replaced.
    """
    file = folder / FILE_NAME
    before = _earlier(file, host)
    measured = [result for result in results if result.verdict is not Verdict.NOT_MEASURED]
    profile = Profile(
        host=host,
        measured=max(
            (moment(result.at_ms) for result in measured),
            default=before.measured if before else datetime.now(UTC),
        ),
        pair=pair,
        readings={**(before.readings if before else {}), **readings(measured)},
        findings={
            **(before.findings if before else {}),
            **{result.probe.name: _finding(result) for result in measured},
        },
    )
    write_profile(file, profile)
    return file


def readings(results: Sequence[Result]) -> dict[str, Any]:
    """Values of the sandbox's questions; an answer that it does not know is left out."""
    found: dict[str, Any] = {}
    for result in results:
        name, answer = result.probe.setting, result.answer
        if not name or answer is None:
            continue
        if _is_known(name, answer.reading):
            found[name] = answer.reading
    return found


def _is_known(name: str, reading: Any) -> bool:
    if not isinstance(QUESTIONS[name].default, (int, float)) or isinstance(reading, bool):
        return reading in QUESTIONS[name].readings or _fits(name, reading)
    return _fits(name, reading)


def _fits(name: str, reading: Any) -> bool:
    try:
        Readings.model_validate({name: reading})
    except ValueError:
        return False
    return True


def _finding(result: Result) -> Finding:
    assert result.answer is not None  # noqa: S101 - measured
    return Finding(
        asks=result.probe.asks,
        assumed=result.probe.words(result.probe.assumed),
        measured=result.measured,
        verdict=result.verdict.value,
        at=moment(result.at_ms),
    )


def _earlier(file: Path, host: str) -> Profile | None:
    try:
        profile = read_profile(file)
    except ProfileError:
        return None
    return profile if profile.host == host else None


def moment(ms: int) -> datetime:
    """UTC, in whole seconds."""
    return datetime.fromtimestamp(ms // 1000, UTC)
