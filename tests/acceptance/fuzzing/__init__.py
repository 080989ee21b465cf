"""What schemathesis is told of the running stack."""

from pathlib import Path

CONFIG = Path(__file__).with_name("schemathesis.toml")
