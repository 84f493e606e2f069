/** What `POST /v1/overrides` and `POST /v1/servers` take and answer. */

import { TandemError } from '../errors.js';
import { reasonLengthMax, userLengthMax, weightMax } from '../wire/overrideModel.js';
import { isPlainText } from '../wire/peerMessageShape.js';
import type { ServerStatus } from './statusModel.js';

/** What an operator does to a server; the second of each pair takes the first back. */
export const overrideActions = [
  'drain',
  'undrain',
  'maintain',
  'unmaintain',
  'weight',
  'unweight',
] as const;

/** A value of {@link overrideActions}. */
export type OverrideAction = (typeof overrideActions)[number];

/** Which servers. */
export interface ServersRequest {
  /** `[SERVICE/]ADDRESS[:PORT]`. */
  readonly server: string;
  /** Whether the text may mean several servers. */
  readonly all: boolean;
}

/** Sets something for servers, or takes it back. */
export interface OverrideRequest extends ServersRequest {
  readonly action: OverrideAction;
  /** With `weight` only. */
  readonly weight?: number;
  /** Why, for those who look at the status. */
  readonly reason: string;
  /** Who asks, as the command knows it; believed only of root, for what sudo hides. */
  readonly user: string;
}

/** One server of a service, as it is now. */
export interface NamedServerStatus extends ServerStatus {
  /** `service/address:port`. */
  readonly id: string;
}

/** The servers that were asked for. */
export interface ServersResult {
  readonly servers: readonly NamedServerStatus[];
  /** Whether persistent clients of a server with weight 0 are sent to another one. */
  readonly templatesExpire: boolean;
}

/** What came of a request. */
export interface OverrideResult extends ServersResult {
  /** One line for a person. */
  readonly message: string;
}

/** Reads the body of a request for servers. Throws `USAGE`. */
export function readServersRequest(body: unknown): ServersRequest {
  const { server, all = false } = fieldsOf(body);
  if (typeof server !== 'string') throw new TandemError('USAGE', 'server must be a text');
  if (typeof all !== 'boolean') throw new TandemError('USAGE', 'all must be true or false');
  return { server, all };
}

/** Reads the body of an override request. Throws `USAGE` that says what is wrong with it. */
export function readOverrideRequest(body: unknown): OverrideRequest {
  const fields = fieldsOf(body);
  const action = overrideActions.find((known) => known === fields.action);
  if (action === undefined) {
    throw new TandemError('USAGE', `action must be one of ${overrideActions.join(', ')}`);
  }
  const request = {
    ...readServersRequest(body),
    action,
    reason: readPlainText('reason', fields.reason ?? '', reasonLengthMax),
    user: readPlainText('user', fields.user ?? '', userLengthMax),
  };
  if (action !== 'weight') return request;
  const { weight } = fields;
  const isWeight = typeof weight === 'number' && Number.isInteger(weight);
  if (!isWeight || weight < 0 || weight > weightMax) {
    throw new TandemError('USAGE', `weight must be 0 to ${weightMax}`);
  }
  return { ...request, weight };
}

function readPlainText(name: string, value: unknown, lengthMax: number): string {
  if (typeof value === 'string' && value.length <= lengthMax && isPlainText(value)) return value;
  const limits = `at most ${lengthMax} characters, none of them a control character`;
  throw new TandemError('USAGE', `${name} must be a text of ${limits}`);
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
}
