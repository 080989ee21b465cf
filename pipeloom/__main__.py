"""Lets `python -m pipeloom` be the command line."""

from pipeloom.cli.main import app

if __name__ == "__main__":
    app(prog_name="pipeloom")
