/** What became of each persistent client and download, and what may be expected of it. Pure. */
import { downloadOutcome, persistentOutcome } from './measurements.js';
import {
  failedServer,
  isDownloadSynced,
  isTemplateSynced,
  type Observation,
} from './observation.js';
import type { DrillMeasured } from './report.js';

/** A download that has been silent for longer than this at the end has stalled. */
const quietMaxUs = 2_000_000;

/**
 * The persistent clients. When a director is lost, those are expected to stay whose template the
 * standby had; when a server is lost, those of the other servers.
 */
export function persistentRows(observation: Observation): DrillMeasured['persistentClients'] {
  const { load, faultUs, standbyConnections, scenario } = observation;
  const lost = failedServer(scenario);
  return load.persistent.map((client) => {
    const outcome = persistentOutcome(client, faultUs);
    const synced = isTemplateSynced(standbyConnections, client.address);
    const expectedToStay =
      lost === undefined ? synced : outcome.before !== null && outcome.before !== lost;
    return { ...outcome, synced, expectedToStay };
  });
}

/**
 * The downloads. When a director is lost, those are expected to survive whose connection the
 * standby had; when a server is killed, those of the others; a server that answers errors goes on
 * with what it has begun, because weight 0 ends no connection.
 */
export function downloadRows(observation: Observation): DrillMeasured['downloads'] {
  const { load, faultUs, endUs, standbyConnections, scenario } = observation;
  const killed = scenario.fault.find(
    (action) => action.kind === 'server' && action.behaviour === 'killed',
  );
  return load.downloads.map((download) => {
    const outcome = downloadOutcome(download, faultUs, endUs, quietMaxUs);
    const synced = isDownloadSynced(standbyConnections, download);
    const expectedToSurvive =
      failedServer(scenario) === undefined
        ? synced
        : killed === undefined || download.server !== failedServer(scenario);
    return { ...outcome, synced, expectedToSurvive };
  });
}
