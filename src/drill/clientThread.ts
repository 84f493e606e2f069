/** The worker thread of the client node: all of the load, and its measurements. */
import { nowUs } from '../kernel/monotonicClock.js';
import { Download } from './download.js';
import { serveLabThread } from './labThread.js';
import type { LoadProgress, LoadReply, LoadRequest, LoadSettings } from './loadProtocol.js';
import { Patience } from './patience.js';
import { PersistentClient } from './persistentClient.js';
import { Prober } from './prober.js';
import { takeTurns } from './takeTurns.js';

serveLabThread<LoadSettings, LoadRequest, LoadReply>((settings) => {
  const patience = new Patience(settings.timeoutMs, nowUs);
  const prober = new Prober(settings, patience);
  const persistent = settings.persistent.clientAddresses.map(
    (address) => new PersistentClient(settings, address, patience),
  );
  const downloads = Array.from({ length: settings.downloads.count }, (_, index) => {
    const { sourceAddresses } = settings.prober;
    const address = sourceAddresses[index % sourceAddresses.length];
    return address === undefined ? [] : [new Download(settings, address)];
  }).flat();

  const progress = (): LoadProgress => ({
    sent: prober.sent,
    answered: [...prober.answersPerServer.values()].reduce((sum, count) => sum + count, 0),
    failed: prober.failed,
    answersPerServer: Object.fromEntries(prober.answersPerServer),
    persistentAnswered: persistent.filter((client) => client.lastAnswerUs !== null).length,
    persistentLastAnswersUs: persistent.map((client) => client.lastAnswerUs),
    downloadsFlowing: downloads.filter((download) => download.isFlowing()).length,
    downloads: downloads.map((download) => {
      const { localAddress, localPort, server } = download.record;
      return { localAddress, localPort, server };
    }),
    lastAnswerUs: prober.lastAnswerUs,
  });

  return async (request) => {
    switch (request.type) {
      case 'take-turns':
        patience.start();
        return { type: 'turns', turns: await takeTurns(settings, request.count, patience) };
      case 'start': {
        patience.start();
        prober.start();
        const spacingMs = settings.persistent.intervalMs / Math.max(1, persistent.length);
        for (const [index, client] of persistent.entries()) client.start(index * spacingMs);
        for (const download of downloads) download.start();
        return { type: 'started' };
      }
      case 'progress':
        return { type: 'progress', progress: progress() };
      case 'finish': {
        for (const client of persistent) client.stop();
        await prober.stop();
        patience.stop();
        for (const download of downloads) download.stop();
        return {
          type: 'finished',
          result: {
            requests: prober.records,
            skipped: prober.skipped,
            latenessMaxUs: prober.latenessMaxUs,
            stalledUs: patience.stalledUs,
            recordsDropped: prober.recordsDropped,
            persistent: persistent.map((client) => client.record),
            downloads: downloads.map((download) => download.record),
          },
        };
      }
    }
  };
});
