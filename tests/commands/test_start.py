"""What the start of a command costs beside what it imports."""

import subprocess
import sys

COUNT_COLLECTIONS = """
import gc
import click
from bubbybot_freqtrade.cli import main

seen = []
gc.callbacks.append(lambda phase, info: seen.append(phase))
main.get_command(None, "sandbox")
print(len(seen), gc.isenabled(), gc.get_freeze_count() > 10_000)
"""


def test_what_a_command_imports_is_never_walked_through_by_the_collector():
    done = subprocess.run(
        [sys.executable, "-c", COUNT_COLLECTIONS], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "True", "True"]
