import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRestoreInput } from '../../../../src/ipvs/command/restoreInput.js';
import { describeOperation } from '../../../../src/wire/ipvsText.js';

const names = {
  portOf: (name: string) => (name === 'http' ? 80 : undefined),
  addressOf: () => undefined,
};

/** What the lines do, one by one; a refusal as its message. */
function commandsOf(text: string): readonly string[] | string {
  const lines = parseRestoreInput(text, names);
  if ('message' in lines) return lines.message;
  return lines.map(({ lineNumber, command }) => {
    const what =
      command.kind === 'change' ? describeOperation(command.operation) : JSON.stringify(command);
    return `${lineNumber} ${what}`;
  });
}

/** The same, with each line read as if it were the only one. */
function commandsOneByOne(text: string): readonly string[] | string {
  const all: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const commands = commandsOf('\n'.repeat(index) + line);
    if (typeof commands === 'string') return commands;
    all.push(...commands);
  }
  return all;
}

const command = fc.constantFrom('-a', '-e', '-d', '--add-server', 'ipvsadm -a', '# -a');
const service = fc.constantFrom('-t 10.0.0.1:80', '-u 10.0.0.1:80', '-f 7', '-t [2001:db8::1]:80');
const server = fc.constantFrom(
  ...['10.1.0.1:80', '10.1.0.2:80', '10.1.0.3:81', '10.1.0.4', '10.1.0.5:http', '010.1.0.6:80'],
  ...[
    '10.1.7:80',
    '[2001:db8::2]:80',
    '2001:db8::3',
    '::1:80',
    '10.1.0.300:80',
    '10.1.0.8:',
    ':80',
    '',
  ],
);
const settings = fc.constantFrom('-m', '-m -w 1', '-w 3 -i', '-g', '-m -w x', '-m -r 10.1.0.9:80');
const line = fc
  .tuple(command, service, server, settings)
  .map(([first, second, third, last]) => `${first} ${second} -r ${third} ${last}`);
const anyLine = fc.oneof(
  { weight: 6, arbitrary: line },
  fc.constantFrom('', '-C', '-A -t 10.0.0.1:80 -s rr', '-a -r 10.1.0.1:80 -t 10.0.0.1:80 -m\r'),
);

test('a line means the same whatever lines were read before it', () => {
  fc.assert(
    fc.property(fc.array(anyLine, { maxLength: 12 }), (lines) => {
      const text = lines.join('\n');
      assert.deepEqual(commandsOf(text), commandsOneByOne(text));
    }),
  );
});

test('lines that differ in the address of their server are one command for several', () => {
  const text = [1, 2, 3].map((last) => `-a -t 10.0.0.1:80 -r 10.1.0.${last}:8080 -m -w 2`);
  assert.deepEqual(commandsOf(text.join('\n')), [
    '1 add server tcp://10.0.0.1:80 -> 10.1.0.1:8080 (nat, weight 2)',
    '2 add server tcp://10.0.0.1:80 -> 10.1.0.2:8080 (nat, weight 2)',
    '3 add server tcp://10.0.0.1:80 -> 10.1.0.3:8080 (nat, weight 2)',
  ]);
});

test('an address that is none is refused at its line, also among many that are alike', () => {
  const text = '-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m\n-a -t 10.0.0.1:80 -r 10.1.0.999:80 -m\n';
  assert.match(String(commandsOf(text)), /^line 2: illegal real server address/);
});
