"""The drills' table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bubbybot_freqtrade.drills.drill import Figures

# Heading and field of every figure; those that must be nothing come last.
COLUMNS = (
    ("requests", "requests"),
    ("faults", "faults"),
    ("kills", "kills"),
    ("inputs", "inputs"),
    ("bare", "bare"),
    ("twice", "duplicates"),
    ("orphans", "orphans"),
    ("leaks", "secrets"),
)
CAPTION = (
    "load held, faults injected, kills survived, bad inputs tried; positions bare, orders placed "
    "twice, orphans left and secrets leaked must be 0"
)
MUST_BE_ZERO = ("bare", "duplicates", "orphans", "secrets")


def show(console: Console, all_figures: Sequence[Figures]) -> None:
    """Print the table, the notes and every law that was broken."""
    # Narrow enough for 80 columns; a number that is not goes on in the next line, whole.
    table = Table(title="Drills", caption=CAPTION, box=None, padding=(0, 1, 0, 0))
    table.add_column("drill", no_wrap=True)
    for heading, _ in COLUMNS:
        table.add_column(heading, justify="right", overflow="fold")
    table.add_column("s", justify="right", overflow="fold")
    table.add_column("laws", no_wrap=True)
    for figures in all_figures:
        table.add_row(figures.name, *_cells(figures), f"{figures.seconds:.0f}", _verdict(figures))
    if len(all_figures) > 1:
        table.add_row("all", *_cells(*all_figures), "", _verdict(*all_figures))
    console.print(table)
    for figures in all_figures:
        for note in figures.notes:
            console.print(f"{figures.name}: {note}", highlight=False)
        for what in figures.broken:
            console.print(f"{figures.name}: {what}", style="red", highlight=False, markup=False)


def _cells(*all_figures: Figures) -> list[str]:
    cells = []
    for _, name in COLUMNS:
        count = sum(getattr(figures, name) for figures in all_figures)
        broken = name in MUST_BE_ZERO and count
        cells.append(f"[red]{count}[/red]" if broken else f"{count:,}")
    return cells


def _verdict(*all_figures: Figures) -> str:
    broken = sum(len(figures.broken) for figures in all_figures)
    return f"[red]{broken} broken[/red]" if broken else "[green]held[/green]"
