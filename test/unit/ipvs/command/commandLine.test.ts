import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseEndpoint } from '../../../../src/ipvs/command/endpointText.js';
import { jsonText } from '../../../../src/ipvs/command/jsonText.js';
import type { NameLookup } from '../../../../src/ipvs/command/names.js';
import { parseServicesFile } from '../../../../src/ipvs/command/names.js';
import { parseInteger, parseLooseIpv4 } from '../../../../src/ipvs/command/numberText.js';
import { parseCommandLine } from '../../../../src/ipvs/command/parse.js';
import { largeNumber } from '../../../../src/ipvs/command/tableText.js';

const names: NameLookup = {
  portOf: (service, protocol) => (service === 'http' && protocol === 'tcp' ? 80 : undefined),
  addressOf: () => undefined,
};

function parse(line: string) {
  return parseCommandLine(line.split(' '), names);
}

test('a bundle, a value in the same word and a value in the next one read the same', () => {
  const first = parse('-A -t 10.0.0.1:80 -s wrr -p 50');
  assert.equal(first.kind, 'command');
  assert.deepEqual(parse('-At 10.0.0.1:http -swrr -p=50'), first);
  assert.deepEqual(
    parse('--add-service --tcp-service=10.0.0.1:80 --scheduler wrr --persistent=50'),
    first,
  );
});

test('a persistence without a number is 360 seconds', () => {
  const parsed = parse('-A -u 10.0.0.1:53 -p -o');
  assert.ok(parsed.kind === 'command' && parsed.command.kind === 'change');
  const { operation } = parsed.command;
  assert.ok(operation.kind === 'add-service');
  assert.deepEqual(operation.service.persistence, { timeoutSeconds: 360, prefixLength: 32 });
});

test('a refusal has the words and the status of ipvsadm', () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ['-A', "You need to supply the 'service-address' option for the 'add-service' command", 2],
    ['-L -c -t 10.0.0.1:80', "The option 'service-address' conflicts with the 'connection'", 2],
    ['-L -x 5', "Illegal 'u-threshold' option with the 'list' command", 2],
    ['-Lnn', "multiple 'numeric' options specified", 2],
    ['-L --bogus', '--bogus: unknown option', 255],
    ['-L -s', '-s: missing argument', 255],
    ['foo', 'Try `ipvsadm -h', 255],
  ];
  for (const [line, message, status] of cases) {
    const parsed = parse(line);
    assert.ok(parsed.kind === 'refused', line);
    assert.ok(parsed.message.startsWith(message), `${line}: ${parsed.message}`);
    assert.equal(parsed.exitStatus, status, line);
  }
});

test('what ipvsadm lacks fits listings only', () => {
  const parsed = parse('-L -n --watch=5 --json');
  assert.ok(parsed.kind === 'command');
  assert.deepEqual(parsed.extras, { force: false, json: true, watchIntervalMs: 5000 });
  assert.equal(parse('-C --json').kind, 'refused');
});

test('whatever the words are, the parser answers and does not throw', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '-A',
      '-a',
      '-L',
      '-t',
      '-r',
      '-f',
      '-6',
      '-p',
      '-M',
      '10.0.0.1:80',
      '::1',
      '5',
    ),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      const { kind } = parseCommandLine(words, names);
      assert.ok(kind === 'command' || kind === 'refused');
    }),
  );
});

test('addresses have every form that the C library takes', () => {
  assert.equal(parseLooseIpv4('10.1'), '10.0.0.1');
  assert.equal(parseLooseIpv4('0x0a.0.0.010'), '10.0.0.8');
  assert.equal(parseLooseIpv4('10.0.0.256'), undefined);
  assert.deepEqual(parseEndpoint('[2001:db8::1]:http', 'tcp', names), {
    address: '2001:db8::1',
    port: 80,
  });
  assert.equal(parseEndpoint('[2001:db8::1]', 'tcp', names), undefined);
  assert.equal(parseEndpoint('80', 'tcp', names), undefined);
});

test('numbers are decimal and whole', () => {
  assert.equal(parseInteger('010', 0, 100), 10);
  assert.equal(parseInteger('0x10', 0, 100), undefined);
  assert.equal(parseInteger('101', 0, 100), undefined);
});

test('large numbers are shortened where ipvsadm shortens them', () => {
  assert.equal(largeNumber(99_999_999n, false), ' 99999999');
  assert.equal(largeNumber(100_000_000n, false), '  100000K');
  assert.equal(largeNumber(1_364_466_836n, false), '    1364M');
  assert.equal(largeNumber(18_446_744_073_709_551_615n, false), '18446744T');
  assert.equal(largeNumber(1_364_466_836n, true), ' 1364466836');
});

test('JSON has counters with all of their 64 bits', () => {
  assert.equal(jsonText({ bytes: 2n ** 64n - 1n }), '{\n  "bytes": 18446744073709551615\n}\n');
});

test('services have names and aliases by protocol', () => {
  const ports = parseServicesFile('http 80/tcp www # WWW\nsip 5060/udp\n# nothing 1/tcp\n');
  assert.equal(ports.portByName.get('www/tcp'), 80);
  assert.equal(ports.nameByPort.get('5060/udp'), 'sip');
  assert.equal(ports.portByName.get('nothing/tcp'), undefined);
});
