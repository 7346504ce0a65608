import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { type PemContents, PemFiles } from '../../support/pem-files.ts';

/** Where a server's certificate is, in PEM. */
export interface ReceiverTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** With it, senders must show a certificate that one of these authorities signed. */
  readonly clientCaFile?: string;
  /** Whose certificate it is, in what is told of it. */
  readonly usedBy?: string;
  /** How often the files are looked at for changes. Default 10,000. */
  readonly reloadIntervalMillis?: number;
}

/** A server's certificate, read again when its files change. */
export class CertificateFiles {
  readonly #options: ReceiverTls;
  readonly #files: PemFiles;

  private constructor(options: ReceiverTls, files: PemFiles) {
    this.#options = options;
    this.#files = files;
  }

  /** @throws Error that says which file is wrong, or that they do not match. */
  static async load(options: ReceiverTls): Promise<CertificateFiles> {
    const { certFile, keyFile, clientCaFile: caFile, usedBy } = options;
    return new CertificateFiles(options, await PemFiles.load({ certFile, keyFile, caFile, usedBy }));
  }

  /** What a TLS server is made with. */
  get settings(): TlsOptions {
    const requestCert = this.#options.clientCaFile !== undefined;
    return { ...contextOf(this.#files.contents), requestCert, rejectUnauthorized: requestCert };
  }

  /** Calls `apply` with each new certificate that is good; one that is not is told of, and the one before stays. */
  watch(apply: (context: SecureContextOptions) => void): void {
    const { reloadIntervalMillis = 10_000 } = this.#options;
    this.#files.watch(reloadIntervalMillis, (contents) => apply(contextOf(contents)));
  }

  close(): void {
    this.#files.close();
  }
}

function contextOf(contents: PemContents): SecureContextOptions {
  return { ...contents, minVersion: 'TLSv1.2' };
}
