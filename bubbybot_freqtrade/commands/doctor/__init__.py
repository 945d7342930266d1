"""The doctor: one module a group of checks, each a generator of findings.

:func:`examine` calls them in the order of the points; the command prints a line each.
"""

from bubbybot_freqtrade.commands.doctor.command import doctor_command, examine
from bubbybot_freqtrade.commands.doctor.findings import Finding, Verdict

__all__ = ["Finding", "Verdict", "doctor_command", "examine"]
