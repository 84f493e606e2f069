import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownedChange, ownedOperations } from '../../../../src/ipvs/command/ownership.js';
import { parseRestoreInput, type RestoreLine } from '../../../../src/ipvs/command/restoreInput.js';
import { planRestore, planRollback } from '../../../../src/ipvs/command/restorePlan.js';
import type { TableService } from '../../../../src/ipvs/table.js';
import { describeOperation } from '../../../../src/wire/ipvsText.js';

const names = { portOf: () => undefined, addressOf: () => undefined };

function read(text: string): readonly RestoreLine[] {
  const lines = parseRestoreInput(text, names);
  assert.ok(!('message' in lines), JSON.stringify(lines));
  return lines;
}

/** The table that a text makes of an empty one. */
function tableOf(text: string): readonly TableService[] {
  const table: TableService[] = [];
  for (const { command } of read(text)) {
    assert.ok(command.kind === 'change');
    const { operation } = command;
    if (operation.kind === 'add-service') table.push({ service: operation.service, servers: [] });
    if (operation.kind !== 'add-server') continue;
    const last = table.pop();
    assert.ok(last !== undefined);
    table.push({ service: last.service, servers: [...last.servers, operation.server] });
  }
  return table;
}

function planned(text: string, table: readonly TableService[]): readonly string[] {
  const plan = planRestore(read(text), table);
  assert.ok(!('message' in plan), JSON.stringify(plan));
  return plan.operations.map(describeOperation);
}

const saved = `-A -t 10.0.0.1:80 -s rr
-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1
-a -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 1
`;

test('restoring what is there sends nothing', () => {
  assert.deepEqual(planned(saved, tableOf(saved)), []);
  assert.deepEqual(planned(`-C\n${saved}`, tableOf(saved)), []);
});

test('only what differs is sent', () => {
  const changed = saved.replace('10.1.0.2:80 -m -w 1', '10.1.0.2:80 -m -w 5');
  assert.deepEqual(planned(changed, tableOf(saved)), [
    'edit server tcp://10.0.0.1:80 -> 10.1.0.2:80 (nat, weight 5)',
  ]);
  assert.deepEqual(planned('-C\n-A -f 7 -s rr', tableOf(saved)), [
    'add service fwmark:7 (scheduler rr)',
    'delete service tcp://10.0.0.1:80',
  ]);
});

test('a line that cannot be read, or cannot hold, refuses the whole input by its number', () => {
  const unreadable = parseRestoreInput(`# saved\n\n${saved}-A -t x`, names);
  assert.ok('message' in unreadable);
  assert.match(unreadable.message, /^line 6: illegal virtual server/);
  assert.equal(unreadable.exitStatus, 2);
  const plan = planRestore(read(`${saved}-d -t 10.0.0.1:80 -r 10.9.9.9:80`), []);
  assert.ok('message' in plan);
  assert.equal(plan.message, 'line 4: there is no server 10.9.9.9:80 in tcp://10.0.0.1:80');
  assert.equal(plan.exitStatus, 255);
});

test('taking back touches the services of the plan and no other', () => {
  const other = '-A -t 10.0.0.9:80 -s rr\n-a -t 10.0.0.9:80 -r 10.1.0.9:80 -m -w 1\n';
  const before = tableOf(saved + other);
  const now = tableOf('-A -t 10.0.0.1:80 -s wrr\n-A -f 7 -s rr\n-A -t 10.0.0.9:80 -s rr\n');
  const plan = planRestore(read('-E -t 10.0.0.1:80 -s wrr\n-A -f 7 -s rr'), before);
  assert.ok(!('message' in plan));
  assert.deepEqual(planRollback(plan.operations, before, now).map(describeOperation), [
    'edit service tcp://10.0.0.1:80 (scheduler rr)',
    'add server tcp://10.0.0.1:80 -> 10.1.0.1:80 (nat, weight 1)',
    'add server tcp://10.0.0.1:80 -> 10.1.0.2:80 (nat, weight 1)',
    'delete service fwmark:7',
  ]);
});

test('what a running agent owns is named in the refusal, and the rest is free', () => {
  const owner = {
    socketPath: '/run/tandem/tandem.sock',
    services: new Map([['tcp://10.0.0.1:80', 'web']]),
    syncDaemons: false,
  };
  const [first] = read(saved);
  assert.ok(first !== undefined);
  const refusal = ownedChange(first.command, owner);
  assert.match(refusal?.message ?? '', /owns tcp:\/\/10\.0\.0\.1:80 \(service web .*would undo/);
  assert.match(refusal?.hint ?? '', /--force/);
  assert.ok(ownedChange({ kind: 'clear' }, owner) !== undefined);
  assert.equal(ownedChange({ kind: 'stop-daemon', role: 'master' }, owner), undefined);
  const others = planRestore(read('-A -t 10.0.0.2:80'), []);
  assert.ok(!('message' in others));
  assert.equal(ownedOperations(others.operations, owner), undefined);
});
