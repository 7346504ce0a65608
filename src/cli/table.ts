import { cutToWidth, displayWidth } from './display-width.ts';
import { printable } from './printable.ts';
import type { Paint, Style } from './style.ts';

export interface Column {
  /** Heading; a table without any has no heading row. */
  readonly title?: string;
  readonly align?: 'left' | 'right';
  /** Longer text is cut. */
  readonly maxWidth?: number;
}

export interface Cell {
  /** May come from spans: it is made safe to print here. Several lines where it is a list. */
  readonly text: string | readonly string[];
  readonly paint?: Paint;
}

/** Lays rows out in columns, two spaces apart and indented by two; the last column is not padded. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  style: Style,
): readonly string[] {
  const hasTitles = columns.some(({ title }) => title !== undefined);
  const heading = columns.map(({ title = '' }) => ({ text: title, paint: style.dim }));
  const all = (hasTitles ? [heading, ...rows] : rows).map((row) =>
    row.map((cell, at) => safeLines(cell, columns[at]?.maxWidth)),
  );
  const widths = columns.map((_, at) =>
    all.reduce((widest, row) => Math.max(widest, ...(row[at]?.lines ?? []).map(displayWidth)), 0),
  );
  return all.flatMap((row) => formatRow(row, columns, widths));
}

interface SafeCell {
  readonly lines: readonly string[];
  readonly paint: Paint;
}

function safeLines({ text, paint = plain }: Cell, maxWidth = Number.POSITIVE_INFINITY): SafeCell {
  const lines = typeof text === 'string' ? [text] : text;
  return { lines: lines.map((line) => cutToWidth(printable(line), maxWidth)), paint };
}

function formatRow(
  row: readonly SafeCell[],
  columns: readonly Column[],
  widths: readonly number[],
): readonly string[] {
  const height = Math.max(...row.map(({ lines }) => lines.length));
  return Array.from({ length: height }, (_, line) => {
    const cells = row.map(({ lines, paint }, at) => {
      const text = lines[line] ?? '';
      const gap = ' '.repeat(Math.max(0, (widths[at] ?? 0) - displayWidth(text)));
      return columns[at]?.align === 'right' ? `${gap}${paint(text)}` : `${paint(text)}${gap}`;
    });
    return `  ${cells.join('  ')}`.trimEnd();
  });
}

function plain(text: string): string {
  return text;
}
