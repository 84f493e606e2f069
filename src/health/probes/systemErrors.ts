/** What a failed system call of a probe says: of the server, or of this side. */
import { TandemError } from '../../errors.js';
import type { ProbeFailure, ProbeInconclusive } from '../reasons.js';
import { failed, inconclusive, type ProbeOutcome } from './probe.js';

/**
 * Errors that speak of the server or of the way to it. The ICMP errors among them are translated by
 * the kernel (net/ipv4/icmp.c): host, protocol and administrative ones all become one of these.
 */
const failures: ReadonlyMap<string, ProbeFailure> = new Map([
  ['ECONNREFUSED', 'connection-refused'],
  ['ECONNRESET', 'connection-reset'],
  ['ECONNABORTED', 'connection-reset'],
  ['EPIPE', 'connection-reset'],
  ['EHOSTUNREACH', 'host-unreachable'],
  ['EHOSTDOWN', 'host-unreachable'],
  ['ENONET', 'host-unreachable'],
  ['ENOPROTOOPT', 'host-unreachable'],
  ['ENETUNREACH', 'network-unreachable'],
  ['ETIMEDOUT', 'timeout'],
]);

/** Errors that speak of this side: they must never take a server down. */
const localFaults: ReadonlyMap<string, ProbeInconclusive> = new Map([
  // connect(2) gives EADDRNOTAVAIL and EAGAIN when no local port is free.
  ['EADDRNOTAVAIL', 'local-resources'],
  ['EAGAIN', 'local-resources'],
  ['EMFILE', 'local-resources'],
  ['ENFILE', 'local-resources'],
  ['ENOBUFS', 'local-resources'],
  ['ENOMEM', 'local-resources'],
  ['ENETDOWN', 'local-address'],
  ['ENODEV', 'local-address'],
  // A rule of this machine's own firewall drops what the probe sends.
  ['EPERM', 'local-permission'],
  ['EACCES', 'local-permission'],
]);

/** An error as Node gives it; all of these may be absent. */
export interface NodeError extends Error {
  readonly code?: string;
  readonly syscall?: string;
}

/** The outcome of a probe that a system call ended. An errno that is not known says nothing. */
export function outcomeOfSystemError(error: NodeError): ProbeOutcome {
  const code = error.code ?? error.name;
  const detail = error.syscall === undefined ? error.message : `${error.syscall}: ${code}`;
  const failure = failures.get(code);
  if (failure !== undefined) return failed(failure, detail);
  // A source address that is gone fails in bind(2), not in connect(2).
  if (code === 'EADDRNOTAVAIL' && error.syscall === 'bind') {
    return inconclusive('local-address', detail);
  }
  return inconclusive(localFaults.get(code) ?? 'internal-error', detail);
}

/** The outcome of a probe that could not even begin: what the kernel layer threw, or Node. */
export function outcomeOfThrown(error: unknown): ProbeOutcome {
  if (error instanceof TandemError) {
    const reason = localFaults.get(error.errnoName ?? '') ?? 'internal-error';
    return inconclusive(
      error.errnoName === 'EADDRNOTAVAIL' ? 'local-address' : reason,
      error.message,
    );
  }
  return error instanceof Error
    ? outcomeOfSystemError(error)
    : inconclusive('internal-error', String(error));
}
