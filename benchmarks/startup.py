"""What the registration of BloFin costs every start of Python: with and without its .pth file."""

import statistics
import subprocess
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNS = 60


def bare_environment(folder: Path) -> Path:
    """Make an environment without pip; its site-packages folder is returned."""
    venv.create(folder, with_pip=False)
    return next(folder.glob("lib/python*/site-packages"))


def start_seconds(folder: Path) -> float:
    """Seconds for one start of that environment's Python that does nothing."""
    started = time.perf_counter()
    subprocess.run([str(folder / "bin/python"), "-c", "pass"], check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print the median start of both and their ratio, taken in turn."""
    with tempfile.TemporaryDirectory() as scratch:
        plain, armed = Path(scratch, "plain"), Path(scratch, "armed")
        bare_environment(plain)
        site_packages = bare_environment(armed)
        (site_packages / "_bubbybot_freqtrade.pth").write_text(f"{ROOT}\n")
        line = (ROOT / "bubbybot_freqtrade.pth").read_text()
        (site_packages / "bubbybot_freqtrade.pth").write_text(line)
        pairs = [(start_seconds(plain), start_seconds(armed)) for _ in range(RUNS)]
    without, with_it = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(
        f"python -c pass: {without * 1000:.1f} ms, with BubbyBot installed {with_it * 1000:.1f} ms"
        f" (+{(with_it - without) * 1000:.2f} ms, ratio {ratio:.3f}, {RUNS} runs each)"
    )


if __name__ == "__main__":
    main()
