import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configDocument } from '../../../src/config/document.js';
import type { Definition, Key } from '../../../src/config/schema/definition.js';
import { rootDefinition } from '../../../src/config/schema/rootDefinition.js';

interface KeyAt {
  readonly path: string;
  readonly name: string;
  readonly key: Key<unknown, unknown>;
}

function keysOf(definition: Definition, path: string): readonly KeyAt[] {
  return Object.entries(definition).flatMap(([name, entry]) => {
    const here = path === '' ? name : `${path}.${name}`;
    if (entry.kind === 'section') return keysOf(entry.keys, here);
    const nested = (entry.type.nested ?? []).flatMap((keys) =>
      keysOf(keys.definition, `${here}${keys.suffix}`),
    );
    return [{ path: here, name, key: entry }, ...nested];
  });
}

const keys = keysOf(rootDefinition, '');
const document = configDocument();

test('every key says in full sentences what it means', () => {
  const bad = keys.filter(({ key }) => !/^[A-Z`].*\.$/.test(key.doc)).map(({ path }) => path);
  assert.deepEqual(bad, []);
});

test('every default is a value that the key itself would accept', () => {
  for (const { path, key } of keys) {
    if (key.presence.kind !== 'default') continue;
    assert.deepEqual(key.type.read(key.presence.value).findings, [], path);
  }
});

test('the document has a row for every key, with its default and its variable', () => {
  for (const { path, name, key } of keys) {
    const rows = document.split('\n').filter((line) => line.startsWith(`| \`${name}\` |`));
    const row = rows.find((line) => line.includes(key.doc));
    assert.ok(row !== undefined, path);
    if (key.presence.kind === 'default') {
      const { value } = key.presence;
      assert.ok(row.includes(`| \`${Array.isArray(value) ? '[]' : value}\` |`), path);
    }
    if (key.env !== undefined) assert.ok(row.includes(`\`${key.env}\``), path);
  }
});

test('what the document says of some keys is what an operator needs', () => {
  for (const row of [
    '| `vrid` | integer, 1 to 255 | **required** |',
    '| `advertInterval` | duration, 10ms to 40.95s, in steps of 10ms | `1s` |',
    '| `delay` | duration, 0s to 1h (0s: at once) | `0s` |',
    '| `TANDEM_NODE` | which of `nodes` this machine is |',
    '| `TANDEM_LOG_LEVEL` | `log.level` |',
  ]) {
    assert.ok(document.includes(row), row);
  }
  assert.match(document, /^## `services\[\]\.check\.expect`$/m);
  assert.match(document, /^## `services\[\]\.check` with `type: http`$/m);
});
