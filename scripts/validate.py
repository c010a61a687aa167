"""Validate the data package and export it. `--help` says how."""

import sys

if sys.version_info < (3, 11):
    sys.exit("validate.py needs Python 3.11 or newer; this is " + sys.version.split()[0])

from command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
