"""`python -m services.builder` runs the builder until SIGTERM."""

from services.builder.service import main
from services.kit.process import run_service

if __name__ == "__main__":
    run_service("builder", main)
