"""Print the changelog's section of one version: `python release_notes.py 0.2.0`."""

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"


def section(text: str, version: str) -> str:
    """What stands below the version's heading, up to the next one.

    :raises SystemExit: when there is none, or it is not released yet.
    """
    found = re.search(
        rf"^## {re.escape(version)}(?P<more>[^\n]*)\n(?P<body>.*?)(?=^## |\Z)",
        text,
        re.MULTILINE | re.DOTALL,
    )
    if found is None:
        raise SystemExit(f"CHANGELOG.md has no section {version}.")
    if "unreleased" in found["more"]:
        raise SystemExit(f"CHANGELOG.md calls {version} unreleased: write its date.")
    return found["body"].strip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(section(CHANGELOG.read_text(encoding="utf-8"), sys.argv[1]))
