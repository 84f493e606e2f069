/**
 * The HTTP probe: requests on connections of their own, judged by the status of each answer and,
 * where the check says so, by its body.
 *
 * There is one deadline for all of it. A timeout per read would let a server that drips one byte a
 * second pass for healthy for ever.
 */
import { formatEndpoint } from '../../wire/ipAddress.js';
import type { HttpExchange, HttpProbeSpec } from '../probeSpec.js';
import { expectsBody, judgeBody } from './bodyExpectation.js';
import { askHttp1InClear } from './http1Exchange.js';
import { askHttp1 } from './http1Request.js';
import { askHttp2 } from './http2Request.js';
import type { AskHttp, HttpAnswer, HttpRequest } from './httpModel.js';
import { failed, type Probe, type ProbeOutcome, type ProbeTarget, passed } from './probe.js';

const redirectStatus: readonly number[] = [301, 302, 303, 307, 308];

/** Sends every request of the check, one after the other. */
export const probeHttp: Probe<HttpProbeSpec> = async (target, spec, signal) => {
  let outcome: ProbeOutcome | undefined;
  for (const part of requestsOf(target, spec)) {
    const { exchange } = part;
    outcome = await probeExchange(target, spec, part, signal);
    if (outcome.result !== 'passed') {
      const detail =
        spec.further === undefined ? outcome.detail : `${exchange.path}: ${outcome.detail}`;
      return { ...outcome, detail };
    }
  }
  return outcome ?? passed('nothing was asked');
};

/** One of the requests of a check. */
interface RequestPart {
  readonly exchange: HttpExchange;
  /** What is sent, until a redirect is followed. */
  readonly first: HttpRequest;
}

/** The requests of each check, made once: a target object is one check while it is configured. */
const requestsKnown = new WeakMap<ProbeTarget, WeakMap<HttpProbeSpec, readonly RequestPart[]>>();

function requestsOf(target: ProbeTarget, spec: HttpProbeSpec): readonly RequestPart[] {
  const ofTarget = requestsKnown.get(target) ?? new WeakMap();
  requestsKnown.set(target, ofTarget);
  const known = ofTarget.get(spec);
  if (known !== undefined) return known;
  const parts = [spec, ...(spec.further ?? [])].map((exchange) => ({
    exchange,
    first: firstRequest(target, spec, exchange),
  }));
  ofTarget.set(spec, parts);
  return parts;
}

function askerOf({ version, tls }: HttpProbeSpec): AskHttp {
  if (version === '2') return askHttp2;
  return tls === undefined ? askHttp1InClear : askHttp1;
}

async function probeExchange(
  target: ProbeTarget,
  spec: HttpProbeSpec,
  { exchange, first }: RequestPart,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const ask = askerOf(spec);
  let request = first;
  for (let followed = 0; ; followed += 1) {
    const wanted = (status: number): 'no' | 'header' | 'body' => {
      if (!exchange.expectStatus.some(({ from, to }) => from <= status && status <= to))
        return 'no';
      return expectsBody(exchange) ? 'body' : 'header';
    };
    const answer = await ask(target, { spec, request, wanted }, signal);
    if ('result' in answer) return answer;
    if (wanted(answer.status) !== 'no') {
      return judgeBody(exchange, answer.body) ?? passed(answer.statusLine);
    }
    const next = followed < (spec.redirectsMax ?? 0) ? redirected(request, answer) : undefined;
    if (next === undefined) return failed('unexpected-status', statusDetail(answer));
    request = next;
  }
}

function statusDetail({ statusLine, location }: HttpAnswer): string {
  return location === undefined ? statusLine : `${statusLine} to ${location}`;
}

function firstRequest(
  target: ProbeTarget,
  spec: HttpProbeSpec,
  exchange: HttpExchange,
): HttpRequest {
  const { method, path, host, body } = exchange;
  const { basicAuth } = spec;
  const credentials = basicAuth && Buffer.from(`${basicAuth.user}:${basicAuth.password}`);
  return {
    scheme: spec.tls === undefined ? 'http' : 'https',
    host: host ?? formatEndpoint(target.address, target.port),
    method,
    path,
    headers: {
      'user-agent': 'tandem-health-check',
      accept: '*/*',
      ...(credentials && { authorization: `Basic ${credentials.toString('base64')}` }),
      ...spec.headers,
    },
    ...(body === undefined ? {} : { body }),
  };
}

/**
 * Where a redirect leads: to another path or host name, always of the same server, which is the one
 * that is checked. `undefined`: it leads to another protocol, or is none.
 */
function redirected(request: HttpRequest, answer: HttpAnswer): HttpRequest | undefined {
  if (answer.location === undefined || !redirectStatus.includes(answer.status)) return undefined;
  const base = `${request.scheme}://${request.host}${request.path}`;
  if (!URL.canParse(answer.location, base)) return undefined;
  const url = new URL(answer.location, base);
  if (url.protocol !== `${request.scheme}:`) return undefined;
  const { body, ...rest } = request;
  const keeps = answer.status >= 307;
  return {
    ...rest,
    host: url.host,
    path: `${url.pathname}${url.search}`,
    // Like every client, which asks for the new place with GET (RFC 9110, 15.4).
    method: keeps || request.method === 'HEAD' ? request.method : 'GET',
    ...(keeps && body !== undefined ? { body } : {}),
  };
}
