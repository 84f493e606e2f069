import assert from 'node:assert/strict';
import { test } from 'node:test';
import { largeRemoval, refuseLargeRemoval } from '../../../src/agent/removalLimit.js';
import type { ServiceConfig } from '../../../src/config/model.js';
import { mark, serverConfig, serviceConfig, web, webTls } from '../ipvs/configs.js';

function withServers(...numbers: readonly number[]): readonly ServiceConfig[] {
  return [serviceConfig({ servers: numbers.map((number) => serverConfig(number)) })];
}

const four = withServers(2, 3, 4, 5);

test('half of the servers may go where half is the limit, and not one more', () => {
  assert.equal(largeRemoval(four, withServers(2, 3), 0.5), undefined);
  assert.equal(
    largeRemoval(four, withServers(2), 0.5),
    'the reload would remove 3 of 4 servers, more than 50%: tcp://10.0.0.1:80/10.0.0.3:8080, ' +
      'tcp://10.0.0.1:80/10.0.0.4:8080, tcp://10.0.0.1:80/10.0.0.5:8080',
  );
});

test('servers that are replaced count as removed', () => {
  assert.match(largeRemoval(four, withServers(6, 7, 8, 5), 0.5) ?? '', /remove 3 of 4 servers/);
});

test('services count by what clients reach, so a new name or order removes nothing', () => {
  const before = [serviceConfig(), serviceConfig({ name: 'tls', listeners: [webTls] })];
  const after = [
    serviceConfig({ name: 'b', listeners: [webTls] }),
    serviceConfig({ name: 'a', listeners: [web] }),
  ];
  assert.equal(largeRemoval(before, after, 0), undefined);
});

test('a removed service is named', () => {
  const before = [serviceConfig({ listeners: [web, webTls, mark], servers: [serverConfig(2)] })];
  const after = [serviceConfig({ listeners: [webTls], servers: [serverConfig(2)] })];
  assert.match(largeRemoval(before, after, 0.5) ?? '', /2 of 3 services.*tcp:.*:80, fwmark:66$/);
});

test('an emptied file is refused, and allowed at a limit of all', () => {
  assert.throws(() => refuseLargeRemoval(four, [], 0.99), {
    code: 'AGENT_REFUSED',
    message: /1 of 1 services, more than 99%: tcp:\/\/10\.0\.0\.1:80$/,
    hint: /--force/,
  });
  refuseLargeRemoval(four, [], 1);
});

test('a limit of nothing refuses every removal and no addition', () => {
  refuseLargeRemoval(four, withServers(2, 3, 4, 5, 6), 0);
  refuseLargeRemoval([], four, 0);
  assert.throws(() => refuseLargeRemoval(four, withServers(2, 3, 4), 0), /1 of 4 servers/);
});

test('a long list of names is cut', () => {
  const numbers = Array.from({ length: 30 }, (_, index) => index + 1);
  assert.match(largeRemoval(withServers(...numbers), withServers(), 0.5) ?? '', /and 10 more$/);
});
