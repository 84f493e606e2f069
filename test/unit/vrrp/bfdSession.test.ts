import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyElection, noInputs, runTurn } from '../../../src/vrrp/election.js';
import type { VrrpConfiguration } from '../../../src/vrrp/protocol.js';
import { planReconfiguration } from '../../../src/vrrp/reconfiguration.js';
import { skewUs } from '../../../src/vrrp/timing.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { edgeGroup, inside, outside } from './electionSupport.js';
import { startUs } from './support.js';

const secondUs = 1_000_000;
const active = ipAddress('192.0.2.1');

/** Both routers are Backups of the same Active, which they have just heard. */
function backups(configuration: VrrpConfiguration) {
  const plan = planReconfiguration([], configuration);
  const addresses = new Map([
    ['eth0', ipAddress('192.0.2.2')],
    ['eth1', ipAddress('192.168.0.2')],
  ]);
  const commands = [{ type: 'reconfigure', plan, addresses } as const];
  const { state } = runTurn(emptyElection, { ...noInputs, commands }, startUs);
  const advertisements = [outside, inside].map((router) => ({
    router,
    source: active,
    advertisement: {
      vrid: Number(router.split('/')[1]),
      priority: 200,
      advertIntervalCs: 100,
      addresses: [],
    },
    receivedUs: startUs,
  }));
  return runTurn(state, { ...noInputs, advertisements }, startUs).state;
}

function withSessions(names: readonly (string | undefined)[]): VrrpConfiguration {
  const { routers, syncGroups } = edgeGroup();
  const named = routers.map((router, index) => {
    const bfd = names[index];
    return bfd === undefined ? router : { ...router, bfd };
  });
  return { routers: named, syncGroups };
}

/** The states of both routers after a session has fallen silent and the skew time has passed. */
function afterSilence(configuration: VrrpConfiguration, name: string) {
  const unreachable = [{ name, peer: active }];
  const atUs = startUs + 200_000;
  const lost = runTurn(backups(configuration), { ...noInputs, unreachable }, atUs).state;
  const { state } = runTurn(lost, noInputs, atUs + skewUs(100, secondUs));
  return [outside, inside].map((router) => state.routers.get(router)?.current);
}

test('the routers that name a session take over together when it falls silent', () => {
  assert.deepEqual(afterSilence(withSessions(['pair', 'pair']), 'pair'), ['active', 'active']);
});

test('a session speaks for no router that does not name it', () => {
  const names = [
    [undefined, undefined],
    ['other', 'other'],
  ];
  for (const each of names) {
    assert.deepEqual(afterSilence(withSessions(each), 'pair'), ['backup', 'backup']);
  }
});

test('a member of a sync group whose Active is alive holds the others back', () => {
  assert.deepEqual(afterSilence(withSessions(['pair', undefined]), 'pair'), ['backup', 'backup']);
});
