import type {
  Attributes,
  Meter,
  MeterProvider,
  MetricOptions,
  Observable,
  ObservableCallback,
  ObservableResult,
} from '@opentelemetry/api';

/**
 * A MeterProvider for several pipelines in one process. Each of them observes instruments of the same names, and to
 * the SDK a second observation of a series takes the place of the first; here they are added up.
 */
export function summingMeterProvider(provider: MeterProvider): MeterProvider {
  const meters = new Map<string, Meter>();
  return {
    getMeter(name, version, options) {
      const known = meters.get(name);
      if (known !== undefined) return known;
      const meter = summingMeter(provider.getMeter(name, version, options));
      meters.set(name, meter);
      return meter;
    },
  };
}

function summingMeter(meter: Meter): Meter {
  const sums = new Map<string, SummedInstrument>();
  const summed = (name: string, create: () => Observable) => {
    const known = sums.get(name);
    if (known !== undefined) return known;
    const sum = new SummedInstrument(create());
    sums.set(name, sum);
    return sum;
  };
  return {
    createGauge: (name, options) => meter.createGauge(name, options),
    createHistogram: (name, options) => meter.createHistogram(name, options),
    createCounter: (name, options) => meter.createCounter(name, options),
    createUpDownCounter: (name, options) => meter.createUpDownCounter(name, options),
    createObservableGauge: (name: string, options?: MetricOptions) =>
      summed(name, () => meter.createObservableGauge(name, options)),
    createObservableCounter: (name: string, options?: MetricOptions) =>
      summed(name, () => meter.createObservableCounter(name, options)),
    createObservableUpDownCounter: (name: string, options?: MetricOptions) =>
      summed(name, () => meter.createObservableUpDownCounter(name, options)),
    addBatchObservableCallback: (callback, observables) =>
      meter.addBatchObservableCallback(callback, observables),
    removeBatchObservableCallback: (callback, observables) =>
      meter.removeBatchObservableCallback(callback, observables),
  };
}

class SummedInstrument implements Observable {
  readonly #callbacks = new Set<ObservableCallback>();

  constructor(instrument: Observable) {
    instrument.addCallback((result) => this.#observe(result));
  }

  addCallback(callback: ObservableCallback): void {
    this.#callbacks.add(callback);
  }

  removeCallback(callback: ObservableCallback): void {
    this.#callbacks.delete(callback);
  }

  async #observe(result: ObservableResult): Promise<void> {
    const sums = new Map<string, { readonly attributes: Attributes; readonly value: number }>();
    const adding: ObservableResult = {
      observe(value, attributes = {}) {
        const key = JSON.stringify(Object.entries(attributes).sort());
        sums.set(key, { attributes, value: (sums.get(key)?.value ?? 0) + value });
      },
    };
    for (const callback of this.#callbacks) await callback(adding);
    for (const { attributes, value } of sums.values()) result.observe(value, attributes);
  }
}
