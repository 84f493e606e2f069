/** The worker thread of the client node: all of the load, and its measurements. */
import { Download } from './download.js';
import { serveLabThread } from './labThread.js';
import type { LoadProgress, LoadReply, LoadRequest, LoadSettings } from './loadProtocol.js';
import { PersistentClient } from './persistentClient.js';
import { Prober } from './prober.js';
import { takeTurns } from './takeTurns.js';

serveLabThread<LoadSettings, LoadRequest, LoadReply>((settings) => {
  const prober = new Prober(settings);
  const persistent = settings.persistent.clientAddresses.map(
    (address) => new PersistentClient(settings, address),
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
        return { type: 'turns', turns: await takeTurns(settings, request.count) };
      case 'start': {
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
        for (const download of downloads) download.stop();
        return {
          type: 'finished',
          result: {
            requests: prober.records,
            skipped: prober.skipped,
            latenessMaxUs: prober.latenessMaxUs,
            recordsDropped: prober.recordsDropped,
            persistent: persistent.map((client) => client.record),
            downloads: downloads.map((download) => download.record),
          },
        };
      }
    }
  };
});
