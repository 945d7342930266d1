"""What a trader starts with: configs, strategies, compose file. One source, in two places.

In a clone these are the files at the top; the wheel brings the same files along as
`bubbybot_freqtrade/starter` (pyproject.toml says which).
"""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
STRATEGIES = Path("user_data/strategies")

# As they lie in a clone, and in a folder that `bubbybot new` has laid out.
FILES = (
    "config.json",
    "config.demo.json",
    "config.ai.json",
    "config.pairs.json",
    "config.signals.json",
    "docker-compose.yml",
    "constraints.txt",
    ".env.example",
)


def starter_folder() -> Path:
    """Where the files are: in the installed package, or in the clone that it is run from."""
    installed = PACKAGE / "starter"
    return installed if installed.is_dir() else PACKAGE.parent


def starter_files() -> dict[str, Path]:
    """Each file of a new folder by its place there, and where to copy it from."""
    source = starter_folder()
    files = {name: source / name for name in FILES}
    strategies = sorted((source / STRATEGIES).glob("*.py"))
    files |= {str(STRATEGIES / file.name): file for file in strategies}
    # A clone's image is built from the clone, any other folder's from the released package.
    return files | {"docker/Dockerfile": source / "docker/Dockerfile.released"}


def strategies_folder() -> Path:
    """The strategies of the folder one is in; the package's own where it has none.

    freqtrade makes an empty folder for them with whatever it writes.
    """
    return STRATEGIES if any(STRATEGIES.glob("*.py")) else starter_folder() / STRATEGIES
