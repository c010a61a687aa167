"""Validate the data package and export it. `--help` says how."""

import os
import sys

if sys.version_info < (3, 11):
    sys.exit("validate.py needs Python 3.11 or newer; this is " + sys.version.split()[0])

# Python leaves the folder of the script out where it was told to be safe.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pipeline.validation import main

if __name__ == "__main__":
    # All is written and closed. Giving back every object one by one would take a tenth longer.
    os._exit(main(sys.argv[1:]))
