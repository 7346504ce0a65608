import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Benchmark, Turn } from './harness.ts';

const RIVAL = '@opentelemetry/sdk-trace-base';

/** What the import of the built package costs a host, in a process of its own each time; the API, which every host has, is loaded before. */
export const importBenchmarks: readonly Benchmark[] = [
  {
    name: 'import',
    rival: `import '${RIVAL}'`,
    atLeast: 3,
    stretch: 7,
    async prepare() {
      return {
        ours: () => importing(new URL('../dist/index.js', import.meta.url).href),
        rival: () => importing(RIVAL),
      };
    },
  },
];

async function importing(specifier: string): Promise<Turn> {
  const program = `
    import '@opentelemetry/api';
    const before = process.cpuUsage();
    const loaded = await import(${JSON.stringify(specifier)});
    const { user, system } = process.cpuUsage(before);
    console.log(JSON.stringify({ cost: user + system, did: typeof loaded }));`;
  const args = ['--input-type=module', '-e', program];
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd });
  return JSON.parse(stdout) as Turn;
}
