import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectServers } from '../../../src/ipvs/serverSelection.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { serverConfig, serviceConfig, webTls } from './configs.js';

const services = [
  serviceConfig(),
  serviceConfig({
    name: 'tls',
    listeners: [webTls],
    servers: [
      serverConfig(2),
      serverConfig(4),
      serverConfig(4, { port: 9090 }),
      serverConfig(5, { address: ipAddress('2001:db8::5') }),
    ],
  }),
];

function select(text: string, all = false): readonly string[] | string {
  const selection = selectServers(text, services, all);
  return selection.kind === 'found' ? selection.servers.map(({ id }) => id) : selection.message;
}

const found: Readonly<Record<string, string>> = {
  '10.0.0.3': 'web/10.0.0.3:8080',
  '10.0.0.3:8080': 'web/10.0.0.3:8080',
  'tls/10.0.0.2': 'tls/10.0.0.2:8080',
  'web/10.0.0.2:8080': 'web/10.0.0.2:8080',
  '10.0.0.4:9090': 'tls/10.0.0.4:9090',
  '2001:db8::5': 'tls/[2001:db8::5]:8080',
  '2001:DB8:0::5': 'tls/[2001:db8::5]:8080',
  '[2001:db8::5]': 'tls/[2001:db8::5]:8080',
  'tls/[2001:db8::5]:8080': 'tls/[2001:db8::5]:8080',
};

for (const [text, id] of Object.entries(found)) {
  test(`${text} is ${id}`, () => assert.deepEqual(select(text), [id]));
}

const refused: Readonly<Record<string, string>> = {
  '10.0.0.2': '10.0.0.2 is 2 servers: web/10.0.0.2:8080, tls/10.0.0.2:8080',
  'tls/10.0.0.4': 'tls/10.0.0.4 is 2 servers: tls/10.0.0.4:8080, tls/10.0.0.4:9090',
  'shop/10.0.0.2': 'there is no service shop',
  '10.0.0.9': 'no service has a server 10.0.0.9',
  '10.0.0.3:81': 'no service has a server 10.0.0.3:81',
  '10.0.0.256': '10.0.0.256 does not name a server',
  web: 'web does not name a server',
  'web/': 'web/ does not name a server',
  '': ' does not name a server',
  '10.0.0.3:': '10.0.0.3: does not name a server',
};

for (const [text, message] of Object.entries(refused)) {
  test(`"${text}" is refused: ${message}`, () => assert.equal(select(text), message));
}

test('all servers of an address are taken when that is asked for', () => {
  assert.deepEqual(select('10.0.0.2', true), ['web/10.0.0.2:8080', 'tls/10.0.0.2:8080']);
  assert.equal(select('10.0.0.9', true), 'no service has a server 10.0.0.9');
});

test('a refusal names the servers that there are, as far as they fit', () => {
  const many = serviceConfig({
    servers: Array.from({ length: 30 }, (_, number) => serverConfig(number + 1)),
  });
  const selection = selectServers('10.0.0.99', [many], false);
  assert.equal(selection.kind, 'refused');
  assert.match(selection.hint, /^There are: web\/10\.0\.0\.1:8080, .* and 10 more\.$/);
});
