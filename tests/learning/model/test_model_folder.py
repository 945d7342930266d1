"""Whatever of FreqAI's folder a kill has cut short, a restart goes on with the rest."""

import json
import shutil

import pandas as pd
import pytest

from bubbybot_freqtrade.learning.model_folder import recover
from tests.learning.model.conftest import PAIRS


@pytest.fixture
def folder(desk, with_model, tmp_path):
    """A copy of what FreqAI has written for the whole backtest."""
    copy = tmp_path / "models" / "whole"
    shutil.copytree(desk.user_data / "models" / "whole", copy)
    listed = copy / "pair_dictionary.json"
    listed.write_text(listed.read_text().replace(str(desk.user_data), str(tmp_path)))
    return copy


def cut(file):
    """As a process leaves it that is killed while it writes."""
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def trained(folder, coin="BTC"):
    """The coin's windows, oldest first."""
    return sorted(folder.glob(f"sub-train-{coin}_*"))


def test_a_whole_folder_is_left_alone(folder):
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert recover(folder, PAIRS) == []
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


def test_no_folder_is_no_problem(tmp_path):
    assert recover(tmp_path / "none", PAIRS) == []
    assert not (tmp_path / "none").exists()


# In the order in which FreqAI writes them: each is the last there is after a kill.
WRITTEN = ("_model.joblib", "_metadata.json", "_feature_pipeline.pkl", "_label_pipeline.pkl")
WRITTEN += ("_trained_df.pkl", "_trained_dates_df.pkl")


@pytest.mark.parametrize("last", range(len(WRITTEN)))
def test_a_window_whose_files_are_not_all_there_is_trained_again(folder, last):
    oldest, newest = trained(folder)[0], trained(folder)[-1]
    for name in WRITTEN[last + 1 :]:
        next(newest.glob(f"*{name}")).unlink()
    cut(next(newest.glob(f"*{WRITTEN[last]}")))
    told = recover(folder, PAIRS)
    assert any(newest.name in line for line in told)
    assert not newest.exists()
    assert oldest.exists()
    listed = json.loads((folder / "pair_dictionary.json").read_text())["BTC/USDT:USDT"]
    # The newest that is left, not the one that is gone.
    assert listed["data_path"] == str(trained(folder)[-1])
    assert listed["trained_timestamp"] == int(trained(folder)[-1].name.rpartition("_")[2])


def test_a_prediction_that_was_cut_short_is_made_again(folder):
    first, *others = sorted((folder / "backtesting_predictions").iterdir())
    cut(first)
    assert len(recover(folder, PAIRS)) == 1
    assert sorted((folder / "backtesting_predictions").iterdir()) == others


@pytest.mark.parametrize("gone", [cut, lambda file: file.unlink()])
def test_a_lost_list_of_models_is_made_from_the_models(folder, gone):
    listed = folder / "pair_dictionary.json"
    before = json.loads(listed.read_text())
    gone(listed)
    assert recover(folder, PAIRS)
    assert json.loads(listed.read_text()) == before


def test_a_lost_history_of_predictions_comes_from_its_copy(folder):
    history, copy = (folder / f"historic_predictions{name}.pkl" for name in ("", ".backup"))
    for file in (history, copy):
        pd.to_pickle({"BTC/USDT:USDT": pd.DataFrame({"do_predict": range(1000)})}, file)
    whole = copy.read_bytes()
    cut(history)
    recover(folder, PAIRS)
    assert history.read_bytes() == whole
    # And the other way round, for the copy is written in place too.
    cut(copy)
    recover(folder, PAIRS)
    assert history.read_bytes() == whole
    assert not copy.exists()
