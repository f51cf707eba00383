"""Run an experiment: `python run.py [overrides]`; `python run.py --help` says more."""

import sys

from pipeline.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
