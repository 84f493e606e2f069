import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkConfigText } from '../../../src/config/checkText.js';
import { quickTextMin } from '../../../src/config/quickYaml.js';
import { ServiceTextReader } from '../../../src/config/serviceTexts.js';
import { readYaml } from '../../../src/config/yamlSource.js';

const head = `cluster: web
nodes:
  lb1: { address: 10.0.0.1, interface: eth0 }
  lb2: { address: 10.0.0.2, interface: eth0 }
`;

/** Makes a text large enough to be read quickly. */
const filler = `${'# what makes the file large\n'.repeat(Math.ceil(quickTextMin / 28))}`;

/** Items that are sound, wrong, in several lines, or not whole without what follows. */
const items: readonly string[] = [
  '- name: a\n  listen: tcp://10.1.0.1:80\n  forward: dr\n  servers: [{ address: 10.2.0.1 }]\n',
  '- name: a\n  listen: tcp://10.1.0.2:80\n  forward: nat\n  servers:\n    - address: 10.2.0.1\n',
  '- name: b\n  fwmark: 4\n  forward: nat\n  servers:\n  - { address: 10.2.0.1, weight: 0 }\n',
  '- { name: c, fwmark: 7, forward: nat, servers: [{ address: 10.2.0.1, weight: 3 }] }\n',
  '- name: c\n  fwmark: 7\n  forward: tunnel\n  servers: [{ address: "[2001:db8::1]" }]\n',
  '- name: d\n  fwmark: 3\n  servers: [{ address: 10.2.0.1 },\n    { address: 10.2.0.1 }]\n',
  '- name: d\n  servers: [{ address: 10.2.0.1, weight: -1 }]\n',
  '- name: e\n  lisen: tcp://10.1.0.4:80\n',
  '- name: "f\n  g"\n',
  '- name: f\n    g\n',
  '- name: "f\n',
  '- g"\n',
  "- 'h\n",
  '- [1,\n',
  '- 2]\n',
  '- { name: i,\n',
  '- name: j # why\n\n# below\n',
  '- - k\n',
  '- text\n',
  '-\n  name: l\n',
  '- name: m\n  name: m\n',
  '- &n { name: n }\n',
  '- *n\n',
  '- name: |\n    o\n',
  '- name: p\n  servers:\n',
  '- { name: q, r }\n',
  '- "s": t\n',
  '# between\n',
  '\n',
];

/** What is before and behind the list. */
const tails: readonly string[] = [
  '',
  'api: { socket: /run/x.sock }\n',
  '# the end\n',
  'services:\n  - name: again\n',
  'connectionSync: { mode: kernel }\n',
  'api: [\n',
  ' odd: 1\n',
  '  odd: 1\n',
  'log: { level: none }',
  '- name: z\n',
  'reload: "x\n',
];
const starts: readonly string[] = [
  'services:\n',
  'services: \n',
  'services: # all\n',
  'services: []\n',
  'log: "\nservices:\n',
  'log: [\nservices:\n',
  'log: |\n  x\nservices:\n',
  'system:\n  x\nservices:\n',
];

const texts = fc
  .record({
    start: fc.oneof(
      { weight: 5, arbitrary: fc.constant('services:\n') },
      fc.constantFrom(...starts),
    ),
    indentation: fc.constantFrom(0, 1, 2, 4),
    deeper: fc.option(fc.nat(4), { freq: 8 }),
    list: fc.array(fc.constantFrom(...items), { maxLength: 6 }),
    tail: fc.constantFrom(...tails),
  })
  .map(({ start, indentation, deeper, list, tail }) => {
    const indented = list.map((item, index) => {
      const space = ' '.repeat(index === deeper ? indentation + 1 : indentation);
      return item.replace(/^(?=.)/gm, space);
    });
    return `${head}${filler}${start}${indented.join('')}${tail}`;
  });

test('a text that is read service by service has the value that the exact parser gives it', () => {
  let read = 0;
  fc.assert(
    fc.property(fc.array(texts, { minLength: 1, maxLength: 3 }), (versions) => {
      const reader = new ServiceTextReader();
      for (const text of versions) {
        const quick = reader.read(text);
        if (quick === undefined) continue;
        read += 1;
        const exact = readYaml(text);
        assert.deepEqual(exact.problems, [], text.replace(filler, ''));
        assert.deepEqual(quick.value, exact.value, text.replace(filler, ''));
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(read > 20, `only ${read} texts were read`);
});

test('one version after the other is judged as each is by itself', () => {
  fc.assert(
    fc.property(fc.array(texts, { minLength: 2, maxLength: 5 }), (versions) => {
      const reader = new ServiceTextReader();
      for (const text of versions) {
        const [whole, again] = [checkConfigText(text), checkConfigText(text, {}, reader)];
        const { problems, warnings, configs } = again;
        const what = text.replace(filler, '');
        assert.deepEqual(problems, whole.problems, what);
        assert.deepEqual(warnings, whole.warnings, what);
        assert.deepEqual(configs, whole.configs, what);
      }
    }),
    { numRuns: 100 },
  );
});

/** A sound text with many services; `weights` has those that differ from 1. */
function soundText(weights: ReadonlyMap<number, number>, order = (index: number) => index): string {
  const services = Array.from({ length: 40 }, (_, place) => {
    const index = order(place);
    const weight = weights.get(index) ?? 1;
    const servers = `      - { address: '10.2.0.${index}:8080', weight: ${weight} }\n`;
    const listen = `tcp://10.1.0.${index + 1}:80`;
    const settings = `    listen: ${listen}\n    forward: nat\n    servers:\n`;
    return `  - name: s${index}\n${settings}${servers}`;
  });
  return `${head}${filler}services:\n${services.join('')}api: { socket: /run/x.sock }\n`;
}

test('services that a new version leaves as they are stay the same objects, others do not', () => {
  const reader = new ServiceTextReader();
  const [before] = checkConfigText(soundText(new Map()), {}, reader).configs;
  const changed = soundText(new Map([[7, 3]]));
  const [after] = checkConfigText(changed, {}, reader).configs;
  assert.ok(before !== undefined && after !== undefined);
  const kept = after.services.filter((service, index) => service === before.services[index]);
  assert.equal(kept.length, 39);
  assert.equal(after.services[7]?.servers[0]?.weight, 3);
  assert.deepEqual(after, checkConfigText(changed).configs[0]);
});

test('services that only move are found by their text', () => {
  const reader = new ServiceTextReader();
  const [before] = checkConfigText(soundText(new Map()), {}, reader).configs;
  const turned = soundText(new Map(), (index) => 39 - index);
  const [after] = checkConfigText(turned, {}, reader).configs;
  assert.deepEqual(after?.services.toReversed(), before?.services);
  assert.equal(after?.services[0], before?.services[39]);
});

test('what depends on other parts of the file is judged anew for services that stay', () => {
  const mixed = (mode: string): string =>
    `${head}${filler}connectionSync: { mode: ${mode} }\nservices:\n` +
    '  - name: a\n    listen: tcp://10.1.0.1:80\n    forward: tunnel\n' +
    "    servers: [{ address: '[2001:db8::1]' }]\n";
  const reader = new ServiceTextReader();
  for (const mode of ['off', 'kernel', 'off']) {
    const { problems } = checkConfigText(mixed(mode), {}, reader);
    assert.deepEqual(problems, checkConfigText(mixed(mode)).problems);
    assert.equal(problems.length, mode === 'off' ? 0 : 1, mode);
  }
});
