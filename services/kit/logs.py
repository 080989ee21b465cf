"""Structured logs: for people on a console, or JSON for programs."""

import logging
import sys

import structlog

from services.kit.log_context import add_told
from services.kit.log_limits import Limiter, LimitNoise, LimitRepeats
from services.kit.log_secrets import hide_secrets


def configure_logs(log_format: str, service: str) -> None:
    """Send every log line, the libraries' included, through structlog to stderr."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _of_service(service),
        add_told,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    limiter = Limiter()
    structlog.configure(
        processors=[LimitRepeats(limiter), *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[_strip_meta, hide_secrets, _renderer(log_format)]
        )
    )
    handler.addFilter(LimitNoise(limiter))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # aiokafka tells every retry of a moment's trouble as an error; what matters reaches our own log lines.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _of_service(service: str) -> structlog.typing.Processor:
    """Return what names the service in every line, also in those of threads, which inherit no context variables."""

    def add(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {"service": service, **event}

    return add


def _strip_meta(logger: logging.Logger, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, name, event)


def _renderer(log_format: str) -> structlog.typing.Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
