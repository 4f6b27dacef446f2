"""The command groups of `meterpurse`.

A module here declares commands and their arguments and imports typer only; what does the work is imported inside the
command, so that `--help` answers at once. Imported by `deploy/cli.py`.
"""
