"""What the webhooks tell of themselves to Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "pipeloom_webhook_attempts_total", "Attempts to deliver an event: delivered, retried, failed", ["result"]
)
ATTEMPT_SECONDS = Histogram("pipeloom_webhook_attempt_seconds", "How long an attempt to deliver an event took")
PENDING = Gauge("pipeloom_webhook_deliveries_pending", "Deliveries that wait for an attempt, of all processes together")
DISABLED = Counter("pipeloom_webhooks_disabled_total", "Webhooks that were disabled because nothing but failures came")
