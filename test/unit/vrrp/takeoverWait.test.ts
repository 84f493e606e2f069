import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nowUs } from '../../../src/kernel/monotonicClock.js';
import { createWakeEvent, signalWakeEvent } from '../../../src/kernel/wakeEvent.js';
import {
  foreseenLateMaxUs,
  rehearsalLeadUs,
  rehearsalLeastUs,
  waitForTakeover,
} from '../../../src/vrrp/takeoverWait.js';

/** A busy machine may let a moment pass; then it is tried again. */
const attemptsMax = 200;

interface Wait {
  readonly rehearsals: number;
  /** How long before the takeover it ended; negative when it ended after it. */
  readonly leftUs: number;
  /** What is to be done without a look at anything else: the number of the rehearsal. */
  readonly foreseen: number | undefined;
}

function wait(aheadUs: number, fds: readonly number[] = []): Wait {
  let rehearsals = 0;
  const takeoverUs = nowUs() + aheadUs;
  const foreseen = waitForTakeover(fds, takeoverUs, () => {
    rehearsals += 1;
    return rehearsals;
  });
  return { rehearsals, leftUs: takeoverUs - nowUs(), foreseen };
}

/** A wait that went as it does on a machine with time for it. */
function waitUntil(isWanted: (wait: Wait) => boolean, run: () => Wait): Wait {
  for (let attempt = 1; ; attempt += 1) {
    const seen = run();
    if (isWanted(seen) || attempt === attemptsMax) return seen;
  }
}

test('a wait that begins early ends when it is time to rehearse, before the takeover', () => {
  const { rehearsals, leftUs, foreseen } = waitUntil(
    (seen) => seen.leftUs > 0,
    () => wait(rehearsalLeadUs + 4_000),
  );
  assert.equal(rehearsals, 0);
  assert.equal(foreseen, undefined);
  assert.ok(leftUs > 0 && leftUs <= rehearsalLeadUs, `${leftUs} us are left`);
});

test('the takeover is rehearsed twice, and the wait ends at its moment and not before', () => {
  const { rehearsals, leftUs } = waitUntil(
    (seen) => seen.rehearsals > 1,
    () => wait(rehearsalLeadUs - 100),
  );
  assert.equal(rehearsals, 2);
  assert.ok(leftUs <= 0, `it ended ${leftUs} us early`);
});

test('what was foreseen last is returned when the moment came and nothing was received', () => {
  const { rehearsals, foreseen } = waitUntil(
    (seen) => seen.foreseen !== undefined,
    () => wait(rehearsalLeadUs - 100),
  );
  assert.ok(rehearsals > 0);
  assert.equal(foreseen, rehearsals);
});

test('what was foreseen is of no account once the takeover is late', () => {
  const takeoverUs = nowUs() + rehearsalLeadUs - 100;
  const foreseen = waitForTakeover([], takeoverUs, () => {
    while (nowUs() < takeoverUs + foreseenLateMaxUs);
    return true;
  });
  assert.equal(foreseen, undefined);
});

test('a rehearsal that takes long is not made again close to the takeover', () => {
  let rehearsals = 0;
  waitForTakeover([], nowUs() + rehearsalLeadUs - 100, () => {
    rehearsals += 1;
    const untilUs = nowUs() + rehearsalLeadUs / 2;
    while (nowUs() < untilUs);
  });
  assert.ok(rehearsals <= 1);
});

test('with too little time left nothing is rehearsed', () => {
  for (const aheadUs of [rehearsalLeastUs - 100, 0, -5_000]) {
    const { rehearsals, leftUs, foreseen } = wait(aheadUs);
    assert.equal(rehearsals, 0);
    assert.equal(foreseen, undefined);
    assert.ok(leftUs <= 0);
  }
});

test('whatever is received ends the wait, far from the takeover and close to it', (context) => {
  const event = createWakeEvent();
  context.after(() => event.close());
  signalWakeEvent(event.fd);
  assert.ok(wait(60_000_000, [event.fd]).leftUs > 0);
  const close = waitUntil(
    (seen) => seen.leftUs > 0,
    () => wait(rehearsalLeadUs - 100, [event.fd]),
  );
  assert.ok(close.leftUs > 0, 'the advertisement that waits is heard before the takeover');
  assert.equal(close.foreseen, undefined, 'and nothing follows from its absence');
  // The rehearsal takes all the time that there is, and only the last look can find it.
  const takeoverUs = nowUs() + rehearsalLeadUs - 100;
  const last = waitForTakeover([event.fd], takeoverUs, () => {
    while (nowUs() < takeoverUs);
    return true;
  });
  assert.equal(last, undefined, 'also when it came at the last moment');
});
