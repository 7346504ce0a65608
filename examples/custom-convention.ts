/**
 * Spans of a framework of one's own, which no built-in convention knows:
 *
 *     npx tsx examples/custom-convention.ts
 */
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { type Convention, FanoutSpanProcessor, MemoryPlanStore } from 'spanplan';

/** How the framework marks its spans. Conventions of your own are asked first; `undefined` leaves it to the others. */
const acme: Convention = {
  name: 'acme',
  source: 'acme-agents 2.1',
  // Only what stands here is ever read of a span.
  attributes: ['acme.kind', 'acme.name'],
  recognise({ attributes }) {
    const name = attributes['acme.name'];
    if (typeof name !== 'string') return undefined;
    switch (attributes['acme.kind']) {
      case 'crew-member':
        return { role: 'agent', rule: 'acme.crew-member', name };
      case 'skill':
        return { role: 'tool', rule: 'acme.skill', name };
      default:
        return undefined;
    }
  },
};

const store = new MemoryPlanStore();
const fanout = new FanoutSpanProcessor({ store, conventions: [acme] });
const provider = new NodeTracerProvider({ spanProcessors: [fanout] });

// What the framework would do: a crew member uses two skills at once, and a third one after them.
const tracer = provider.getTracer('acme-agents');
const begin = (kind: string, name: string, startTime: number, parent = ROOT_CONTEXT) =>
  tracer.startSpan(name, { startTime, attributes: { 'acme.kind': kind, 'acme.name': name } }, parent);
const start = Date.now();
const cook = begin('crew-member', 'cook', start);
const inside = trace.setSpan(ROOT_CONTEXT, cook);
begin('skill', 'chop', start + 10, inside).end(start + 200);
begin('skill', 'boil', start + 20, inside).end(start + 300);
begin('skill', 'serve', start + 310, inside).end(start + 350);
cook.end(start + 360);

await provider.shutdown();
const stored = await store.load('cook');
console.log(JSON.stringify(stored?.plan, undefined, 2));
