import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerStatus, ServiceStatus } from '../../../src/api/statusModel.js';
import {
  activeConnectionsText,
  forwardText,
  schedulingText,
} from '../../../src/cli/serviceText.js';

function service(change: Partial<ServiceStatus>): ServiceStatus {
  return { listeners: ['tcp://192.0.2.1:80'], scheduler: 'mh', ...change } as ServiceStatus;
}

test('the status says how a service schedules, and nothing of what is not set', () => {
  const persistence = { timeoutSeconds: 600, prefixLength: 32 };
  assert.equal(schedulingText(service({})), 'mh');
  assert.equal(
    schedulingText(service({ schedulerFlags: ['mh-fallback', 'mh-port'] })),
    'mh (mh-fallback, mh-port)',
  );
  assert.equal(schedulingText(service({ persistence })), 'mh  persistent 600s');
  const byNetwork = { ...persistence, prefixLength: 24 };
  assert.equal(schedulingText(service({ persistence: byNetwork })), 'mh  persistent 600s by /24');
  const sip = { ...persistence, engine: 'sip' };
  assert.equal(schedulingText(service({ persistence: sip })), 'mh  persistent 600s by sip');
  assert.equal(schedulingText(service({ onePacket: true })), 'mh  one packet');
});

test('the whole of an IPv6 address has 128 bits', () => {
  for (const listener of ['tcp://[2001:db8::1]:80', 'fwmark6:66']) {
    const six = (prefixLength: number) =>
      service({ listeners: [listener], persistence: { timeoutSeconds: 60, prefixLength } });
    assert.equal(schedulingText(six(128)), 'mh  persistent 60s');
    assert.equal(schedulingText(six(64)), 'mh  persistent 60s by /64');
  }
});

test('the status says how packets reach a server, with the kind of tunnel', () => {
  assert.equal(forwardText({ forwarding: 'nat' }), 'nat');
  assert.equal(forwardText({ forwarding: 'tunnel' }), 'tunnel');
  const gre = { type: 'gre', checksum: 'full' } as const;
  assert.equal(
    forwardText({ forwarding: 'tunnel', encapsulation: gre }),
    'tunnel gre with checksum',
  );
  const gue = { type: 'gue', port: 6080, checksum: 'remote' } as const;
  assert.equal(
    forwardText({ forwarding: 'tunnel', encapsulation: gue }),
    'tunnel gue 6080 with remote checksum',
  );
  const plain = { type: 'gue', port: 6080, checksum: 'none' } as const;
  assert.equal(forwardText({ forwarding: 'tunnel', encapsulation: plain }), 'tunnel gue 6080');
});

test('connections stand beside the limit of a server that has one', () => {
  const connections = { active: 12, inactive: 0, persistent: 0, total: 40 };
  const server = { connections } as ServerStatus;
  assert.equal(activeConnectionsText(server), '12');
  const thresholds = { upper: 500, lower: 0 };
  assert.equal(activeConnectionsText({ ...server, thresholds }), '12/500');
  assert.equal(activeConnectionsText({ ...server, thresholds, connections: null }), '-/500');
});
