"""Whether the settings in a folder are without mistakes: ``python scripts/validate_config.py FOLDER``.

The same as ``dashcam check --settings-only``, for a folder that is named.
"""

import argparse
import sys
from pathlib import Path

from dashcam import config


def main() -> int:
    parser = argparse.ArgumentParser(description="Check the settings in a folder: one sentence per mistake.")
    parser.add_argument("folder", type=Path, nargs="?", default=config.config_folder())
    folder = parser.parse_args().folder
    try:
        mistakes = config.check(folder)
    except config.ConfigError as error:
        mistakes = error.sentences
    print(*(mistakes or [f"The settings in {folder} are in order"]), sep="\n")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
