"""The configuration: TOML files and ``--set`` made into the settings of a run.

Called by the command line only; parts get their own section and never see this.
"""

from __future__ import annotations

from workstation.config.loading import Config, load_config
from workstation.config.problems import ConfigProblems, Problem
from workstation.config.user_settings import save_setting

__all__ = ["Config", "ConfigProblems", "Problem", "load_config", "save_setting"]
