"""Runs the command service: `python -m services.command`."""

from services.command.service import run_command
from services.kit.process import run_service

run_service("command", run_command)
