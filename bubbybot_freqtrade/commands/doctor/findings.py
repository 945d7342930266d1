"""What the doctor says: one line for each point."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a finding means for the bot."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: the point, the verdict, what was found and how to mend it."""

    point: str
    verdict: Verdict
    found: str
    mend: str = ""

    @property
    def line(self) -> str:
        """Both sentences in one."""
        return f"{self.found} {self.mend}".rstrip()


def ok(point: str, found: str) -> Finding:
    """All is well."""
    return Finding(point, Verdict.OK, found)


def note(point: str, found: str, mend: str = "") -> Finding:
    """Worth knowing; the bot can trade."""
    return Finding(point, Verdict.NOTE, found, mend)


def problem(point: str, found: str, mend: str = "") -> Finding:
    """The bot cannot trade, or not safely, before this is mended."""
    return Finding(point, Verdict.PROBLEM, found, mend)
