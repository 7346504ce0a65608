export interface Series {
  readonly name: string;
  /** How many there are, and what a span costs. */
  readonly points: readonly (readonly [size: number, cost: number])[];
}

const WIDTH = 720;
const HEIGHT = 320;
const LEFT = 60;
const RIGHT = 190;
const TOP = 20;
const BOTTOM = 40;
const COLOURS = ['#1f77b4', '#d95f02', '#1b9e77'];
const MOST = 2;

/** An SVG of how the cost grows, each series beside its own first point; the numbers along the bottom are logarithmic. */
export function plotOf(series: readonly Series[]): string {
  const last = Math.max(...series.flatMap(({ points }) => points.map(([size]) => Math.log10(size))));
  const x = (size: number) => LEFT + (Math.log10(size) / last) * (WIDTH - LEFT - RIGHT);
  const y = (growth: number) => HEIGHT - BOTTOM - (Math.min(growth, MOST) / MOST) * (HEIGHT - TOP - BOTTOM);
  const grid = [0, 0.5, 1, 1.5, 2].map(
    (growth) =>
      `<line x1="${LEFT}" y1="${y(growth)}" x2="${WIDTH - RIGHT}" y2="${y(growth)}" stroke="${growth === 1.5 ? '#c00' : '#ddd'}"/>` +
      `<text x="${LEFT - 8}" y="${y(growth) + 4}" text-anchor="end">${growth}x</text>`,
  );
  const decades = Array.from({ length: Math.floor(last) + 1 }, (_, power) => {
    const label = (10 ** power).toLocaleString('en');
    return `<text x="${x(10 ** power)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${label}</text>`;
  });
  const lines = series.map(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const first = points[0]?.[1] ?? 1;
    const path = points.map(([size, cost]) => `${x(size).toFixed(1)},${y(cost / first).toFixed(1)}`);
    const dots = path.map((point) => {
      const [cx, cy] = point.split(',');
      return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
    });
    const label = `<text x="${WIDTH - RIGHT + 12}" y="${TOP + 14 + index * 18}" fill="${colour}">${name}</text>`;
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}${label}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<title>How the cost of a span grows</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${[...grid, ...decades, ...lines].join('\n')}
</svg>
`;
}
