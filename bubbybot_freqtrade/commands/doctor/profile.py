"""How the venue was measured: the age of its profile, and what was not as assumed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from freqtrade.exchange import Exchange

from bubbybot_freqtrade.blofin.account.key import is_on_this_machine
from bubbybot_freqtrade.commands.doctor.findings import Finding, note, ok, problem
from bubbybot_freqtrade.commands.user_config import Config
from bubbybot_freqtrade.sandbox.profile import (
    FILE_NAME,
    Profile,
    ProfileError,
    read_profile,
)
from bubbybot_freqtrade.verify.probe import Verdict

OLD = timedelta(days=30)
ASK = "bubbybot verify -c config.demo.json asks the demo account."


def profile(exchange: Exchange, config: Config) -> Iterator[Finding]:
    """Of the venue that real orders go to; a sandbox need not be measured."""
    file = Path(config["user_data_dir"]) / "verify" / FILE_NAME
    if not file.exists():
        if not config["dry_run"] and not is_on_this_machine(exchange._api):
            yield note("profile", f"What BloFin does was never measured here ({file}).", ASK)
        return
    try:
        measured = read_profile(file)
    except ProfileError as error:
        yield note("profile", str(error))
        return
    age = datetime.now(UTC) - measured.measured
    told = f"{measured.host} was measured {max(age.days, 0)} days ago"
    yield from _differences(measured)
    if age > OLD:
        yield note("profile", f"{told}; venues change.", ASK)
    else:
        yield ok("profile", f"{told}, {len(measured.findings)} answers.")


def _differences(measured: Profile) -> Iterator[Finding]:
    def named(verdict: Verdict) -> str:
        found = measured.findings.items()
        return ", ".join(name for name, finding in found if finding.verdict == verdict.value)

    if names := named(Verdict.DANGER):
        yield problem(
            "profile",
            f"{measured.host} does what the bot is not built for: {names}.",
            "Do not trade live; the report beside the profile says what to do.",
        )
    if names := named(Verdict.COPES):
        yield note("profile", f"Not as assumed, and the bot copes: {names}.")
