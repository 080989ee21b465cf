"""`python -m services.monitor` runs the monitor until SIGTERM."""

from services.kit.process import run_service
from services.monitor.service import run_monitor

if __name__ == "__main__":
    run_service("monitor", run_monitor, yields=True)
