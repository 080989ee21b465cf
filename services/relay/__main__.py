"""Runs the relay: `python -m services.relay`."""

from services.kit.process import run_service
from services.relay.service import run_relay

run_service("relay", run_relay)
