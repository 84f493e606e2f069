/** From a `check` without errors to what its probes do. */
import type {
  ExchangeStep,
  FileReference,
  HttpExchange,
  ProbeConfig,
  ProbeOrigin,
  TlsSettings,
} from '../health/probeSpec.js';
import type { CheckComplete } from './resolveCheck.js';

type CheckOf<Type extends CheckComplete['type']> = Extract<CheckComplete, { readonly type: Type }>;
type HttpCheck = CheckOf<'http'> | CheckOf<'https'>;

/** What the probes of a check ask, and what must come back. */
export function resolveProbe(check: CheckComplete): ProbeConfig {
  const origin = 'source' in check ? resolveOrigin(check) : {};
  switch (check.type) {
    case 'tcp':
      return { type: 'tcp', ...resolveSteps(check), ...origin };
    case 'tls':
      return { type: 'tls', tls: resolveTls(check.tls), ...resolveSteps(check), ...origin };
    case 'http':
    case 'https':
      return { ...resolveHttp(check), ...origin };
    case 'udp': {
      const { expect } = resolveStep(check);
      const { send: payloadBase64, silencePasses } = check;
      return { type: 'udp', payloadBase64, silencePasses, ...given({ expect }), ...origin };
    }
    case 'dns': {
      const { type, name, recordType, transport, recursion, responseCode, answers } = check;
      const asked = { type, name, recordType, transport, recursion, responseCode, answers };
      return { ...asked, answersMin: check.minAnswers, ...origin };
    }
    case 'icmp':
      return { type: 'icmp', payloadBytes: check.payloadBytes, ...origin };
    case 'smtp':
    case 'imap':
    case 'pop3':
    case 'ftp':
      return { ...resolveMail(check), ...origin };
    default:
      return { ...resolveOther(check), ...origin };
  }
}

function resolveOther(
  check: CheckOf<'redis' | 'mysql' | 'postgres' | 'grpc' | 'script' | 'file' | 'agent' | 'bfd'>,
): ProbeConfig {
  switch (check.type) {
    case 'redis': {
      const { type, user, password, role } = check;
      return { type, ...given({ user, password, role }), ...optionalTls(check.tls) };
    }
    case 'mysql': {
      const { type, user, password } = check;
      return { type, ...given({ user, password }), ...optionalTls(check.tls) };
    }
    case 'postgres': {
      const { type, user, database } = check;
      return { type, user, database, ...optionalTls(check.tls) };
    }
    case 'grpc': {
      const { type, service = '', authority } = check;
      return { type, service, ...given({ authority }), ...optionalTls(check.tls) };
    }
    case 'script': {
      const { type, command, user, exitCodeIsWeight } = check;
      return { type, command, exitCodeIsWeight, ...given({ user }) };
    }
    case 'file':
      return { type: 'file', path: check.path, meaning: check.meaning };
    case 'agent': {
      const { type, send: sendBase64, whenSilent } = check;
      return { type, whenSilent, ...given({ sendBase64 }) };
    }
    case 'bfd':
      return { type: 'bfd', ...given({ session: check.session }) };
  }
}

function resolveMail(check: CheckOf<'smtp' | 'imap' | 'pop3' | 'ftp'>): ProbeConfig {
  const { type, encryption } = check;
  const helloName = check.type === 'smtp' ? check.helloName : undefined;
  const tls = encryption === 'none' ? {} : { tls: resolveTls(check.tls) };
  return { type, encryption, ...given({ helloName }), ...tls };
}

function resolveHttp(check: HttpCheck): ProbeConfig {
  const { version, headers, basicAuth, redirects, requests } = check;
  return {
    type: 'http',
    ...resolveExchange(check),
    ...(version === '2' ? { version } : {}),
    ...(check.type === 'https' ? { tls: resolveTls(check.tls, check.host) } : {}),
    ...(headers === undefined ? {} : { headers: Object.fromEntries(headers) }),
    ...given({ basicAuth }),
    ...(redirects === 0 ? {} : { redirectsMax: redirects }),
    ...(requests === undefined ? {} : { further: requests.map(resolveExchange) }),
  };
}

function resolveExchange(
  request: Pick<HttpCheck, 'method' | 'path' | 'host' | 'body' | 'expect'>,
): HttpExchange {
  const { method, path, host, body, expect } = request;
  const { status, bodyContains, bodyMatches, bodyDigest } = expect;
  const bodyJson = expect.bodyJson?.map(({ path: where, equals }) => ({
    path: where,
    ...given({ equals }),
  }));
  return {
    method,
    path,
    expectStatus: status,
    ...given({ host, body, bodyContains, bodyMatches, bodyDigest, bodyJson }),
  };
}

/** @param host the Host header, whose name the certificate is for unless another one is given */
function resolveTls(
  tls: CheckOf<'tls'>['tls'],
  host: string | undefined = undefined,
): TlsSettings<FileReference> {
  const { verify = true, ca, certificate, key, minDaysValid } = tls ?? {};
  const serverName = tls?.serverName ?? host?.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return { verify, ...given({ serverName, ca, certificate, key, minDaysValid }) };
}

function optionalTls(tls: CheckOf<'tls'>['tls']) {
  return tls === undefined ? {} : { tls: resolveTls(tls) };
}

type StepKeys = Pick<CheckOf<'tcp'>, 'send' | 'expect' | 'expectMatches'>;

function resolveSteps(check: CheckOf<'tcp'> | CheckOf<'tls'>): {
  readonly steps?: readonly ExchangeStep[];
} {
  const steps = [check, ...(check.steps ?? [])].map(resolveStep);
  const told = steps.filter((step) => Object.keys(step).length > 0);
  return told.length === 0 ? {} : { steps: told };
}

function resolveStep({ send: sendBase64, expect, expectMatches: matches }: StepKeys): ExchangeStep {
  const expected = { ...given({ containsBase64: expect, matches }) };
  const demands = Object.keys(expected).length > 0;
  return { ...given({ sendBase64 }), ...(demands ? { expect: expected } : {}) };
}

function resolveOrigin({ source, mark }: Pick<CheckOf<'tcp'>, 'source' | 'mark'>): {
  readonly origin?: ProbeOrigin;
} {
  const origin = given({ source, mark });
  return Object.keys(origin).length === 0 ? {} : { origin };
}

/** Without the keys that are not there. */
function given<Values extends object>(
  values: Values,
): { readonly [Name in keyof Values]?: Exclude<Values[Name], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as {
    readonly [Name in keyof Values]?: Exclude<Values[Name], undefined>;
  };
}
