import sdk = require('@opentelemetry/sdk-trace');
import spanplan = require('spanplan');

const processor: sdk.SpanProcessor = new spanplan.FanoutSpanProcessor({ store: 'memory:' });
export = new sdk.TracerProvider({ spanProcessors: [processor] });
