import { execFile } from 'node:child_process';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { builtPackage, REPOSITORY, withLock } from './built-package.ts';

const run = promisify(execFile);

/** The folders below test/ that hold an SDK line as applications have it: NodeSDK and the exporters it brings. */
export type SdkTreeName = 'sdk1' | 'sdk2' | 'sdk3';

export interface SdkTree {
  readonly folder: string;
  /** A Node that this line of the SDK runs on. */
  readonly node: string;
}

/**
 * A tree with its packages and the built spanplan in it. Installed where it is not, from its own lock.
 * @throws Error that names what this machine cannot give.
 */
export async function sdkTree(name: SdkTreeName): Promise<SdkTree> {
  const built = await builtPackage();
  const folder = join(REPOSITORY, 'test', name);
  await withLock(name, async () => {
    const lock = await readFile(join(folder, 'package-lock.json'), 'utf8');
    await onceFor(lock, join(folder, 'node_modules/.installed-from'), () => install(folder));
    // Other test files may be running it, so it is replaced only by a newer one.
    const home = join(folder, 'node_modules/spanplan');
    await onceFor(basename(built), join(home, '.built-from'), async () => {
      await rm(home, { recursive: true, force: true });
      await cp(join(built, 'node_modules/spanplan'), home, { recursive: true });
    });
  });
  return { folder, node: name === 'sdk3' ? await newNode(folder) : process.execPath };
}

/** Does the work unless the stamp says that it was done for the same. */
async function onceFor(source: string, stamp: string, work: () => Promise<void>): Promise<void> {
  if ((await readFile(stamp, 'utf8').catch(() => '')) === source) return;
  await work();
  await writeFile(stamp, source);
}

async function install(folder: string): Promise<void> {
  try {
    // As flags, since the settings of an npm that runs this test come by the environment and win over the folder's own.
    await run('npm', ['ci', '--engine-strict=false', '--ignore-scripts'], { cwd: folder });
  } catch (error) {
    throw new Error(
      `npm ci in test/${basename(folder)} failed, so its SDK cannot be tested: ${reasonOf(error)}`,
    );
  }
}

const NEW_NODE = [22, 15] as const;

/** The Node that came with the tree; on other platforms this one, if it is new enough. */
async function newNode(folder: string): Promise<string> {
  const packaged = join(folder, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  const found = await run(packaged, ['--version']).then(
    () => packaged,
    () => undefined,
  );
  if (found !== undefined) return found;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > NEW_NODE[0] || (major === NEW_NODE[0] && minor >= NEW_NODE[1])) return process.execPath;
  throw new Error(
    `the SDK 3.x needs Node ${NEW_NODE.join('.')} or newer: there is no package of it for ${process.platform}-${process.arch}, ` +
      `and this is Node ${process.versions.node}`,
  );
}

function reasonOf(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: string; readonly message?: string };
  return stderr || message || String(error);
}
