/** Speaks with a running agent over its unix socket. */
import { request } from 'node:http';
import { type ErrorCode, errorTable, TandemError } from '../errors.js';
import type { ApiErrorBody, ReloadResult } from './server.js';
import type { StatusDocument } from './statusModel.js';

/** How long the agent may take to answer, in milliseconds. */
const answerTimeoutMs = 15_000;

/** Largest answer that is read, in bytes: the status of tens of thousands of servers. */
const answerBytesMax = 256 * 1024 * 1024;

/** The agent's present status. Throws `AGENT_NOT_RUNNING` when none answers. */
export async function fetchStatus(socketPath: string): Promise<StatusDocument> {
  return (await callAgent(socketPath, 'GET', '/v1/status')) as StatusDocument;
}

/** Lets the agent load its configuration again. Throws what refused it. */
export async function requestReload(socketPath: string): Promise<ReloadResult> {
  return (await callAgent(socketPath, 'POST', '/v1/reload')) as ReloadResult;
}

async function callAgent(socketPath: string, method: string, path: string): Promise<unknown> {
  const { status, body } = await exchange(socketPath, method, path);
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

function exchange(
  socketPath: string,
  method: string,
  path: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(
        new TandemError('AGENT_NOT_RUNNING', `${socketPath}: ${cause.message}`, {
          cause,
          ...(isDenied(cause) ? { hint: 'The socket belongs to root; run as root.' } : {}),
        }),
      );
    };
    const call = request({ socketPath, method, path, agent: false }, (response) => {
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
    call.setTimeout(answerTimeoutMs, () => {
      call.destroy(new Error(`no answer within ${answerTimeoutMs / 1000} s`));
    });
    call.on('error', fail);
    call.end();
  });
}

function isDenied(error: Error): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'EACCES' || code === 'EPERM';
}
