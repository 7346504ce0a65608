import * as sdk2 from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import * as sdk1 from 'sdk1';
import * as sdk20 from 'sdk20';
import { FanoutSpanProcessor } from 'spanplan';

// Compiled, never run: the processor is a SpanProcessor of each SDK line, without a cast.

const processor = new FanoutSpanProcessor({ store: 'memory:' });

export const asProcessor1: sdk1.SpanProcessor = processor;
export const asProcessor20: sdk20.SpanProcessor = processor;
export const asProcessor2: sdk2.SpanProcessor = processor;

export const provider1 = new sdk1.BasicTracerProvider({ spanProcessors: [processor] });
export const provider20 = new sdk20.BasicTracerProvider({ spanProcessors: [processor] });
export const provider2 = new sdk2.BasicTracerProvider({ spanProcessors: [processor] });
export const nodeProvider = new NodeTracerProvider({ spanProcessors: [processor] });
provider1.addSpanProcessor(processor);
