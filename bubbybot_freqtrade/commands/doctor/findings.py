"""What the doctor says: one line for each point."""

import re
from dataclasses import dataclass
from enum import StrEnum

# In an address, whoever quotes it: what stands before its host, and what a query calls a secret.
_IN_ADDRESS = (
    (re.compile(r"(://)[^/\s]*@"), r"\1***@"),
    (re.compile(r"([?&](?:sslpassword|password|passwd|token|key|secret)=)[^&\s]*", re.I), r"\1***"),
)


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
        """Both sentences in one, without the passwords of addresses in them."""
        line = f"{self.found} {self.mend}".rstrip()
        for secret, hidden in _IN_ADDRESS:
            line = secret.sub(hidden, line)
        return line


def ok(point: str, found: str) -> Finding:
    """All is well."""
    return Finding(point, Verdict.OK, found)


def note(point: str, found: str, mend: str = "") -> Finding:
    """Worth knowing; the bot can trade."""
    return Finding(point, Verdict.NOTE, found, mend)


def problem(point: str, found: str, mend: str = "") -> Finding:
    """The bot cannot trade, or not safely, before this is mended."""
    return Finding(point, Verdict.PROBLEM, found, mend)
