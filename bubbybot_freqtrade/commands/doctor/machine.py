"""Python, disk, memory and versions of this machine."""

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import requires, version
from pathlib import Path

from packaging.requirements import Requirement

from bubbybot_freqtrade.commands.doctor.findings import Finding, note, ok, problem
from bubbybot_freqtrade.seams.start import refusal

PACKAGE = "bubbybot-freqtrade"
FREE_DISK_BYTES = 1_000_000_000
FREE_MEMORY_BYTES = 500_000_000


def machine(folder: Path) -> Iterator[Finding]:
    """Python, disk and memory. (pip refuses to install the package on a Python that is too old.)"""
    python = ".".join(map(str, sys.version_info[:3]))
    existing = folder if folder.exists() else Path()
    free = shutil.disk_usage(existing).free
    if free < FREE_DISK_BYTES:
        yield problem(
            "machine",
            f"{free / 1e9:.1f} GB are free where {existing.resolve()} is.",
            "Make room: a full disk stops the database.",
        )
    memory = _available_memory()
    if memory is not None and memory < FREE_MEMORY_BYTES:
        yield note(
            "machine",
            f"{memory / 1e6:.0f} MB of memory are free.",
            "freqtrade needs about 500 MB; close something or use a larger machine.",
        )
    yield ok("machine", f"Python {python}, {os.cpu_count()} cores, {free / 1e9:.0f} GB disk free.")


def _available_memory() -> int | None:
    """Bytes that programs can still get; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(kilobytes[0]) * 1024 if kilobytes else None


def versions() -> Iterator[Finding]:
    """What is installed beside what this package was tested with, and whose BloFin is in use."""
    wanted = {r.name: r for r in map(Requirement, requires(PACKAGE) or []) if r.marker is None}
    for name in ("freqtrade", "ccxt"):
        installed = version(name)
        if not wanted[name].specifier.contains(installed, prereleases=True):
            yield problem(
                "versions",
                f"{name} {installed} is installed, BubbyBot is tested with {wanted[name]}.",
                f"Run: pip install '{wanted[name]}'",
            )
    if (told := refusal()) is not None:
        yield problem("versions", f"{told}.")
    yield from _registration()
    installed = ", ".join(f"{name} {version(name)}" for name in (PACKAGE, "freqtrade", "ccxt"))
    yield ok("versions", f"{installed}.")


def _registration() -> Iterator[Finding]:
    import freqtrade.exchange

    registered = getattr(freqtrade.exchange, "Blofin", None)
    if registered is None or not registered.__module__.startswith("bubbybot_freqtrade."):
        yield problem(
            "versions",
            "freqtrade does not use BubbyBot's BloFin: entries would go out without their stop.",
            f"Install the package again (pip install --force-reinstall --no-deps {PACKAGE}).",
        )
