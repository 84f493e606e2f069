import assert from 'node:assert/strict';
import type { HmacSpec } from '../../src/vrrp/protocol.js';
import { hmacTrailerLength } from '../../src/wire/vrrpAuthentication.js';
import type { AdvertisementRejection } from '../../src/wire/vrrpReceive.js';
import { rootTest } from './support/rootTest.js';
import {
  eventually,
  fastRouter,
  type Heard,
  type LabDirector,
  VrrpLab,
} from './support/vrrpLab.js';

const ethernetHeaderLength = 14;
/** What is enough of something that happens with every advertisement. */
const many = 10;
const advert = 'advert 200 from 192.0.2.1';

function key(id: number, digit: string): HmacSpec['keys'][number] {
  return { id, source: { kind: 'hex', digits: digit.repeat(64) } };
}

function hmac(changes: Partial<HmacSpec> = {}): HmacSpec {
  return {
    keys: [key(1, 'a')],
    sendKeyId: 1,
    mode: 'enforce',
    antiReplay: 'time',
    windowSeconds: 60,
    ...changes,
  };
}

const highWith = (settings?: HmacSpec) =>
  fastRouter({ priority: 200, ...(settings === undefined ? {} : { hmac: settings }) });
const lowWith = (settings: HmacSpec) => fastRouter({ priority: 100, hmac: settings });

/** The first is Active, the second a Backup that hears it. */
async function settledLab(
  context: ConstructorParameters<typeof VrrpLab>[0],
  high: HmacSpec | undefined,
  low: HmacSpec,
) {
  const lab = new VrrpLab(context);
  const [first, second] = lab.directors;
  first.start(highWith(high));
  await first.reaches('active');
  second.start(lowWith(low));
  await second.reaches('backup');
  await hearsMore(second);
  return { lab, first, second };
}

async function eventuallyReported(
  director: LabDirector,
  what: string,
  holds: (report: NonNullable<ReturnType<LabDirector['report']>>) => boolean,
): Promise<void> {
  await eventually(what, () => {
    director.thread.post({ type: 'report' });
    const report = director.report();
    return report !== undefined && holds(report);
  });
}

async function counts(director: LabDirector, reason: AdvertisementRejection, atLeast = many) {
  await eventuallyReported(director, `${atLeast} times ${reason}`, ({ counters }) => {
    return (counters.rejected[reason] ?? 0) >= atLeast;
  });
}

/** Waits for advertisements that are accepted from now on. */
async function hearsMore(director: LabDirector): Promise<void> {
  const { counters } = await director.freshReport();
  await eventuallyReported(director, 'more advertisements are accepted', (report) => {
    return report.counters.advertisementsReceived >= counters.advertisementsReceived + many;
  });
}

const discarded = (director: LabDirector) =>
  director.said('log').filter(({ message }) => message.includes('was discarded'));

const trailerKeyId = ({ bytes }: Heard) => bytes[bytes.length - hmacTrailerLength + 1];

rootTest('two threads that enforce the same key elect as others do', async (context) => {
  const { lab, first, second } = await settledLab(context, hmac(), hmac());
  const report = await second.freshReport();
  assert.deepEqual(report.counters.rejected, {});
  assert.equal(report.active?.address, '192.0.2.1');
  assert.equal(report.authentication, 'hmac-enforce');
  assert.equal(trailerKeyId(lab.heard[await lab.hears(advert)] ?? assert.fail()), 1);
  await first.thread.stop();
  await second.reaches('active');
  assert.equal(second.report()?.reason, 'active-resigned', 'the resignation was believed as well');
});

rootTest(
  'another key is refused and counted, logged once, and the last packet is kept',
  async (context) => {
    const lab = new VrrpLab(context);
    const [first, second] = lab.directors;
    first.start(highWith(hmac()));
    await first.reaches('active');
    second.start(lowWith(hmac({ keys: [key(1, 'b')] })));
    await counts(second, 'hmac-invalid');
    await second.reaches('active');
    await counts(first, 'hmac-invalid');
    const [line, ...more] = discarded(second);
    assert.deepEqual(more, [], 'one line for all of them');
    const { reason, peer, vrid } = line?.fields ?? {};
    assert.deepEqual(
      { reason, peer, vrid },
      { reason: 'hmac-invalid', peer: '192.0.2.1', vrid: 51 },
    );
    const { lastRejected, counters } = await second.freshReport();
    assert.equal(counters.advertisementsReceived, 0);
    assert.equal(lastRejected?.reason, 'hmac-invalid');
    assert.equal(lastRejected.source, '192.0.2.1');
    assert.equal(lastRejected.bytes * 2, lastRejected.hex.length);
    await eventually('the packet that is kept has been on the wire', () =>
      lab.heard.some(({ bytes }) => {
        return (
          Buffer.from(bytes.subarray(ethernetHeaderLength)).toString('hex') === lastRejected.hex
        );
      }),
    );
    const before = second.messages.length;
    second.configure({
      routers: [lowWith(hmac({ keys: [key(2, 'a')], sendKeyId: 2 }))],
      syncGroups: [],
    });
    await counts(second, 'hmac-unknown-key');
    const later = discarded(second).filter((each) => second.messages.indexOf(each) >= before);
    assert.deepEqual(
      later.map(({ fields }) => fields.reason),
      ['hmac-unknown-key'],
      'what is wrong has changed, so there is a line again',
    );
  },
);

rootTest('keys are changed with two ids, and nobody misses an advertisement', async (context) => {
  const { lab, first, second } = await settledLab(context, hmac(), hmac());
  const both = [key(1, 'a'), key(2, 'b')];
  const steps: readonly (readonly [LabDirector, HmacSpec])[] = [
    [second, hmac({ keys: both })],
    [first, hmac({ keys: both })],
    [first, hmac({ keys: both, sendKeyId: 2 })],
    [second, hmac({ keys: both, sendKeyId: 2 })],
    [first, hmac({ keys: [key(2, 'b')], sendKeyId: 2 })],
    [second, hmac({ keys: [key(2, 'b')], sendKeyId: 2 })],
  ];
  for (const [director, settings] of steps) {
    const router = director === first ? highWith(settings) : lowWith(settings);
    const configured = director.said('configured').length;
    director.configure({ routers: [router], syncGroups: [] });
    await eventually('it is taken', () => director.said('configured').length > configured);
    await hearsMore(second);
  }
  const ids = lab.heard.filter(({ text }) => text === advert).map(trailerKeyId);
  assert.deepEqual([...new Set(ids)], [1, 2]);
  const { counters, state } = await second.freshReport();
  assert.equal(state, 'backup');
  assert.deepEqual(counters.rejected, {});
  assert.equal(second.said('transition').length, 1, 'it has been Backup all the time');
});

rootTest(
  'HMAC is introduced by receive-only, permissive and enforce without a break',
  async (context) => {
    const { lab, first, second } = await settledLab(
      context,
      undefined,
      hmac({ mode: 'receive-only' }),
    );
    const report = await second.freshReport();
    assert.ok((report.counters.warnings['hmac-absent'] ?? 0) >= many);
    const put = async (director: LabDirector, mode: HmacSpec['mode']) => {
      const configured = director.said('configured').length;
      const router = (director === first ? highWith : lowWith)(hmac({ mode }));
      director.configure({ routers: [router], syncGroups: [] });
      await eventually('it is taken', () => director.said('configured').length > configured);
      await hearsMore(second);
    };
    await put(first, 'receive-only');
    const plain = lab.heard.findLast(({ text }) => text === advert);
    assert.equal(plain?.bytes.length, ethernetHeaderLength + 20 + 12, 'receive-only sends none');
    await put(first, 'permissive');
    const signed = lab.heard.findLast(({ text }) => text === advert);
    assert.equal(signed?.bytes.length, (plain?.bytes.length ?? 0) + hmacTrailerLength);
    await put(second, 'permissive');
    await put(second, 'enforce');
    await put(first, 'enforce');
    const { counters } = await second.freshReport();
    assert.deepEqual(counters.rejected, {});
    assert.equal(second.said('transition').length, 1, 'it has been Backup all the time');
  },
);

rootTest('who enforces refuses what has no trailer, but is heard itself', async (context) => {
  const lab = new VrrpLab(context);
  const [first, second] = lab.directors;
  first.start(highWith(hmac({ mode: 'receive-only' })));
  await first.reaches('active');
  second.start(lowWith(hmac()));
  await counts(second, 'hmac-missing');
  await second.reaches('active');
  await hearsMore(first);
  assert.deepEqual((await first.freshReport()).counters.rejected, {});
});

rootTest('a packet that is sent again by somebody else is refused and counted', async (context) => {
  const { lab, first, second } = await settledLab(context, hmac(), hmac());
  const captured = lab.heard[await lab.hears(advert)] ?? assert.fail();
  await hearsMore(second);
  await first.thread.kill();
  await second.reaches('active');
  const { counters } = await second.freshReport();
  for (let copy = 0; copy < many; copy += 1) lab.station.send(captured.bytes);
  await counts(second, 'hmac-replay');
  const report = await second.freshReport();
  assert.equal(report.counters.rejected['hmac-replay'], many);
  assert.equal(report.counters.advertisementsReceived, counters.advertisementsReceived);
  assert.equal(report.state, 'active', 'a copy of a higher priority deposes nobody');
  assert.equal(report.lastRejected?.reason, 'hmac-replay');
  assert.equal(discarded(second).length, 1);
});
