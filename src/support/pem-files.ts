import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { errorCode } from './error-code.ts';
import { tell } from './tell.ts';

/** Where a certificate, its key and the authorities to trust are, each in PEM. */
export interface PemPaths {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly caFile?: string | undefined;
  /** Who uses them, where several may use the same: such as `admin port`. */
  readonly usedBy?: string | undefined;
}

/** What the files hold. */
export interface PemContents {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
}

/**
 * Certificates from files, read again when the files change. They are read and compared, not watched: certificates are
 * often replaced by way of symbolic links, which watchers do not see. What is half written, or does not match, is told
 * of once, and what was read before stays in use.
 */
export class PemFiles {
  readonly #paths: PemPaths;
  #contents: PemContents;
  /** Of the contents in use. */
  #used: string;
  /** Of the contents that were refused last. */
  #refused: string | undefined;
  /** What was told last, so that it is told once. */
  #problem: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isReading = false;
  #isClosed = false;

  private constructor(paths: PemPaths, contents: PemContents) {
    this.#paths = paths;
    this.#contents = contents;
    this.#used = digestOf(contents);
  }

  /** @throws Error that says which file is wrong, or that they do not match. */
  static async load(paths: PemPaths): Promise<PemFiles> {
    const contents = await readFiles(paths);
    check(paths, contents);
    return new PemFiles(paths, contents);
  }

  get contents(): PemContents {
    return this.#contents;
  }

  /** Looks at the files every so often, and calls `apply` with new contents that are good. */
  watch(intervalMillis: number, apply: (contents: PemContents) => void): void {
    this.#timer = setInterval(() => void this.look(apply), intervalMillis).unref();
  }

  /** Looks at the files now. Never rejects; does nothing while it looks already. */
  async look(apply: (contents: PemContents) => void): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      this.#take(await readFiles(this.#paths), apply);
    } catch (error) {
      this.#complain(error instanceof Error ? error.message : 'unknown error');
    } finally {
      this.#isReading = false;
    }
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  #take(contents: PemContents, apply: (contents: PemContents) => void): void {
    const digest = digestOf(contents);
    if (this.#isClosed || digest === this.#refused) return;
    this.#refused = undefined;
    if (digest !== this.#used) {
      this.#refused = digest;
      check(this.#paths, contents);
      apply(contents);
      this.#refused = undefined;
      this.#used = digest;
      this.#contents = contents;
      const { certFile, caFile } = this.#paths;
      tell.info(`spanplan: ${this.#whose}the certificate in ${certFile ?? caFile} was read again`);
    }
    this.#problem = undefined;
  }

  get #whose(): string {
    const { usedBy } = this.#paths;
    return usedBy === undefined ? '' : `${usedBy}: `;
  }

  #complain(problem: string): void {
    if (problem === this.#problem || this.#isClosed) return;
    this.#problem = problem;
    tell.warn(`spanplan: ${this.#whose}${problem}; the certificate read before stays in use`);
  }
}

async function readFiles({ certFile, keyFile, caFile }: PemPaths): Promise<PemContents> {
  const cert = await readPem(certFile);
  const key = await readPem(keyFile);
  const ca = await readPem(caFile);
  return { ...(cert && { cert }), ...(key && { key }), ...(ca && { ca }) };
}

async function readPem(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`the file ${path} cannot be read (${errorCode(error) ?? 'unknown error'})`, {
      cause: error,
    });
  }
}

function digestOf({ cert, key, ca }: PemContents): string {
  const hash = createHash('sha256');
  for (const bytes of [cert, key, ca]) hash.update(String(bytes?.length)).update(bytes ?? '');
  return hash.digest('hex');
}

/** OpenSSL accepts an authority that is no certificate in silence, and a key that does not match with a riddle. */
function check({ certFile, keyFile, caFile }: PemPaths, contents: PemContents): void {
  const { ca } = contents;
  const [begins = 0, ends = 0] = ['BEGIN', 'END'].map((word) => count(ca, `-----${word} CERTIFICATE-----`));
  if (ca !== undefined && begins === 0) throw new Error(`the file ${caFile} holds no certificate in PEM`);
  if (begins !== ends) throw new Error(`the file ${caFile} ends in the middle of a certificate`);
  try {
    createSecureContext(contents);
  } catch (error) {
    throw new Error(
      `the certificate in ${certFile} and the key in ${keyFile} cannot be used together (${errorCode(error) ?? 'unknown error'}): ` +
        'expected a certificate and its private key, both in PEM',
      { cause: error },
    );
  }
}

function count(bytes: Buffer | undefined, text: string): number {
  return (bytes?.toString('latin1').split(text).length ?? 1) - 1;
}
