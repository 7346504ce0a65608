import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const README = readFileSync(`${ROOT}README.md`, 'utf8');
const LINKS = [...README.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);

it('README leads to what is there, and to what is in the package too', () => {
  const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const [{ files }] = JSON.parse(packed) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  const links = LINKS.filter((link) => !link.startsWith('#'));
  expect(links.length).toBeGreaterThan(5);
  for (const link of links) {
    expect(existsSync(`${ROOT}${link}`), link).toBe(true);
    const isPacked = (path: string) =>
      statSync(`${ROOT}${link}`).isDirectory() ? path.startsWith(`${link}/`) : path === link;
    expect(paths.some(isPacked), link).toBe(true);
  }
});

it('README leads to its own headings', () => {
  const anchors = [...README.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  const links = LINKS.filter((link) => link.startsWith('#'));
  expect(links.length).toBeGreaterThan(2);
  for (const link of links) expect(anchors).toContain(link.slice(1));
});
