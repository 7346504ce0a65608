import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = join(REPOSITORY, 'node_modules/.cache/spanplan-test');

/**
 * The package as npm would install it, in `<folder>/node_modules/spanplan`, built from the sources as they are now.
 * Made once for all test files and runs, and apart from `dist`, so that no other build takes it away under a test.
 * @returns the folder.
 */
export async function builtPackage(): Promise<string> {
  const folder = join(CACHE, await digestOfSources());
  await mkdir(CACHE, { recursive: true });
  await withLock('build', async () => {
    if (await exists(folder)) return;
    await removeOldBuilds();
    const making = join(CACHE, 'making');
    const home = join(making, 'node_modules/spanplan');
    await mkdir(home, { recursive: true });
    await cp(join(REPOSITORY, 'package.json'), join(home, 'package.json'));
    await run(process.execPath, [join(REPOSITORY, 'scripts/build.mjs'), join(home, 'dist')]).catch(failed);
    await rename(making, folder);
  });
  return folder;
}

/** Those of earlier sources; not at once, as another run may still be using one. */
async function removeOldBuilds(): Promise<void> {
  for (const name of await readdir(CACHE)) {
    const path = join(CACHE, name);
    const { mtimeMs } = await stat(path);
    const isOld = Date.now() - mtimeMs > OLD_MILLIS;
    if (name === 'making' || (isOld && !name.endsWith('.lock')))
      await rm(path, { recursive: true, force: true });
  }
}

const OLD_MILLIS = 3_600_000;

/** Only one of all processes runs `work` at a time. */
export async function withLock(name: string, work: () => Promise<void>): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const lock = join(CACHE, `${name}.lock`);
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch {
      const age = await stat(lock).then(
        ({ mtimeMs }) => Date.now() - mtimeMs,
        () => 0,
      );
      // Whoever held it was killed.
      if (age > STALE_MILLIS) await rm(lock, { recursive: true, force: true });
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  // An installation takes as long as the network does.
  const alive = setInterval(() => void touch(lock), STALE_MILLIS / 4);
  try {
    await work();
  } finally {
    clearInterval(alive);
    await rm(lock, { recursive: true, force: true });
  }
}

const STALE_MILLIS = 120_000;

async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256');
  const names = await readdir(join(REPOSITORY, 'src'), { recursive: true, withFileTypes: true });
  const sources = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const others = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs'];
  for (const path of [...sources.sort(), ...others.map((name) => join(REPOSITORY, name))]) {
    hash.update(path).update(await readFile(path));
  }
  return hash.digest('hex').slice(0, 16);
}

/** The compiler says on stdout what is wrong. */
function failed(error: { readonly message: string; readonly stdout?: string }): never {
  throw new Error(`the package cannot be built: ${error.stdout || error.message}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
