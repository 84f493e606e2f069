/** Reads what checks have in files: passwords, keys and certificates. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { CheckConfig, ServiceConfig } from '../config/model.js';
import { checksOf } from '../config/serviceChecks.js';
import { TandemError } from '../errors.js';
import type { FileReference, ProbeSpec } from '../health/probeSpec.js';
import { secureContext } from '../health/probes/tlsSettings.js';
import type { ProbeOf } from './checkSpecs.js';

/** A bundle of all well-known authorities has a quarter of this. */
const fileBytesMax = 1_048_576;

/** Permissions that nobody but the owner of a secret may have. */
const othersMask = 0o077;

/**
 * Reads the files of all checks, once: what is made of the result stays the same until the next
 * reload. Throws `CHECK_FILE_UNUSABLE`.
 */
export function readProbes(services: readonly ServiceConfig[]): ProbeOf {
  const probes = new Map(
    services.flatMap((service) =>
      checksOf(service).map((check) => [check, probeWithFiles(check, service.name)] as const),
    ),
  );
  return (check) => {
    const probe = probes.get(check);
    if (probe === undefined)
      throw new TandemError('INTERNAL', 'the files of a check were not read');
    return probe;
  };
}

/**
 * What the probes of a check are told. Throws `CHECK_FILE_UNUSABLE` when a file cannot be read, a
 * secret is open to others, or a certificate or key is none. `service` is for the message.
 */
export function probeWithFiles({ probe }: Pick<CheckConfig, 'probe'>, service: string): ProbeSpec {
  const read = (reference: FileReference): string => {
    const text = readText(reference, service);
    // A password ends where its line does; a newline at the end of a PEM text is no matter.
    return reference.secret ? text.replace(/\r?\n$/, '') : text;
  };
  const spec = withTexts(probe, read) as ProbeSpec;
  if ('tls' in spec && spec.tls !== undefined) {
    try {
      secureContext(spec.tls);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw unusable(service, `certificates or key: ${reason}`, cause);
    }
  }
  return spec;
}

/** The same value with the text of every file in place of its name. */
function withTexts(value: unknown, read: (reference: FileReference) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => withTexts(item, read));
  if (typeof value !== 'object' || value === null) return value;
  if (isReference(value)) return read(value);
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([name, item]) => [name, withTexts(item, read)]));
}

function isReference(value: object): value is FileReference {
  return 'kind' in value && value.kind === 'file' && 'secret' in value;
}

/** Never says what is in the file. */
function readText({ path, secret }: FileReference, service: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      if (secret && (fstatSync(file).mode & othersMask) !== 0) {
        throw unusable(service, `${path} is open to others: chmod 600 ${path}`);
      }
      const bytes = Buffer.alloc(fileBytesMax + 1);
      const length = readSync(file, bytes, 0, bytes.length, 0);
      if (length === 0) throw unusable(service, `${path} is empty`);
      if (length > fileBytesMax) throw unusable(service, `${path} has over ${fileBytesMax} bytes`);
      return bytes.toString('utf8', 0, length);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (cause instanceof TandemError) throw cause;
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw unusable(service, `${path} cannot be read: ${code}`, cause);
  }
}

function unusable(service: string, what: string, cause?: unknown): TandemError {
  const message = `the check of service ${service}: ${what}`;
  return new TandemError('CHECK_FILE_UNUSABLE', message, { cause });
}
