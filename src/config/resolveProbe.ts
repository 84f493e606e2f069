/** From a `check` without errors to what its probes do. */
import type { ProbeSpec } from '../health/probeSpec.js';
import type { CheckComplete } from './resolveCheck.js';

/** What the probes of a check ask, and what must come back. */
export function resolveProbe(check: CheckComplete): ProbeSpec {
  if (check.type === 'tcp') return { type: 'tcp' };
  const { bodyContains, bodyMatches, status } = check.expect;
  return {
    type: 'http',
    method: check.method,
    path: check.path,
    expectStatus: status,
    ...(check.host === undefined ? {} : { host: check.host }),
    ...(bodyContains === undefined ? {} : { bodyContains }),
    ...(bodyMatches === undefined ? {} : { bodyMatches }),
  };
}
