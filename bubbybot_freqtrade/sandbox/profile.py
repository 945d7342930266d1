"""A venue as it was measured: `venue.json`, written by `bubbybot verify`, read by a sandbox."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bubbybot_freqtrade.sandbox.readings import QUESTIONS, Readings
from bubbybot_freqtrade.sandbox.state import write_state

FILE_NAME = "venue.json"


class ProfileError(ValueError):
    """A profile that cannot be used; the message names the file and what to do."""


class Finding(BaseModel):
    """One probe's answer: what was asked, seen and concluded, and when (UTC)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asks: str
    assumed: str
    measured: str
    verdict: str
    at: datetime


class Profile(BaseModel):
    """What one venue answered. Nothing in it names an account.

    `readings` are the sandbox's own: every question that was answered, by its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    measured: datetime
    pair: str
    readings: dict[str, Any] = Field(default_factory=dict)
    findings: dict[str, Finding] = Field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """The readings as values of `SandboxSettings`.

        :raises ValidationError: when one is not what the sandbox knows
        """
        readings = Readings.model_validate(self.readings)
        return {name: getattr(readings, name) for name in self.readings}


def read_profile(file: Path) -> Profile:
    """The profile in `file`.

    :raises ProfileError: when it cannot be read, or is none
    """
    try:
        profile = Profile.model_validate_json(file.read_bytes())
        profile.settings()
    except OSError as error:
        raise ProfileError(
            f"{file} cannot be read ({error.strerror}): name the venue.json that bubbybot verify "
            "has written."
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        unknown = where and where not in (*QUESTIONS, *Profile.model_fields)
        mend = " (of another version?)" if unknown else ""
        raise ProfileError(
            f"{file} is no profile of a venue{mend}: {where or 'content'}: {first['msg']}. "
            "Run bubbybot verify again."
        ) from error
    return profile


def write_profile(file: Path, profile: Profile) -> None:
    """Replace the file in one step."""
    write_state(file, profile.model_dump_json(indent=2).encode() + b"\n")
