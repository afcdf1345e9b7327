"""What this process counts for /metrics, from its start on; other processes have counters of their own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics

disable_created_metrics()  # when counting began is of no use here

COUNTED = CollectorRegistry()

requests = Counter("transcribe_requests", "Answers of this web process", ("status_class",), registry=COUNTED)
open_sockets = Gauge("transcribe_open_sockets", "WebSockets that are open at this web process", registry=COUNTED)
frames = Counter("transcribe_frames_sent", "Frames that this web process sent to sockets", registry=COUNTED)

for status_class in ("2xx", "3xx", "4xx", "5xx"):
    requests.labels(status_class)  # is there before the first
