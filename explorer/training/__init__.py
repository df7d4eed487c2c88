"""Training: the recipe of He et al., the loop that trains by it, runs side by side, and the files that come out.

Names load on first use: torch takes seconds to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .builtin import NETS, BuiltIn
    from .calibration import Calibration, calibrate
    from .checkpoints import checkpoint_path, polish, prepare, train
    from .experiments import DEGRADATION, DIGITS_RECIPE, EXPERIMENTS, Experiment
    from .loop import Epoch, Run, TrainingStep
    from .publication import Publication, describe_run
    from .recipe import Recipe, Schedule
    from .record import TRAINING_DATA, CurvePoint, Plan, Record, plan_runs
    from .run_file import read_run, run_json, weights_file
    from .side_by_side import Training

__all__ = [
    "DEGRADATION",
    "DIGITS_RECIPE",
    "EXPERIMENTS",
    "NETS",
    "TRAINING_DATA",
    "BuiltIn",
    "Calibration",
    "CurvePoint",
    "Epoch",
    "Experiment",
    "Plan",
    "Publication",
    "Recipe",
    "Record",
    "Run",
    "Schedule",
    "Training",
    "TrainingStep",
    "calibrate",
    "checkpoint_path",
    "describe_run",
    "plan_runs",
    "polish",
    "prepare",
    "read_run",
    "run_json",
    "train",
    "weights_file",
]
_HOME = {
    **dict.fromkeys(("NETS", "BuiltIn"), "builtin"),
    **dict.fromkeys(("Calibration", "calibrate"), "calibration"),
    **dict.fromkeys(("checkpoint_path", "polish", "prepare", "train"), "checkpoints"),
    **dict.fromkeys(("DEGRADATION", "DIGITS_RECIPE", "EXPERIMENTS", "Experiment"), "experiments"),
    **dict.fromkeys(("Epoch", "Run", "TrainingStep"), "loop"),
    **dict.fromkeys(("Publication", "describe_run"), "publication"),
    **dict.fromkeys(("Recipe", "Schedule"), "recipe"),
    **dict.fromkeys(("TRAINING_DATA", "CurvePoint", "Plan", "Record", "plan_runs"), "record"),
    **dict.fromkeys(("read_run", "run_json", "weights_file"), "run_file"),
    "Training": "side_by_side",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
