import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls';
import { tell } from '../../support/tell.ts';

/** Where a server's certificate is, in PEM. */
export interface ReceiverTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** With it, senders must show a certificate that one of these authorities signed. */
  readonly clientCaFile?: string;
  /** How often the files are looked at for changes. Default 10,000. */
  readonly reloadIntervalMillis?: number;
}

/**
 * A server's certificate, read again when its files change. They are read and compared, not watched: certificates are
 * often replaced by way of symbolic links, which watchers do not see.
 */
export class CertificateFiles {
  readonly #options: ReceiverTls;
  #context: SecureContextOptions;
  #seen: string;
  /** What was told last, so that it is told once. */
  #problem: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(options: ReceiverTls, files: Files) {
    this.#options = options;
    this.#seen = files.digest;
    this.#context = contextOf(files);
  }

  /** @throws Error that says which file is wrong, or that they do not match. */
  static async load(options: ReceiverTls): Promise<CertificateFiles> {
    const files = await readFiles(options);
    return new CertificateFiles(options, files);
  }

  /** What a TLS server is made with. */
  get settings(): TlsOptions {
    const requestCert = this.#options.clientCaFile !== undefined;
    return { ...this.#context, requestCert, rejectUnauthorized: requestCert };
  }

  /** Calls `apply` with each new certificate that is good; one that is not is told of, and the one before stays. */
  watch(apply: (context: SecureContextOptions) => void): void {
    const { reloadIntervalMillis = 10_000 } = this.#options;
    this.#timer = setInterval(() => void this.#reload(apply), reloadIntervalMillis).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #reload(apply: (context: SecureContextOptions) => void): Promise<void> {
    let problem: string | undefined;
    try {
      const files = await readFiles(this.#options);
      if (files.digest === this.#seen || this.#isClosed) return;
      this.#seen = files.digest;
      this.#context = contextOf(files);
      apply(this.#context);
      this.#problem = undefined;
      tell.info(`spanplan: the certificate in ${this.#options.certFile} was read again`);
    } catch (error) {
      problem = error instanceof Error ? error.message : 'unknown error';
    }
    if (problem === undefined || problem === this.#problem || this.#isClosed) return;
    this.#problem = problem;
    tell.warn(`spanplan: ${problem}; the certificate read before stays in use`);
  }
}

interface Files {
  readonly options: ReceiverTls;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer | undefined;
  readonly digest: string;
}

async function readFiles(options: ReceiverTls): Promise<Files> {
  const { certFile, keyFile, clientCaFile } = options;
  const cert = await readPem(certFile);
  const key = await readPem(keyFile);
  const ca = clientCaFile === undefined ? undefined : await readPem(clientCaFile);
  const hash = createHash('sha256');
  for (const bytes of [cert, key, ca]) hash.update(String(bytes?.length)).update(bytes ?? '');
  return { options, cert, key, ca, digest: hash.digest('hex') };
}

async function readPem(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`the file ${path} cannot be read (${codeOf(error)})`, { cause: error });
  }
}

/** OpenSSL accepts an authority that is no certificate in silence, and a key that does not match with a riddle. */
function contextOf({ options, cert, key, ca }: Files): SecureContextOptions {
  const context = { cert, key, minVersion: 'TLSv1.2', ...(ca && { ca }) } as const;
  if (ca && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Error(`the file ${options.clientCaFile} holds no certificate in PEM`);
  }
  try {
    createSecureContext(context);
  } catch (error) {
    const { certFile, keyFile } = options;
    throw new Error(
      `the certificate in ${certFile} and the key in ${keyFile} cannot be used together (${codeOf(error)}): ` +
        'expected a certificate and its private key, both in PEM',
      { cause: error },
    );
  }
  return context;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
