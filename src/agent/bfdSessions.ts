/**
 * BFD sessions between the configuration and the vrrp thread: their keys are read here, and what
 * the thread reports of them goes to the trackers.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { BfdSessionReport, BfdSessionSpec } from '../bfd/protocol.js';
import type { BfdSessionConfig } from '../config/model.js';
import { TandemError } from '../errors.js';
import type { SessionState } from '../health/protocol.js';
import { bfdKeyLengthMax } from '../wire/bfdAuthentication.js';

/** Permissions that nobody but the owner of a key file may have. */
const othersMask = 0o077;

/**
 * The sessions with their keys. Throws `KEY_UNUSABLE` when a key file cannot be read, when others
 * than its owner could read it, or when it does not hold 1 to 20 bytes.
 */
export function bfdSessions(sessions: readonly BfdSessionConfig[]): readonly BfdSessionSpec[] {
  return sessions.map(({ authentication, ...session }) => {
    if (authentication === undefined) return session;
    const { key: source, ...rest } = authentication;
    const key =
      source.kind === 'hex'
        ? Uint8Array.from(Buffer.from(source.hex, 'hex'))
        : readKey(source.path, session.name);
    return { ...session, authentication: { ...rest, key } };
  });
}

/** For trackers: whether a session is up, and in words what it is. */
export function sessionVerdict(report: BfdSessionReport): {
  readonly up: boolean;
  readonly detail: string;
} {
  const { state, diagnostic, peer } = report;
  const why = diagnostic === 'none' ? '' : `: ${diagnostic}`;
  return { up: state === 'up', detail: `the session with ${peer} is ${state}${why}` };
}

/** A session that was never up says nothing of its peer for so long after its start. */
export const sessionStartMs = 5_000;

/**
 * For checks: a session says nothing while it is held down by an administrator, here or there, and
 * right after its start, since it takes a few seconds to come up.
 */
export function sessionState(report: BfdSessionReport, nowUnixMs: number): SessionState {
  const { name, peer, state, sinceUnixMs, transitions, remote } = report;
  const { up, detail } = sessionVerdict(report);
  const isHeld = state === 'admin-down' || remote.state === 'admin-down';
  const wasUp = transitions.some(({ from, to }) => from === 'up' || to === 'up');
  const isStarting = !wasUp && nowUnixMs - sinceUnixMs < sessionStartMs;
  return { name, peer, detail, up: !up && (isHeld || isStarting) ? undefined : up };
}

/** Never says what is in the file. */
function readKey(path: string, session: string): Uint8Array {
  const bytes = new Uint8Array(bfdKeyLengthMax + 1);
  let length: number;
  try {
    const file = openSync(path, 'r');
    try {
      if ((fstatSync(file).mode & othersMask) !== 0) {
        throw unusable(path, session, 'others than its owner can read or write it', {
          hint: `Correct it with \`chmod 600 ${path}\`.`,
        });
      }
      length = readSync(file, bytes, 0, bytes.length, 0);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (cause instanceof TandemError) throw cause;
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw unusable(path, session, `cannot be read: ${code}`, { cause });
  }
  if (length > 0 && length <= bfdKeyLengthMax) return bytes.slice(0, length);
  const what = length === 0 ? 'is empty' : `has more than ${bfdKeyLengthMax} bytes`;
  throw unusable(path, session, what, {
    hint: 'A key has 1 to 20 bytes, and a newline at the end is one: printf %s KEY > FILE.',
  });
}

function unusable(
  path: string,
  session: string,
  what: string,
  options: { readonly hint?: string; readonly cause?: unknown },
): TandemError {
  const message = `the key of BFD session ${session}, ${path}: ${what}`;
  return new TandemError('KEY_UNUSABLE', message, options);
}
