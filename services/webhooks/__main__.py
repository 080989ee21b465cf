"""Runs the webhooks: `python -m services.webhooks`."""

from services.kit.process import run_service
from services.webhooks.service import run_webhooks

run_service("webhooks", run_webhooks, yields=True)
