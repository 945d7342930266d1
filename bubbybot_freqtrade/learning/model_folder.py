"""FreqAI's model folder after a kill.

FreqAI writes each file in place. A process that ends in the middle of one leaves half of it behind,
and the next start fails on it or, worse, takes a model without its scaler. `recover` removes what
is not whole before FreqAI looks, so that what was lost is trained again and all else is kept.
"""

import json
import logging
import pickle
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

logger = logging.getLogger(__name__)

# As FreqaiDataKitchen.set_new_model_names and FreqaiDataDrawer.save_data spell them.
TRAINED = re.compile(r"sub-train-(.+)_(\d+)")
LAST_WRITTEN = "_trained_dates_df.pkl"
PREDICTIONS = "backtesting_predictions"
PAIRS = "pair_dictionary.json"
JSON_FILES = (PAIRS, "global_metadata.json", "metric_tracker.json")
HISTORY, HISTORY_COPY = "historic_predictions.pkl", "historic_predictions.backup.pkl"
FEATHER_END = b"ARROW1"


def recover(folder: Path, pairs: Sequence[str]) -> list[str]:
    """Remove half-written files of FreqAI's `folder` and make its list of models fit the rest.

    :param folder: `user_data/models/<identifier>`; one that does not exist is left so
    :param pairs: whose newest whole model is put back on the list where it is not there
    :returns: a line for each change, which is logged too
    """
    if not folder.is_dir():
        return []
    done = [
        *_drop_half_trained(folder),
        *_drop_half_predicted(folder),
        *_drop_half_json(folder),
        *_restore_history(folder),
        *_relist(folder, pairs),
    ]
    for line in done:
        logger.warning(line)
    return done


def _drop_half_trained(folder: Path) -> Iterator[str]:
    for made in sorted(folder.glob("sub-train-*")):
        if not _is_whole(made):
            shutil.rmtree(made)
            yield f"FreqAI's {made.name} was cut short: it is trained again."


def _is_whole(made: Path) -> bool:
    """Whether all files are there: the last one that FreqAI writes can be read to its end."""
    last = list(made.glob(f"*{LAST_WRITTEN}"))
    if not last:
        # A window whose training failed has its metadata alone, and a prediction of nothing.
        return [file.suffix for file in made.iterdir()] == [".json"] and _is_json(
            next(made.iterdir())
        )
    return _is_pickle(last[0])


def _drop_half_predicted(folder: Path) -> Iterator[str]:
    for file in sorted((folder / PREDICTIONS).glob("*.feather")):
        with file.open("rb") as content:
            size = content.seek(0, 2)
            content.seek(max(size - len(FEATHER_END), 0))
            whole = content.read() == FEATHER_END
        if not whole:
            file.unlink()
            yield f"FreqAI's {file.name} was cut short: it is predicted again."


def _drop_half_json(folder: Path) -> Iterator[str]:
    for file in (folder / name for name in JSON_FILES):
        if file.exists() and not _is_json(file):
            file.unlink()
            yield f"FreqAI's {file.name} was cut short: it is written anew."


def _restore_history(folder: Path) -> Iterator[str]:
    """The copy is written after each writing of the original, so one of them is whole."""
    history, copy = folder / HISTORY, folder / HISTORY_COPY
    if copy.exists() and not _is_pickle(copy):
        copy.unlink()
    if history.exists() and not _is_pickle(history):
        history.unlink()
        if copy.exists():
            shutil.copy(copy, history)
        yield f"FreqAI's {HISTORY} was cut short: it goes on from its copy."


def _relist(folder: Path, pairs: Sequence[str]) -> Iterator[str]:
    """A model that is not listed would be loaded as None, and one that is gone not at all."""
    file = folder / PAIRS
    listed: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    changed = False
    for pair in pairs:
        entry = listed.get(pair, {})
        if entry.get("model_filename") and Path(entry["data_path"]).is_dir():
            continue
        newest = _newest(folder, pair)
        if newest is None and not entry.get("model_filename"):
            continue
        changed = True
        listed[pair] = newest or _entry("", 0, "")
        yield f"FreqAI's list of models had none that is there for {pair}."
    if changed:
        file.write_text(json.dumps(listed))


def _newest(folder: Path, pair: str) -> dict[str, Any] | None:
    coin = pair.partition("/")[0]
    found = []
    for made in folder.glob("sub-train-*"):
        name = TRAINED.fullmatch(made.name)
        if name and name[1] == coin and list(made.glob("*_model.*")):
            found.append((int(name[2]), made))
    if not found:
        return None
    trained, made = max(found)
    return _entry(f"cb_{coin.lower()}_{trained}", trained, str(made))


def _entry(name: str, trained: int, folder: str) -> dict[str, Any]:
    return {
        "model_filename": name,
        "trained_timestamp": trained,
        "data_path": folder,
        "extras": {},
    }


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_text())
    except ValueError:
        return False
    return True


def _is_pickle(file: Path) -> bool:
    try:
        pd.read_pickle(file)  # noqa: S301 - FreqAI reads the same file
    except (EOFError, pickle.UnpicklingError, ValueError, KeyError, IndexError, AttributeError):
        return False
    return True
