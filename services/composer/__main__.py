"""Runs the composer: `python -m services.composer`."""

from services.composer.service import run_composer
from services.kit.process import run_service

run_service("composer", run_composer)
