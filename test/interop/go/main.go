// Command agent is an agent that runs two tools at the same time and one after
// them, as the Go SDK exports it. Where the spans go is said by OTEL_* alone.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const takes = 30 * time.Millisecond

func main() {
	ctx := context.Background()
	exporter, err := exporterOf(ctx, os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"))
	if err != nil {
		log.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	run(ctx, provider.Tracer("agent"), os.Getenv("AGENT_NAME"))
	// The exporter's own error, if there was one, is what makes the status.
	if err := provider.ForceFlush(ctx); err != nil {
		log.Fatal(err)
	}
	if err := provider.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, tracer trace.Tracer, name string) {
	inside, agent := start(ctx, tracer, "invoke_agent", attribute.String("gen_ai.agent.name", name))
	_, search := start(inside, tracer, "execute_tool", attribute.String("gen_ai.tool.name", "search"))
	_, fetch := start(inside, tracer, "execute_tool", attribute.String("gen_ai.tool.name", "fetch"))
	time.Sleep(takes)
	search.End()
	fetch.End()
	time.Sleep(takes)
	_, write := start(inside, tracer, "execute_tool", attribute.String("gen_ai.tool.name", "write"))
	time.Sleep(takes)
	write.End()
	agent.End()
}

func start(ctx context.Context, tracer trace.Tracer, operation string, name attribute.KeyValue) (context.Context, trace.Span) {
	return tracer.Start(ctx, operation, trace.WithAttributes(attribute.String("gen_ai.operation.name", operation), name))
}

// The Go SDK has no exporter that reads the protocol's variable by itself.
func exporterOf(ctx context.Context, protocol string) (*otlptrace.Exporter, error) {
	switch protocol {
	case "grpc":
		return otlptracegrpc.New(ctx)
	case "http/protobuf":
		return otlptracehttp.New(ctx)
	default:
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL: expected grpc or http/protobuf, got %q", protocol)
	}
}
