/** Keys of the file itself. */
import { bfdType } from './bfdDefinition.js';
import { connectionSyncSection } from './connectionSyncDefinition.js';
import { listOf, mapOf } from './containerTypes.js';
import {
  type CompleteOf,
  type DraftOf,
  optional,
  type Reading,
  required,
  section,
  withDefault,
} from './definition.js';
import { healthKeys } from './healthDefinition.js';
import { hookType } from './hookDefinition.js';
import { readMapping } from './mappingReader.js';
import { listenEndpoint } from './networkTypes.js';
import { peeringType } from './peeringDefinition.js';
import { presetType } from './presetType.js';
import { nodeType, partName, syncGroupType, virtualRouterType } from './routerDefinition.js';
import { boolean, duration, integer, oneOf, percentage, text } from './scalarTypes.js';
import { serviceType } from './serviceDefinition.js';
import { systemSection } from './systemDefinition.js';
import { trackerType } from './trackerDefinition.js';

/** A Unix socket's path has 108 bytes in the kernel, with the NUL that ends it. */
const socketPath = text({
  description: 'absolute path, at most 107 characters',
  pattern: /^\/[!-~]{1,106}$/,
  expected: 'an absolute path of at most 107 characters without spaces',
});

const filePath = text({
  description: 'absolute path',
  pattern: /^\/[!-~]{1,4094}$/,
  expected: 'an absolute path without spaces',
});

/** The whole file. */
export const rootDefinition = {
  cluster: required(partName, {
    doc: 'Names the pair of directors: in logs, metrics and status. The same on every node.',
  }),
  nodes: required(mapOf(partName, nodeType, { min: 1 }), {
    doc:
      'The directors by name. A node finds itself by `--node`, by `TANDEM_NODE` or by its ' +
      'hostname, with or without its domain.',
  }),
  preset: optional(presetType, {
    doc:
      'Defaults for all timers of `virtualRouters` and `bfd`, see the table below. Keys that are ' +
      'given win, and so does the `preset` of a virtual router or session.',
    meaning: 'the defaults of each key, which are those of `lan`',
  }),
  virtualRouters: withDefault(listOf(virtualRouterType, { min: 0, max: 255 }), [], {
    doc: 'What the directors elect an Active for: groups of virtual addresses (VRRP).',
  }),
  syncGroups: withDefault(listOf(syncGroupType, { min: 0, max: 255 }), [], {
    doc: 'Virtual routers that change state together.',
  }),
  trackers: withDefault(listOf(trackerType, { min: 0, max: 8192 }), [], {
    doc: 'What the election takes into account beside the directors: links, scripts, services.',
  }),
  hooks: withDefault(listOf(hookType, { min: 0, max: 256 }), [], {
    doc: 'Programs that are called when a virtual router or a sync group changes its state.',
  }),
  bfd: withDefault(listOf(bfdType, { min: 0, max: 64 }), [], {
    doc:
      'Bidirectional forwarding detection (RFC 5880): notices within a fraction of a second that ' +
      'the other director, or a gateway, cannot be reached.',
  }),
  services: withDefault(listOf(serviceType, { min: 0, max: 4096 }), [], {
    doc: 'What is balanced, and to whom (IPVS).',
  }),
  health: section('What follows from the checks of all services together.', healthKeys),
  ipvs: section("How the kernel's table is kept.", {
    onStop: withDefault(oneOf(['keep', 'remove']), 'keep', {
      env: 'TANDEM_IPVS_ON_STOP',
      doc: 'Whether a stopped agent leaves its services in the kernel or takes them out.',
    }),
    auditInterval: withDefault(duration({ minMs: 1000, maxMs: 3_600_000 }), '30s', {
      env: 'TANDEM_IPVS_AUDIT_INTERVAL',
      doc: "How often the kernel's table is compared with what it shall be, and put right.",
    }),
  }),
  overrides: section('What operators set for servers: drain, maintenance, weights.', {
    stateFile: withDefault(filePath, '/var/lib/tandem/overrides.json', {
      env: 'TANDEM_OVERRIDES_STATE_FILE',
      doc: 'The file that it survives a restart in.',
    }),
    maintenanceFolder: withDefault(filePath, '/run/tandem/maintenance', {
      env: 'TANDEM_OVERRIDES_MAINTENANCE_FOLDER',
      doc:
        'A file in this folder takes a server out of service while it is there. Its name is ' +
        '`ADDRESS`, `ADDRESS:PORT` or `SERVICE@ADDRESS:PORT`, its first line is the reason.',
    }),
  }),
  reload: section('What a reload may do.', {
    maxRemovedShare: withDefault(percentage, '50%', {
      env: 'TANDEM_RELOAD_MAX_REMOVED_SHARE',
      doc:
        'A reload that would remove more than this share of the servers or of the services is ' +
        'refused unless it is forced (`tandem reload --force`). The value that runs counts.',
    }),
  }),
  peering: optional(peeringType, {
    doc:
      'The authenticated channel between the two directors: each sees the state and the ' +
      'configuration of the other. Losing it never decides an election.',
    meaning: 'no channel; a split brain and different configurations stay unseen',
  }),
  connectionSync: connectionSyncSection,
  system: systemSection,
  api: section('Where the agent answers `tandem status` and the others.', {
    socket: withDefault(socketPath, '/run/tandem/tandem.sock', {
      env: 'TANDEM_API_SOCKET',
      doc: 'Path of the Unix socket.',
    }),
    listen: optional(listenEndpoint, {
      doc:
        'Answers GET /metrics (for Prometheus) and GET /v1/status over TCP as well, to everybody ' +
        'who can reach the address; actions stay on the socket.',
      meaning: 'the socket only',
    }),
  }),
  guard: section('What happens when the agent dies without a goodbye.', {
    enabled: withDefault(boolean, true, {
      env: 'TANDEM_GUARD_ENABLED',
      doc:
        'A small process beside the agent says priority 0 and takes the addresses off as soon as ' +
        'the agent has been killed or has crashed. Without it the peer waits for ' +
        'Active_Down_Interval, and the addresses stay until `tandem release`.',
    }),
  }),
  realtime: section('How the kernel schedules the election, on a machine that is busy.', {
    scheduler: withDefault(oneOf(['auto', 'none', 'round-robin']), 'auto', {
      doc:
        '`round-robin` runs the thread of the election before all ordinary ones (SCHED_RR). ' +
        'It needs CAP_SYS_NICE; without it the agent warns and goes on. `auto` does the same ' +
        'where it is permitted, and `none` leaves the thread an ordinary one.',
    }),
    priority: withDefault(integer({ min: 1, max: 99 }), 10, {
      doc: 'Its priority among the real-time threads of the machine.',
    }),
    lockMemory: withDefault(boolean, false, {
      doc:
        'Keeps the memory of the agent from being swapped out. It needs CAP_IPC_LOCK; without it ' +
        'the agent warns and goes on.',
    }),
    cpus: optional(listOf(integer({ min: 0, max: 1023 }), { min: 1, max: 1024 }), {
      doc: 'The processors that the thread of the election may run on.',
      meaning: 'all that the agent may run on',
    }),
  }),
  log: section('What is written to the log.', {
    level: withDefault(oneOf(['error', 'warn', 'info', 'debug']), 'info', {
      env: 'TANDEM_LOG_LEVEL',
      doc: 'The least severe level that is written.',
    }),
  }),
} as const;

/** The file as read; what is wrong is `undefined`. */
export type RootDraft = DraftOf<typeof rootDefinition>;

/** The file without errors. */
export type RootComplete = CompleteOf<typeof rootDefinition>;

/** Reads the plain value of a whole file. */
export function readRoot(
  raw: unknown,
  env: Readonly<Record<string, string | undefined>>,
): Reading<RootDraft> {
  return readMapping(rootDefinition, raw, { env });
}
