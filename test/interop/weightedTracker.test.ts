/** A weighted election that ours loses to a keepalived that knows nothing of our haste. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { activeDownUs, skewUs } from '../../src/vrrp/timing.js';
import { resignPriority } from '../../src/wire/vrrp.js';
import { lanTest } from '../tools/lanTest.js';
import { highPriority, lowPriority } from '../tools/startDirector.js';
import { agentConfig } from '../tools/tandemDirector.js';
import { waitFor } from '../tools/waiting.js';

const advertIntervalMs = 200;

lanTest(
  'keepalived takes over within its skew from a director whose tracker fails',
  ['keepalived'],
  async (scene) => {
    const file = join(scene.lan.folder, 'load');
    const settings = { priority: highPriority, advertIntervalMs };
    const config = agentConfig(scene.lan, 'lb1', settings).replace(
      `priority: ${highPriority}`,
      `priority: { lb1: ${highPriority}, lb2: ${lowPriority} }\n    track: [load]`,
    );
    const tracker = `{ name: load, type: file, path: ${file} }`;
    await scene.startTandem('lb1', `${config}trackers:\n  - ${tracker}\n`);
    await scene.waitForHolder('lb1');
    await scene.start('keepalived', 'lb2', { priority: lowPriority, advertIntervalMs });
    await scene.staysWith('lb1', advertIntervalMs);
    writeFileSync(file, String(highPriority - lowPriority + 50));
    const resignation = await waitFor('priority 0', () =>
      scene.advertsOf('lb1').find(({ priority }) => priority === resignPriority),
    );
    const { atUs } = await scene.firstAdvertAfter('lb2', resignation.atUs);
    const tookUs = atUs - resignation.atUs;
    const [skew, activeDown] = [skewUs, activeDownUs].map((interval) =>
      interval(lowPriority, advertIntervalMs * 1000),
    );
    assert.ok(skew !== undefined && activeDown !== undefined);
    scene.context.diagnostic(
      `${Math.round(tookUs / 1000)} ms: ${(tookUs / skew).toFixed(2)} of the skew, ` +
        `${(tookUs / activeDown).toFixed(2)} of Active_Down_Interval`,
    );
    assert.ok(tookUs < activeDown / 2, `${tookUs} us`);
    await scene.waitForHolder('lb2');
    writeFileSync(file, '0');
    await scene.waitForHolder('lb1');
  },
);
