"""Records what is new in the repository named on the command line; prints what became of it, or the error's code."""

import os
import sys
from pathlib import Path

from sage_git.errors import SageError
from sage_git.operations.checkout import Checkout
from sage_git.operations.recording.record import record

if __name__ == "__main__":
    try:
        with Checkout.open(Path(sys.argv[1]), dict(os.environ)) as checkout:
            outcome = record(checkout)
        print(outcome.state.value, *(finding.code for finding in outcome.findings))
    except SageError as problem:
        print(problem.code)
        sys.exit(problem.exit_status)
