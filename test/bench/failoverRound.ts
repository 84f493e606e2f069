/** One round of the failover benchmark: a fresh pair, one fault, one measurement. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nowUs } from '../../src/kernel/monotonicClock.js';
import type { DirectorDaemon, DirectorProgram } from '../tools/directorDaemon.js';
import { type DirectorName, directors, type Lan, virtualAddress } from '../tools/lan.js';
import { highPriority, lowPriority, startDirector } from '../tools/startDirector.js';
import { TandemDirector } from '../tools/tandemDirector.js';
import { waitFor } from '../tools/waiting.js';
import { DisturbedRoundError, measureRound } from './failoverMeasure.js';
import type { FailoverFault, FailoverRound, FailoverSetting } from './failoverModel.js';
import { LanWorker } from './lanWorker.js';
import type { ProberReply, ProberRequest } from './proberProtocol.js';

/** How long the client goes on after the first answer of the new Active, in milliseconds. */
const aftermathMs = 200;
/** Adverts of the Active that the Backup can hear before the fault. */
const settlingAdverts = 2;

/** What is different from round to round. */
export interface RoundChoice {
  readonly round: number;
  /**
   * When the fault comes, as the part of the interval since the last advert; see
   * {@link randomPhase}. A gap is the longer the sooner it comes, so programs share the phase.
   */
  readonly phase: number;
}

/** A phase that leaves the time to see the advert, and to act before the next one is due. */
export function randomPhase(): number {
  return 0.2 + 0.7 * Math.random();
}

/** The client and the echo servers, which serve all rounds of a run alike. */
export class FailoverLoad {
  readonly client: LanWorker<ProberRequest, ProberReply>;
  readonly #echoes: readonly LanWorker<'ready', 'ready'>[];

  constructor(lan: Lan) {
    this.client = new LanWorker('proberThread', lan.namespaceName('client'));
    this.#echoes = directors.map((node) => new LanWorker('echoThread', lan.namespaceName(node)));
  }

  /** Resolves when everything listens. */
  async waitUntilReady(): Promise<void> {
    await this.client.call({ type: 'progress' });
    for (const echo of this.#echoes) await echo.call('ready');
  }

  async stop(): Promise<void> {
    await Promise.all([this.client, ...this.#echoes].map((worker) => worker.stop()));
  }
}

/** Measures one round. Whatever happens, no daemon is left and the network is as before. */
export async function runRound(
  lan: Lan,
  load: FailoverLoad,
  program: DirectorProgram,
  setting: FailoverSetting,
  { round, phase }: RoundChoice,
): Promise<FailoverRound> {
  const daemons: DirectorDaemon[] = [];
  try {
    const active = await startPair(lan, daemons, program, setting);
    const reply = await breakActive(lan, load, active, setting, phase);
    const measurement = measureRound(reply.record, {
      ...setting,
      before: 'lb1',
      after: 'lb2',
      backupPriority: lowPriority,
      backupMacAddress: lan.macAddress('lb2'),
    });
    const { sent: probesSent, latenessMaxUs: probeLatenessMaxUs } = reply;
    return { program, round, phase, ...setting, ...measurement, probesSent, probeLatenessMaxUs };
  } catch (error) {
    if (error instanceof DisturbedRoundError) throw error;
    const logs = daemons.map((daemon) => `${daemon.node}: ${daemon.logTail}`).join('\n');
    const { fault, advertIntervalMs, addressCount } = setting;
    const what = `${program}, ${fault}, ${advertIntervalMs} ms, ${addressCount} addresses`;
    throw new Error(`round ${round} of ${what}: ${String(error)}\n${logs}`, { cause: error });
  } finally {
    await Promise.allSettled(daemons.map((daemon) => daemon.stop()));
    lan.setLink('lb1', true);
    for (const node of directors) lan.removeVirtualAddresses(node);
  }
}

/** lb1 becomes Active, then lb2 comes and hears it. */
async function startPair(
  lan: Lan,
  daemons: DirectorDaemon[],
  program: DirectorProgram,
  { fault, advertIntervalMs, addressCount }: FailoverSetting,
): Promise<DirectorDaemon> {
  const bfd = fault === 'link-cut-bfd';
  const settings = { advertIntervalMs, addressCount, bfd, realtime: true };
  const path = loadPath(lan);
  writeFileSync(path, '0');
  const active = startDirector(lan, program, 'lb1', {
    priority: highPriority,
    ...settings,
    ...(fault === 'weight' ? { load: { path, peerPriority: lowPriority } } : {}),
  });
  daemons.push(active);
  await active.waitUntilReady();
  await waitFor('lb1 is Active', () => lan.hasAddress('lb1', virtualAddress));
  const backup = startDirector(lan, program, 'lb2', { priority: lowPriority, ...settings });
  daemons.push(backup);
  await backup.waitUntilReady();
  for (const daemon of [active, backup]) {
    if (!(daemon instanceof TandemDirector)) continue;
    await daemon.waitForStatus('the guard stands by', ({ threads }) => threads.guard?.running);
  }
  await sleep(settlingAdverts * advertIntervalMs);
  if (bfd && backup instanceof TandemDirector) {
    await backup.waitForStatus('BFD is up', ({ bfd: [session] }) => session?.state === 'up');
  }
  return active;
}

function loadPath(lan: Lan): string {
  return join(lan.folder, 'load');
}

/** Breaks the Active at a phase of its adverts, and waits until the Backup answers. */
async function breakActive(
  lan: Lan,
  load: FailoverLoad,
  active: DirectorDaemon,
  { fault, advertIntervalMs }: FailoverSetting,
  phase: number,
): Promise<ProberReply> {
  const { client } = load;
  await client.call({ type: 'start' });
  try {
    const isAnsweredBy = async (node: DirectorName): Promise<boolean> =>
      (await client.call({ type: 'progress' })).lastAnswer?.from === node;
    await waitFor('answers of lb1', () => isAnsweredBy('lb1'));
    const heardUs = await nextAdvertUs(client);
    await sleep((heardUs + phase * advertIntervalMs * 1_000 - nowUs()) / 1_000);
    await breakOne(lan, active, fault);
    await waitFor('answers of lb2', () => isAnsweredBy('lb2'));
    await sleep(aftermathMs);
  } catch (error) {
    await client.call({ type: 'finish' });
    throw error;
  }
  return client.call({ type: 'finish' });
}

/** A crash takes until what cleans up after it is done; the answers go on meanwhile. */
async function breakOne(lan: Lan, active: DirectorDaemon, fault: FailoverFault): Promise<void> {
  switch (fault) {
    case 'link-cut':
    case 'link-cut-bfd':
      lan.setLink(active.node, false);
      break;
    case 'polite-stop':
      active.tellToStop();
      break;
    case 'freeze':
      active.freeze();
      break;
    case 'crash':
      await active.crash();
      break;
    case 'weight':
      writeFileSync(loadPath(lan), String(highPriority - lowPriority + 10));
      break;
  }
}

/** Waits for an advert that was not there before. */
async function nextAdvertUs(client: FailoverLoad['client']): Promise<number> {
  const sinceUs = nowUs();
  return waitFor('an advert of lb1', async () => {
    const { lastAdvert } = await client.call({ type: 'progress' });
    return lastAdvert !== null && lastAdvert.atUs > sinceUs && lastAdvert.atUs;
  });
}
