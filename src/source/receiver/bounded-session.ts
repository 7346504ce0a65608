import type { ServerHttp2Session } from 'node:http2';

export interface SessionBounds {
  /** Until the sender has said hello. */
  readonly prefaceMillis: number;
  /** Without a stream. */
  readonly idleMillis: number;
}

const GRACE_MILLIS = 1_000;

/**
 * Ends a session that does not begin, or has had no stream for long. Counted in streams and not in bytes, as a sender
 * that drips a header, or pings, would otherwise stay for ever; and Node itself keeps a session that broke the protocol
 * open without a word.
 */
export function boundSession(
  session: ServerHttp2Session,
  { prefaceMillis, idleMillis }: SessionBounds,
): void {
  let streams = 0;
  const preface = setTimeout(() => session.destroy(), prefaceMillis);
  const idle = setTimeout(() => {
    if (streams === 0) endSession(session, GRACE_MILLIS);
  }, idleMillis);
  session.once('remoteSettings', () => clearTimeout(preface));
  session.on('stream', (stream) => {
    streams++;
    idle.refresh();
    stream.once('close', () => {
      streams--;
      idle.refresh();
    });
  });
  session.once('close', () => {
    clearTimeout(preface);
    clearTimeout(idle);
  });
}

/** Tells the sender to open no more streams, lets those that are open finish, and then hangs up. */
function endSession(session: ServerHttp2Session, graceMillis: number): void {
  if (session.destroyed) return;
  const timer = setTimeout(() => session.destroy(), graceMillis);
  session.once('close', () => clearTimeout(timer));
  session.close();
}
