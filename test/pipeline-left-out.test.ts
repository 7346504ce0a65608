import { expect, it } from 'vitest';
import { Pipeline } from '../src/pipeline.ts';
import { decodeOtlpJson } from '../src/source/otlp/otlp-json.ts';
import { MemoryPlanStore } from '../src/store/memory-plan-store.ts';
import { everything, requestOf, spanJson } from './source/otlp-request.ts';

it('a span that does not say when it began is received and dropped, and no other is', async () => {
  const pipeline = new Pipeline(new MemoryPlanStore());
  const { spans, unusable = 0 } = decodeOtlpJson(
    requestOf([spanJson(), spanJson({ startTimeUnixNano: '0' })]),
    everything,
  );
  pipeline.consume(spans);
  pipeline.leaveOut(unusable);
  expect(pipeline.account).toMatchObject({ received: 2, buffered: 1, dropped: { unusable: 1 } });
  await pipeline.shutdown(1_000);
  pipeline.leaveOut(1);
  expect(pipeline.account.received).toBe(2);
});
