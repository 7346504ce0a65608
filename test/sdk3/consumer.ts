import { type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { FanoutSpanProcessor } from 'spanplan';

export const processor: SpanProcessor = new FanoutSpanProcessor({ store: 'memory:' });
export const provider = new TracerProvider({
  spanProcessors: [new FanoutSpanProcessor({ store: 'memory:' })],
});
