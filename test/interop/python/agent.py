"""An agent that runs two tools at the same time and one after them, as the
Python SDK exports it. Where the spans go is said by OTEL_* alone."""

import os
import time

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, Tracer, set_span_in_context

TAKES_SECONDS = 0.03


def main() -> None:
    provider = TracerProvider()
    exporter = exporter_of(os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"])
    provider.add_span_processor(BatchSpanProcessor(exporter))
    run(provider.get_tracer("agent"), os.environ["AGENT_NAME"])
    provider.shutdown()


def run(tracer: Tracer, name: str) -> None:
    agent = start(tracer, "invoke_agent", "gen_ai.agent.name", name)
    search = start(tracer, "execute_tool", "gen_ai.tool.name", "search", agent)
    fetch = start(tracer, "execute_tool", "gen_ai.tool.name", "fetch", agent)
    time.sleep(TAKES_SECONDS)
    search.end()
    fetch.end()
    time.sleep(TAKES_SECONDS)
    write = start(tracer, "execute_tool", "gen_ai.tool.name", "write", agent)
    time.sleep(TAKES_SECONDS)
    write.end()
    agent.end()


def start(tracer: Tracer, operation: str, key: str, name: str, parent: Span | None = None) -> Span:
    return tracer.start_span(
        operation,
        context=None if parent is None else set_span_in_context(parent),
        attributes={"gen_ai.operation.name": operation, key: name},
    )


def exporter_of(protocol: str) -> SpanExporter:
    """The exporters are two packages, none of which reads the protocol by itself."""
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    elif protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    else:
        raise ValueError(f"OTEL_EXPORTER_OTLP_PROTOCOL: expected grpc or http/protobuf, got {protocol!r}")
    return OTLPSpanExporter()


main()
