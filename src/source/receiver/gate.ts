import { createHash, timingSafeEqual } from 'node:crypto';
import { Refusal } from './refusal.ts';

/** A credential that lets a sender in. */
export interface ReceiverToken {
  readonly token: string;
  /** Whose data its bearer sends; absent where there is one tenant only. */
  readonly tenant?: string;
}

/** Lets in who bears one of the tokens; without tokens, everyone. */
export class Gate {
  readonly #known: readonly { readonly digest: Buffer; readonly tenant: string | undefined }[];

  /** @throws RangeError for a token nobody could send. */
  constructor(tokens: readonly ReceiverToken[] = []) {
    this.#known = tokens.map(({ token, tenant }, index) => {
      if (!/^[\x21-\x7e]+$/.test(token)) {
        throw new RangeError(`auth.tokens[${index}].token must be visible ASCII characters without blanks`);
      }
      return { digest: digestOf(token), tenant };
    });
  }

  get isOpen(): boolean {
    return this.#known.length === 0;
  }

  /**
   * The tenant of the sender with this Authorization header; undefined where tokens have none.
   * @throws Refusal
   */
  tenantOf(authorization: string | undefined): string | undefined {
    if (this.isOpen) return undefined;
    const [, token] = /^bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
    const shown = digestOf(token ?? '');
    let found: { readonly tenant: string | undefined } | undefined;
    // All are compared, each in the same time, so that neither shows how close a guess was.
    for (const known of this.#known) if (timingSafeEqual(known.digest, shown)) found = known;
    if (found === undefined) throw Refusal.unauthenticated();
    return found.tenant;
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
