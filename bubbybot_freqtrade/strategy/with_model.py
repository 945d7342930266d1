"""BubbyBot with a model of freqtrade's FreqAI as a filter on its signals.

FreqAI trains, retrains, saves and loads; here is what it is given (`features`, `labels`) and what
its answer is used for: a signal whose expected R is too low is dropped. Nothing is ever added, and
without an answer there is no entry.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.exceptions import OperationalException

from bubbybot_freqtrade.learning.features import features, reward_in_r
from bubbybot_freqtrade.learning.labels import OUTCOMES, barriers, candidates, outcomes
from bubbybot_freqtrade.learning.model_folder import recover
from bubbybot_freqtrade.signals.context import whole_candles
from bubbybot_freqtrade.signals.trend import Side
from bubbybot_freqtrade.strategy.analysis import Flags, with_signals_of
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy
from bubbybot_freqtrade.strategy.market import fee_of

logger = logging.getLogger(__name__)

NEEDED = ("lightgbm", "datasieve", "sklearn", "xgboost")
"""Modules of the extra `ai`; freqtrade's LightGBM models import xgboost for a type of theirs."""

FEATURE = "feature_"
"""Prefix of a feature until FreqAI asks for it: a "%" in the name would make it one at once."""

LABEL = "&-outcome"
CANDLE_COLUMNS = ["date", "open", "high", "low", "close", "volume"]
MODEL_COLUMNS = ("model_side", *(f"model_{name}" for name in OUTCOMES), "model_expected_r")
TRUSTED = 1
"""FreqAI's `do_predict` for a prediction that counts; 0 is none, 2 an expired model's."""

CONTEXT_PARTS = {"1h": 4, "4h": 16}
"""How many base candles make one of the context's."""


class BubbyBotAIStrategy(BubbyBotStrategy):
    """BubbyBot's signals, less those that FreqAI's model expects too little of."""

    def load_freqAI_model(self) -> None:  # noqa: N802 - freqtrade's own name
        """Let freqtrade load FreqAI, once all that it needs is there.

        :raises OperationalException: one line that says what to install or to set.
        """
        missing = [name for name in NEEDED if find_spec(name) is None]
        if missing:
            raise OperationalException(
                f"{type(self).__name__} needs {', '.join(missing)}: "
                "pip install 'bubbybot-freqtrade[ai]'"
            )
        if not self.config.get("freqai", {}).get("enabled", False):
            raise OperationalException(
                f"{type(self).__name__} needs a freqai block in the config: add -c config.ai.json"
            )
        recover(self._model_folder(), self.config["exchange"]["pair_whitelist"])
        super().load_freqAI_model()

    def _model_folder(self) -> Path:
        """Where FreqAI keeps its models (`IFreqaiModel.set_full_path`)."""
        identifier = self.config["freqai"].get("identifier", "no_id_provided")
        return Path(self.config["user_data_dir"]) / "models" / str(identifier)

    @property
    def horizon(self) -> int:
        """Candles until the time barrier: FreqAI's own `label_period_candles`."""
        return int(self.config["freqai"]["feature_parameters"]["label_period_candles"])

    # --- candles in, columns out ------------------------------------------------------------------

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """BubbyBot's columns, and the model's answer beside them (`MODEL_COLUMNS`)."""
        dataframe = super().populate_indicators(dataframe, metadata)
        shown = self._shown(dataframe, metadata["pair"])
        answered = self.freqai.start(shown, metadata, self)
        return self._add_answer(dataframe, shown, answered, metadata["pair"])

    def _shown(self, dataframe: pd.DataFrame, pair: str) -> pd.DataFrame:
        """What FreqAI gets: candles, features, and the plan that the label is about."""
        sides = candidates(dataframe, self.settings.model.candidate_confidence)
        stop, target = barriers(dataframe, sides)
        plan = pd.DataFrame(
            {"model_side": sides, "model_stop": stop, "model_target": target},
            index=dataframe.index,
        )
        made = features(dataframe, sides, fee_of(self, pair)).add_prefix(FEATURE)
        return pd.concat([dataframe[CANDLE_COLUMNS], plan, made], axis=1)

    def _add_answer(
        self, dataframe: pd.DataFrame, shown: pd.DataFrame, answered: pd.DataFrame, pair: str
    ) -> pd.DataFrame:
        """The outcomes' probabilities; NaN wherever the model has not really answered."""
        if not np.array_equal(answered["date"].to_numpy(), dataframe["date"].to_numpy()):
            raise OperationalException(f"{pair}: FreqAI's answer is not for the candles it got.")
        # FreqAI fills unknown features with 0 and answers all the same, whatever its
        # `filter_features` says of it (BaseClassifierModel.predict sets do_predict anew).
        known = shown.filter(like=FEATURE).notna().all(axis=1).to_numpy()
        trusted = known & (answered["do_predict"].to_numpy() == TRUSTED)
        chances = {
            # An outcome that a window has never seen has no column.
            name: answered[name].to_numpy(dtype=np.float64)
            if name in answered
            else np.zeros(len(answered))
            for name in OUTCOMES
        }
        stop, target = shown["model_stop"].to_numpy(), shown["model_target"].to_numpy()
        reward = reward_in_r(dataframe["close"].to_numpy(), stop, target, fee_of(self, pair))
        expected = chances["target"] * reward - chances["stop"]
        columns = {f"model_{name}": np.where(trusted, chances[name], np.nan) for name in OUTCOMES}
        return dataframe.assign(
            model_side=shown["model_side"].astype(np.float64),
            **columns,
            model_expected_r=np.where(trusted, expected, np.nan),
        )

    def entry_candles(self, dataframe: pd.DataFrame, side: Side) -> Flags:
        """BubbyBot's entries, where the model was asked about this side and expects enough."""
        sign = 1 if side == "long" else -1
        # A comparison with NaN is False: no answer, no entry.
        enough = dataframe["model_expected_r"].to_numpy() >= self.settings.model.min_expected_r
        return (
            super().entry_candles(dataframe, side)
            & (dataframe["model_side"].to_numpy() == sign)
            & enough
        )

    # --- what FreqAI asks for ---------------------------------------------------------------------

    def feature_engineering_expand_all(
        self, dataframe: pd.DataFrame, period: int, metadata: dict, **kwargs: Any
    ) -> pd.DataFrame:
        """Add nothing, and keep FreqAI from copying every column for every period."""
        return dataframe[CANDLE_COLUMNS]

    def feature_engineering_expand_basic(
        self, dataframe: pd.DataFrame, metadata: dict, **kwargs: Any
    ) -> pd.DataFrame:
        """Add nothing."""
        return dataframe[CANDLE_COLUMNS]

    def feature_engineering_standard(
        self, dataframe: pd.DataFrame, metadata: dict, **kwargs: Any
    ) -> pd.DataFrame:
        """The features; for candles as FreqAI keeps them for training live, after the analysis."""
        if "model_side" not in dataframe:
            # FreqAI joins candles from disk and from the venue, whose dates are of two kinds.
            dataframe["date"] = pd.to_datetime(dataframe["date"], utc=True)
            # The data provider has no more than a prediction needs: the context comes from the
            # candles themselves.
            contexts = {
                timeframe: whole_candles(dataframe[CANDLE_COLUMNS], timeframe, parts)
                for timeframe, parts in CONTEXT_PARTS.items()
            }
            pair = metadata["pair"]
            dataframe = self._shown(with_signals_of(self, dataframe, pair, contexts), pair)
        # FreqAI has merged copies of all columns, with the pair in their names.
        names = [name for name in map(str, dataframe) if name.startswith(FEATURE)]
        own = {name: f"%-{name.removeprefix(FEATURE)}" for name in names if "/" not in name}
        return dataframe.rename(columns=own)

    def set_freqai_targets(
        self, dataframe: pd.DataFrame, metadata: dict, **kwargs: Any
    ) -> pd.DataFrame:
        """The label: which of the plan's barriers came first, unknown for the last candles."""
        sides, stop, target = (
            dataframe[f"model_{name}"].to_numpy() for name in ("side", "stop", "target")
        )
        label = outcomes(dataframe, sides, stop, target, self.horizon)
        return dataframe.assign(**{LABEL: label})
