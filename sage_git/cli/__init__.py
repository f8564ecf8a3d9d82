"""The command line: arguments, environment and text. Knows operations only; `main` is where a process begins.

Each command module has `register(commands)`, which adds its argparse subparsers, and functions of (arguments,
surroundings) that answer with the exit status of SPEC 8. They import the operation that they need when they run, so
that no command waits for another's imports.
"""
