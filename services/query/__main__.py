"""Runs the query service: `python -m services.query`."""

from services.kit.process import run_service
from services.query.service import run_query

run_service("query", run_query)
