/** Makes the agent of each language ready to run, and says by name what this machine cannot give. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type SdkTreeName, sdkTree } from '../support/sdk-tree.ts';

const run = promisify(execFile);

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/spanplan-interop/', import.meta.url));
const GO = fileURLToPath(new URL('./go/', import.meta.url));

/** A language whose agent can be run here, with the protocols its exporters speak. */
export interface Toolchain {
  readonly language: string;
  readonly command: readonly [file: string, ...args: string[]];
  readonly protocols: readonly string[];
  /** Where the command runs, if that matters. */
  readonly folder?: string;
  /** The version that the SDK sends of itself, where more than one of the language is checked. */
  readonly sdkVersion?: string;
}

/** What is not there, which is the machine's lack and no failure of ours. */
export interface Missing {
  readonly missing: string;
}

/** All languages; JavaScript is always there, in each line of its SDK. */
export async function toolchains(): Promise<readonly (Toolchain | Missing)[]> {
  mkdirSync(CACHE, { recursive: true });
  return [
    await javascript('sdk1', '1.30.1'),
    await javascript('sdk2', '2.12.0'),
    await javascript('sdk3', '3.1.0'),
    await python(),
    await go(),
  ];
}

async function javascript(tree: SdkTreeName, sdkVersion: string): Promise<Toolchain> {
  const { folder, node } = await sdkTree(tree);
  const agent = fileURLToPath(new URL('./javascript/agent.mjs', import.meta.url));
  return {
    language: `JavaScript, SDK ${sdkVersion}`,
    command: [node, agent],
    protocols: ['http/json', 'http/protobuf', 'grpc'],
    folder,
    sdkVersion,
  };
}

async function python(): Promise<Toolchain | Missing> {
  const folder = join(CACHE, 'python');
  const bin = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin');
  const requirements = fileURLToPath(new URL('./python/requirements.txt', import.meta.url));
  const lack =
    (await lackOf('Python 3.10 or later (python3)', 'python3', [
      '-c',
      'import sys; sys.exit("is older" if sys.version_info < (3, 10) else 0)',
    ])) ??
    // A folder whose set-up broke off has no pip, and is made again.
    (existsSync(join(bin, 'pip'))
      ? undefined
      : await lackOf("Python's venv module", 'python3', ['-m', 'venv', '--clear', folder])) ??
    (await lackOf("Python's OpenTelemetry packages (pip install)", join(bin, 'pip'), [
      ...['install', '--quiet', '--disable-pip-version-check', '--requirement', requirements],
    ]));
  if (lack !== undefined) return { missing: lack };
  const agent = fileURLToPath(new URL('./python/agent.py', import.meta.url));
  return { language: 'Python', command: [join(bin, 'python'), agent], protocols: ['http/protobuf', 'grpc'] };
}

async function go(): Promise<Toolchain | Missing> {
  const lack =
    (await lackOf('Go (go)', 'go', ['version'])) ??
    (await lackOf("Go's OpenTelemetry modules (go mod download)", 'go', ['mod', 'download'], GO));
  if (lack !== undefined) return { missing: lack };
  const program = join(CACHE, 'go-agent');
  // The modules are there: what fails from here on is a mistake in the program, and fails the test.
  await run('go', ['build', '-mod=readonly', '-o', program, '.'], { cwd: GO });
  return { language: 'Go', command: [program], protocols: ['http/protobuf', 'grpc'] };
}

/** Why the command does not work here, or undefined where it does. */
async function lackOf(
  name: string,
  file: string,
  args: readonly string[],
  cwd?: string,
): Promise<string | undefined> {
  try {
    await run(file, args, { cwd, timeout: 180_000 });
    return undefined;
  } catch (error) {
    const { code, stderr = '' } = error as { readonly code?: unknown; readonly stderr?: string };
    const reason = code === 'ENOENT' ? 'not found' : stderr.trim().split('\n').at(-1);
    return `${name}: ${reason || `ended with ${String(code)}`}`;
  }
}
