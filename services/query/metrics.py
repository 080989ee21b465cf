"""What the query service tells of its streams."""

from prometheus_client import Counter, Gauge

STREAMS_OPEN = Gauge("pipeloom_streams_open", "Streams of events that are open")
STREAMS_ENDED = Counter("pipeloom_streams_ended", "Streams that the service ended, by the reason it gave", ["ending"])
