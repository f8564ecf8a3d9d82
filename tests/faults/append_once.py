"""Appends the event "new" to the chronicle named first on the command line; prints its id or the error's code."""

import sys

import sage_git

EVENT = {
    "type": "AGENT_ACTION",
    "actor": {"agent": "test", "id": "ada"},
    "timestamp": "2026-01-02T03:04:05.678Z",
    "action": "new",
}

if __name__ == "__main__":
    try:
        print(sage_git.append_event(sys.argv[1], EVENT).event_id)
    except sage_git.SageError as problem:
        print(problem.code)
        sys.exit(problem.exit_status)
