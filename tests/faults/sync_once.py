"""Syncs the clone named on the command line with `origin`, as the command line would."""

import sys

from sage_git.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["-C", sys.argv[1], "sync", "--json", *(sys.argv[2:] or ["origin"])]))
