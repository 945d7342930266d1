"""The `bubbybot` command: what freqtrade's own commands have no place for."""

import gc
import sys
from importlib import import_module
from types import ModuleType

import click

# Imported when called: rehearse pulls in freqtrade, sandbox doesn't, and --help needs neither.
COMMANDS = {
    "new": "bubbybot_freqtrade.commands.new:new_command",
    "sandbox": "bubbybot_freqtrade.sandbox.cli:sandbox_command",
    "search": "bubbybot_freqtrade.search.cli:search_command",
    "rehearse": "bubbybot_freqtrade.rehearsal.cli:rehearse_command",
    "verify": "bubbybot_freqtrade.verify.cli:verify_command",
    "doctor": "bubbybot_freqtrade.commands.doctor:doctor_command",
    "report": "bubbybot_freqtrade.report.cli:report_command",
    "secrets": "bubbybot_freqtrade.commands.secrets:secrets_command",
    "status": "bubbybot_freqtrade.commands.status:status_command",
    "drill": "bubbybot_freqtrade.drills.cli:drill_command",
    "explain": "bubbybot_freqtrade.commands.explain:explain_command",
    "patterns": "bubbybot_freqtrade.commands.patterns:patterns_command",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(_imported(module), name)
        return command


def _imported(module: str) -> ModuleType:
    """Import without Python's collector, which never has to look at what it brings.

    Hundreds of thousands of objects that live as long as the process: to walk through them again
    and again, and once more at the end, is a third of what a short command takes.
    """
    if module in sys.modules or not gc.isenabled():
        return import_module(module)
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.freeze()
        gc.enable()


@click.group(cls=LazyGroup)
@click.version_option(package_name="bubbybot-freqtrade")
def main() -> None:
    """BubbyBot for freqtrade: rehearse on a BloFin of your own, and ask why it trades."""
