/** Speaks with a running agent over its unix socket. */
import { type ErrorCode, errorTable, TandemError } from '../errors.js';
import type { FailoverRequest, FailoverResult } from './failoverModel.js';
import type {
  OverrideRequest,
  OverrideResult,
  ServersRequest,
  ServersResult,
} from './overrideModel.js';
import type { PlanDocument, PlanRequest } from './planModel.js';
import type { ApiErrorBody, ReloadResult, ResyncResult } from './server.js';
import type { StatusDocument } from './statusModel.js';

/** How long the agent may take to answer, in milliseconds. */
const answerTimeoutMs = 15_000;

/** How long an action may take that waits for the election, in milliseconds. */
const actionTimeoutMs = 200_000;

/** Largest answer that is read, in bytes: the status of tens of thousands of servers. */
const answerBytesMax = 256 * 1024 * 1024;

/** The agent's present status. Throws `AGENT_NOT_RUNNING` when none answers in time. */
export async function fetchStatus(
  socketPath: string,
  timeoutMs: number = answerTimeoutMs,
): Promise<StatusDocument> {
  const path = '/v1/status';
  return (await callAgent(socketPath, 'GET', path, undefined, timeoutMs)) as StatusDocument;
}

/** Lets the agent load its configuration again. Throws what refused it. */
export async function requestReload(socketPath: string, force = false): Promise<ReloadResult> {
  return (await callAgent(socketPath, 'POST', '/v1/reload', { force })) as ReloadResult;
}

/** Sets something for servers, or takes it back. Throws what the agent refused. */
export async function requestOverride(
  socketPath: string,
  request: OverrideRequest,
): Promise<OverrideResult> {
  return (await callAgent(socketPath, 'POST', '/v1/overrides', request)) as OverrideResult;
}

/** The servers that a text means, as they are now. */
export async function fetchServers(
  socketPath: string,
  request: ServersRequest,
): Promise<ServersResult> {
  return (await callAgent(socketPath, 'POST', '/v1/servers', request)) as ServersResult;
}

/** What loading a file would do to what runs. Throws what is wrong with the file. */
export async function requestPlan(socketPath: string, request: PlanRequest): Promise<PlanDocument> {
  return (await callAgent(socketPath, 'POST', '/v1/plan', request)) as PlanDocument;
}

/** Lets the agent step down. Throws what it refused, for example when nobody takes over. */
export async function requestFailover(
  socketPath: string,
  request: FailoverRequest,
): Promise<FailoverResult> {
  return (await callAgent(socketPath, 'POST', '/v1/failover', request)) as FailoverResult;
}

/** Lets both directors send all their connections. Throws `AGENT_REFUSED` without a peer. */
export async function requestResync(socketPath: string): Promise<ResyncResult> {
  return (await callAgent(socketPath, 'POST', '/v1/sync/resync', {})) as ResyncResult;
}

async function callAgent(
  socketPath: string,
  method: string,
  path: string,
  content?: unknown,
  timeoutMs?: number,
): Promise<unknown> {
  const { status, body } = await exchange(socketPath, method, path, content, timeoutMs);
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch (cause) {
    throw new TandemError('AGENT_REFUSED', `${socketPath}: the answer is not JSON`, { cause });
  }
  if (status === 200) return answer;
  const error = (answer as Partial<ApiErrorBody>).error;
  const code = error !== undefined && error.code in errorTable ? error.code : 'AGENT_REFUSED';
  throw new TandemError(
    code as ErrorCode,
    error?.message ?? `status ${status}`,
    error === undefined ? {} : { hint: error.hint },
  );
}

async function exchange(
  socketPath: string,
  method: string,
  path: string,
  content: unknown,
  // Stepping down takes a few advertisement intervals, of which one can be forty seconds.
  timeoutMs: number = content === undefined ? answerTimeoutMs : actionTimeoutMs,
): Promise<{ readonly status: number; readonly body: string }> {
  const isEmpty = content === undefined;
  // Most commands find no agent, and HTTP is a tenth of a command's time.
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(
        new TandemError('AGENT_NOT_RUNNING', `${socketPath}: ${cause.message}`, {
          cause,
          ...(isDenied(cause) ? { hint: 'The socket belongs to root; run as root.' } : {}),
        }),
      );
    };
    const headers = isEmpty ? {} : { 'content-type': 'application/json' };
    const call = request({ socketPath, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > answerBytesMax) call.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
        });
      });
    });
    call.setTimeout(timeoutMs, () => {
      call.destroy(new Error(`no answer within ${timeoutMs / 1000} s`));
    });
    call.on('error', fail);
    call.end(isEmpty ? undefined : JSON.stringify(content));
  });
}

function isDenied(error: Error): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'EACCES' || code === 'EPERM';
}
