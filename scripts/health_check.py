"""Whether the main server is reached and well: ``python scripts/health_check.py --server http://main-server:8000``.

``dashcam doctor`` looks at much more.
"""

import argparse
import sys

from dashcam import config
from dashcam.doctor.reach import answering


def main() -> int:
    parser = argparse.ArgumentParser(description="See whether the main server is reached and well.")
    parser.add_argument("--server", help="its address; default: as in the settings")
    found = list(answering(parser.parse_args().server or config.load_site().server.url))
    for one in found:
        print(f"{one.state}: {one.said}{f' {one.remedy}' if one.remedy else ''}")
    return 1 if any(one.state in ("warning", "fault") for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
