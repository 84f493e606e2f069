/** How the vrrp thread tells main that a configuration cannot be carried out. */
import { TandemError } from '../errors.js';
import type { FromVrrp } from './protocol.js';

type Refusal = Extract<FromVrrp, { type: 'refused' }>;

const codes: readonly string[] = [
  'INTERFACE_MISSING',
  'INTERFACE_UNUSABLE',
  'PERMISSION',
  'SYSTEM_CALL',
  'VRRP_KEY_UNUSABLE',
] satisfies readonly Refusal['code'][];

/** Turns the error that stopped a configuration into the message that main gets. */
export function refusal(error: unknown): Refusal {
  if (!(error instanceof TandemError)) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      type: 'refused',
      code: 'INTERNAL',
      message,
      hint: new TandemError('INTERNAL', '').hint,
    };
  }
  const { message, hint } = error;
  return {
    type: 'refused',
    code: isRefusalCode(error.code) ? error.code : 'INTERNAL',
    message,
    hint,
  };
}

function isRefusalCode(code: string): code is Refusal['code'] {
  return codes.includes(code);
}
