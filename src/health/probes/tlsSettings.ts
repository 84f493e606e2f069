/** TLS as a check wants it: what Node is told, and what the certificate of the server must be. */
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { TlsSettings } from '../probeSpec.js';
import type { ProbeFailure } from '../reasons.js';
import { failed, type ProbeOutcome, type ProbeTarget } from './probe.js';
import { type NodeError, outcomeOfSystemError } from './systemErrors.js';

const dayMs = 86_400_000;

/** Parsing certificates costs milliseconds, and all servers of a check have the same settings. */
const contexts = new WeakMap<TlsSettings, SecureContext>();

/** The context of these settings. Throws what OpenSSL says of a certificate or key that is none. */
export function secureContext(tls: TlsSettings): SecureContext {
  const known = contexts.get(tls);
  if (known !== undefined) return known;
  const { ca, certificate, key } = tls;
  const context = createSecureContext({
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
  });
  contexts.set(tls, context);
  return context;
}

/** Verification is left to {@link judgeCertificate}, which can say what is wrong. */
export function tlsOptions(tls: TlsSettings, target: ProbeTarget): ConnectionOptions {
  const { serverName } = tls;
  // An address is no name for SNI (RFC 6066, 3); the certificate is compared with it all the same.
  const isName = serverName !== undefined && isIP(serverName) === 0;
  return {
    secureContext: secureContext(tls),
    host: serverName ?? target.address,
    rejectUnauthorized: false,
    ...(isName ? { servername: serverName } : {}),
  };
}

const expiryCodes: readonly string[] = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];

/** What is wrong with the certificate of an established session; `undefined`: nothing. */
export function judgeCertificate(
  socket: TLSSocket,
  tls: TlsSettings,
  nowUnixMs: number,
): ProbeOutcome | undefined {
  const certificate = socket.getPeerCertificate();
  if (tls.verify && !socket.authorized) {
    // Node gives the code of the error as a text, or the error itself.
    const error: unknown = socket.authorizationError;
    const code = error instanceof Error ? ((error as NodeError).code ?? '') : String(error);
    const dates = `valid from ${certificate.valid_from} to ${certificate.valid_to}`;
    if (expiryCodes.includes(code)) return failed('certificate-expired', dates);
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
      const names = certificate.subjectaltname ?? 'no names';
      return failed('certificate-name', `the certificate is for ${names}`);
    }
    return failed('certificate-untrusted', `${code}: ${issuerOf(certificate.issuer)}`);
  }
  const days = (Date.parse(certificate.valid_to) - nowUnixMs) / dayMs;
  if (tls.minDaysValid !== undefined && !(days >= tls.minDaysValid)) {
    const rest = `valid to ${certificate.valid_to}, ${Math.floor(days)} days`;
    return failed('certificate-expires-soon', rest);
  }
  return undefined;
}

/** How long the certificate of an established session is valid, for a detail. */
export function validityText(socket: TLSSocket, nowUnixMs: number): string {
  const days = (Date.parse(socket.getPeerCertificate().valid_to) - nowUnixMs) / dayMs;
  return `${socket.getProtocol()}, certificate valid for ${Math.floor(days)} days`;
}

function issuerOf(issuer: { readonly CN?: unknown } | undefined): string {
  return `issued by ${String(issuer?.CN ?? 'nobody named')}`;
}

/** An error of OpenSSL, of Node's TLS or of a system call. */
export function outcomeOfTlsError(error: NodeError, established: boolean): ProbeOutcome {
  const { code } = error;
  if (code?.startsWith('ERR_SSL_') || code === 'EPROTO') {
    // In TLS 1.3 a server judges the client's certificate when the client has finished already.
    const isInSession = established && !code.includes('_ALERT_');
    const reason: ProbeFailure = isInSession ? 'malformed-response' : 'tls-handshake';
    return failed(reason, opensslText(error.message));
  }
  // Node has no errno when the server closed politely in the handshake.
  if (code === 'ECONNRESET' && error.syscall === undefined)
    return failed('truncated', error.message);
  return outcomeOfSystemError(error);
}

/** `...:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../file.c:355:` */
function opensslText(message: string): string {
  const [, , , , text] = message.slice(message.indexOf('error:')).split(':');
  return text === undefined || text === '' ? message : `TLS: ${text}`;
}
