/**
 * What operators have set for servers over the configuration: takes requests, maintenance files and
 * what the peer knows, keeps it in the state file, and tells the balancer and the peer.
 */
import type { OverrideAction, OverrideRequest } from '../api/overrideModel.js';
import type { ServiceConfig, TandemConfig } from '../config/model.js';
import { TandemError } from '../errors.js';
import type { ServerId } from '../ipvs/desired.js';
import {
  effectiveOverrides,
  indexOverrides,
  mergeOverrides,
  nextRecord,
  noOverrides,
  type OverrideRecords,
  overrideKey,
  pruneOverrides,
  type ServerOverride,
} from '../ipvs/overrides.js';
import { type SelectedServer, selectServers } from '../ipvs/serverSelection.js';
import { type OverrideKind, type OverrideRecord, overridesMax } from '../wire/overrideModel.js';
import type { AgentLogger } from './logger.js';
import { type MaintenanceFile, MaintenanceFolder } from './maintenanceFolder.js';
import { readOverrideFile, writeOverrideFile } from './overrideFile.js';

/** Who hears of changes. */
export interface OverrideEvents {
  /** What holds now, for the balancer. */
  readonly onEffective: (overrides: ReadonlyMap<ServerId, ServerOverride>) => Promise<void>;
  /** All records, for the peer. */
  readonly onRecords: (records: readonly OverrideRecord[]) => void;
}

/** What an action does to which register. */
const actionEffects = {
  drain: { kind: 'drain', holds: true, done: 'drained' },
  undrain: { kind: 'drain', holds: false, done: 'back from draining' },
  maintain: { kind: 'maintain', holds: true, done: 'in maintenance' },
  unmaintain: { kind: 'maintain', holds: false, done: 'back from maintenance' },
  weight: { kind: 'weight', holds: true, done: 'has another weight' },
  unweight: { kind: 'weight', holds: false, done: 'has its configured weight again' },
} as const satisfies Record<
  OverrideAction,
  { readonly kind: OverrideKind; readonly holds: boolean; readonly done: string }
>;

/** The overrides of this node. */
export class Overrides {
  readonly #logger: AgentLogger;
  readonly #events: OverrideEvents;
  #records: OverrideRecords = noOverrides;
  #services: readonly ServiceConfig[] = [];
  #files: readonly MaintenanceFile[] = [];
  #node = '';
  #statePath = '';
  #folderPath = '';
  #folder: MaintenanceFolder | undefined;
  #loggedNames = '';

  constructor(logger: AgentLogger, events: OverrideEvents) {
    this.#logger = logger.child({ part: 'overrides' });
    this.#events = events;
  }

  /** What holds for each server. */
  get effective(): ReadonlyMap<ServerId, ServerOverride> {
    return effectiveOverrides(this.#records);
  }

  /** Reads the state file at the first call, and follows the maintenance folder. */
  async configure(config: TandemConfig): Promise<void> {
    const { stateFile, maintenanceFolder } = config.overrides;
    this.#node = config.node.name;
    this.#services = config.services;
    if (this.#statePath === '') this.#load(stateFile);
    this.#statePath = stateFile;
    if (this.#folderPath !== maintenanceFolder) {
      this.#folder?.close();
      this.#folderPath = maintenanceFolder;
      // The first look is made in the constructor, before this method goes on.
      this.#folder = new MaintenanceFolder(maintenanceFolder, (files) => {
        this.#files = files;
        void this.#followFiles();
      });
    }
    await this.#followFiles();
    this.#events.onRecords([...this.#records.values()]);
    await this.#events.onEffective(this.effective);
  }

  /**
   * Carries out a request and waits until the kernel was told. Throws `USAGE` when it is not clear
   * which server is meant, and `AGENT_REFUSED` when it cannot be.
   */
  async apply(request: OverrideRequest, user: string): Promise<string> {
    const servers = this.select(request.server, request.all);
    const { kind, holds, done } = actionEffects[request.action];
    if (request.action === 'unmaintain') this.#refuseOwnFiles(servers);
    const news = servers.flatMap(({ id }) =>
      holds
        ? [this.#next(id, kind, '', request.weight ?? 0, user, request.reason)]
        : this.#takeBack(id, kind, user, request.reason),
    );
    this.#refuseTooMany(news);
    await this.#take(news, true);
    const names = servers.map(({ id }) => id).join(', ');
    if (news.length === 0) return `nothing to take back: ${names}`;
    const what = request.action === 'weight' ? `has weight ${request.weight} now` : done;
    const message = `${names} ${what}`;
    this.#logger.info({ action: request.action, user, reason: request.reason }, message);
    return message;
  }

  /** The servers that a text means. Throws `USAGE`. */
  select(text: string, all: boolean): readonly SelectedServer[] {
    const selection = selectServers(text, this.#services, all);
    if (selection.kind === 'found') return selection.servers;
    throw new TandemError('USAGE', selection.message, { hint: selection.hint });
  }

  /** Takes what the peer knows. What is later there counts here too. */
  async takePeer(records: readonly OverrideRecord[]): Promise<void> {
    await this.#take(records, false);
    // The peer may hold that a file of this node does not count any more; the file says it does.
    await this.#followFiles();
  }

  /** Stops following the folder. What was set stays in the state file. */
  stop(): void {
    this.#folder?.close();
    this.#folder = undefined;
    this.#folderPath = '';
  }

  #load(path: string): void {
    const content = readOverrideFile(path);
    if (content.kind === 'read') this.#records = indexOverrides(content.records);
    if (content.kind !== 'damaged') return;
    const kept = content.keptAs === null ? '' : `; it was renamed to ${content.keptAs}`;
    this.#logger.error(`${path} cannot be used: ${content.problem}${kept}`);
  }

  #next(
    server: ServerId,
    kind: OverrideKind,
    folderOf: string,
    weight: number,
    user: string,
    reason: string,
    holds = true,
  ): OverrideRecord {
    const node = this.#node;
    const record = { server, kind, folderOf, holds, weight, node, user, reason };
    return nextRecord(this.#records, record, Date.now());
  }

  /** Maintenance is taken back with what files of the other node have set. */
  #takeBack(
    server: ServerId,
    kind: OverrideKind,
    user: string,
    reason: string,
  ): readonly OverrideRecord[] {
    return [...this.#records.values()]
      .filter((record) => record.server === server && record.holds)
      .filter((record) => record.kind === kind || (kind === 'maintain' && record.kind === 'file'))
      .map((record) =>
        this.#next(server, record.kind as OverrideKind, record.folderOf, 0, user, reason, false),
      );
  }

  #refuseOwnFiles(servers: readonly SelectedServer[]): void {
    const wanted = new Set(servers.map(({ id }) => id));
    for (const file of this.#files) {
      const found = this.#selectByFile(file.name)?.find(({ id }) => wanted.has(id));
      if (found === undefined) continue;
      const path = `${this.#folderPath}/${file.name}`;
      throw new TandemError('AGENT_REFUSED', `${found.id} is in maintenance by the file ${path}`, {
        hint: 'Remove the file.',
      });
    }
  }

  #refuseTooMany(news: readonly OverrideRecord[]): void {
    const merged = mergeOverrides(this.#records, news);
    const holding = [...merged.values()].filter(({ holds }) => holds).length;
    if (holding <= overridesMax) return;
    throw new TandemError('AGENT_REFUSED', `more than ${overridesMax} overrides at a time`, {
      hint: 'Take back those that are not needed; `tandem status` shows them.',
    });
  }

  /** Takes records into account: file first, so that nothing holds that a restart would forget. */
  async #take(news: readonly OverrideRecord[], own: boolean): Promise<void> {
    const merged = mergeOverrides(this.#records, news);
    if (merged === this.#records) return;
    const pruned = pruneOverrides(merged, Date.now());
    try {
      writeOverrideFile(this.#statePath, [...pruned.values()]);
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message : String(cause);
      const text = `cannot write ${this.#statePath}: ${problem}`;
      if (own) {
        throw new TandemError('AGENT_REFUSED', text, {
          cause,
          hint: 'It would not survive a restart; mend the folder, or `overrides.stateFile`.',
        });
      }
      this.#logger.error(`${text}; it holds until a restart`);
    }
    this.#records = pruned;
    this.#events.onRecords([...pruned.values()]);
    await this.#events.onEffective(this.effective);
  }

  /** Makes the records of this node's folder say what is in the folder. */
  async #followFiles(): Promise<void> {
    const wanted = new Map<ServerId, MaintenanceFile>();
    const unknown: string[] = [];
    for (const file of this.#files) {
      const servers = this.#selectByFile(file.name);
      if (servers === undefined) unknown.push(file.name);
      for (const { id } of servers ?? []) if (!wanted.has(id)) wanted.set(id, file);
    }
    this.#logUnknown(unknown);
    const news: OverrideRecord[] = [];
    for (const [id, { user, reason }] of wanted) {
      const key = overrideKey({ server: id, kind: 'file', folderOf: this.#node });
      const known = this.#records.get(key);
      if (known?.holds === true && known.user === user && known.reason === reason) continue;
      news.push(this.#next(id, 'file', this.#node, 0, user, reason));
    }
    for (const record of this.#records.values()) {
      const isOwn = record.kind === 'file' && record.folderOf === this.#node && record.holds;
      if (!isOwn || wanted.has(record.server)) continue;
      news.push(this.#next(record.server, 'file', this.#node, 0, '', 'file removed', false));
    }
    if (news.length === 0) return;
    for (const { server, holds } of news) {
      this.#logger.info({ server }, `${server} is ${holds ? '' : 'not '}in maintenance by a file`);
    }
    await this.#take(news, false);
  }

  /** File names have no slash, so `web@10.0.0.2:80` stands for `web/10.0.0.2:80`. */
  #selectByFile(name: string): readonly SelectedServer[] | undefined {
    const selection = selectServers(name.replace('@', '/'), this.#services, true);
    return selection.kind === 'found' ? selection.servers : undefined;
  }

  #logUnknown(names: readonly string[]): void {
    const text = names.join(', ');
    if (text !== this.#loggedNames && text !== '') {
      this.#logger.warn(`${this.#folderPath}: no server is named by ${text}`);
    }
    this.#loggedNames = text;
  }
}
