/** What a running sidecar counts, as its admin port tells it. */
export interface SidecarMetrics {
  /** The sum of all series of a metric; 0 where there is none. */
  total(name: string): number;
  /** The same for each value of one of its attributes. */
  by(name: string, attribute: string): Readonly<Record<string, number>>;
}

export async function metricsOf(admin: string): Promise<SidecarMetrics> {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  const series = text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, labels, value: Number(value) }];
  });
  const named = (name: string) => series.filter((one) => one.name === name);
  return {
    total: (name) => named(name).reduce((sum, { value }) => sum + value, 0),
    by(name, attribute) {
      const sums: Record<string, number> = {};
      for (const { labels, value } of named(name)) {
        const [, key = ''] = new RegExp(`(?:^|,)${attribute}="([^"]*)"`).exec(labels) ?? [];
        sums[key] = (sums[key] ?? 0) + value;
      }
      return sums;
    },
  };
}

/** Where all spans are that the sidecar took, by what became of them. */
export async function spansOf(admin: string) {
  const { total } = await metricsOf(admin);
  return {
    received: total('spanplan_spans_received_total'),
    buffered: total('spanplan_spans_buffered'),
    awaiting: total('spanplan_spans_awaiting_write'),
    learned: total('spanplan_spans_learned_total'),
    duplicate: total('spanplan_spans_duplicate_total'),
    ignored: total('spanplan_spans_ignored_total'),
    dropped: total('spanplan_spans_dropped_total'),
  };
}
