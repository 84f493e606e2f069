/**
 * What reading a saved table into the kernel's table would make of it. The lines are carried out
 * on a copy; the kernel is told afterwards, and only what differs. Pure.
 */
import type {
  IpvsOperation,
  IpvsServer,
  IpvsService,
  ServerIdentity,
  ServiceIdentity,
} from '../../wire/ipvsModel.js';
import { formatServerIdentity, formatServiceIdentity } from '../../wire/ipvsText.js';
import { diffIndexed, diffTables } from '../diff.js';
import {
  type IndexedTable,
  indexTable,
  type ServerKey,
  type ServiceKey,
  type TableService,
} from '../table.js';
import { type CommandRefusal, exitStatus } from './model.js';
import { atLine, type RestoreLine } from './restoreInput.js';

/** What the input asks for. */
export interface RestorePlan {
  readonly operations: readonly IpvsOperation[];
  /** Commands that are not about the table, in order; they come after it. */
  readonly afterwards: readonly RestoreLine[];
}

/** The services whose servers must be known to plan the lines; `all` when the table is cleared. */
export function servicesOfInput(lines: readonly RestoreLine[]): ReadonlySet<ServiceKey> | 'all' {
  const identities = new Set<ServiceIdentity>();
  for (const { command } of lines) {
    if (command.kind === 'clear') return 'all';
    if (command.kind === 'change') identities.add(serviceOf(command.operation));
  }
  return new Set([...identities].map(formatServiceIdentity));
}

/** The service that a change is about. */
export function serviceOf(operation: IpvsOperation): ServiceIdentity {
  return operation.kind === 'add-service' || operation.kind === 'edit-service'
    ? operation.service.identity
    : operation.service;
}

/**
 * Plans the lines on a table. Adding what is there already is no error: it is made as the line
 * says. Editing or deleting what is not there refuses the whole input.
 */
export function planRestore(
  lines: readonly RestoreLine[],
  actual: readonly TableService[],
): RestorePlan | CommandRefusal {
  const before = indexTable(actual);
  const draft = new TableDraft(before);
  const afterwards: RestoreLine[] = [];
  for (const line of lines) {
    const { command, lineNumber } = line;
    if (command.kind === 'clear') draft.clear();
    else if (command.kind !== 'change') afterwards.push(line);
    else {
      const problem = draft.change(command.operation);
      if (problem !== undefined) {
        const refusal = {
          kind: 'refused',
          message: problem,
          exitStatus: exitStatus.refused,
        } as const;
        return atLine(lineNumber, refusal);
      }
    }
  }
  const { operations } = diffIndexed(draft.services, before, draft.deleted);
  return { operations, afterwards };
}

/** The services that changes are about. */
export function touchedServices(operations: readonly IpvsOperation[]): ReadonlySet<ServiceKey> {
  return new Set(operations.map((operation) => formatServiceIdentity(serviceOf(operation))));
}

/** What takes changes back: the services that they touched become what they were before. */
export function planRollback(
  operations: readonly IpvsOperation[],
  before: readonly TableService[],
  now: readonly TableService[],
): readonly IpvsOperation[] {
  const touched = touchedServices(operations);
  const isTouched = ({ service }: TableService): boolean =>
    touched.has(formatServiceIdentity(service.identity));
  return diffTables(before.filter(isTouched), now.filter(isTouched), touched).operations;
}

interface DraftService {
  service: IpvsService;
  readonly servers: Map<ServerKey, IpvsServer>;
}

/** A copy of the table on which the lines are carried out. */
class TableDraft {
  readonly #services = new Map<ServiceKey, DraftService>();
  readonly deleted = new Set<ServiceKey>();
  /** The service of the last change; most are about the one that the change before was about. */
  #lastIdentity: ServiceIdentity | undefined;
  #lastKey: ServiceKey = '';

  constructor(table: IndexedTable) {
    for (const [key, { service, servers }] of table) {
      this.#services.set(key, { service, servers: new Map(servers) });
    }
  }

  /** What the lines have made of it. */
  get services(): IndexedTable {
    return this.#services;
  }

  clear(): void {
    for (const key of this.#services.keys()) this.deleted.add(key);
    this.#services.clear();
  }

  /** Carries a change out; gives what is wrong with it. */
  change(operation: IpvsOperation): string | undefined {
    const key = this.#keyOf(serviceOf(operation));
    const found = this.#services.get(key);
    switch (operation.kind) {
      case 'add-service':
        if (found === undefined) {
          this.#services.set(key, { service: operation.service, servers: new Map() });
          this.deleted.delete(key);
        } else found.service = operation.service;
        return undefined;
      case 'edit-service':
        if (found === undefined) return `there is no service ${key}`;
        found.service = operation.service;
        return undefined;
      case 'delete-service':
        if (found === undefined) return `there is no service ${key}`;
        this.#services.delete(key);
        this.deleted.add(key);
        return undefined;
      default:
        if (found === undefined) return `there is no service ${key}`;
        return changeServer(found, key, operation);
    }
  }

  #keyOf(identity: ServiceIdentity): ServiceKey {
    if (identity !== this.#lastIdentity) {
      this.#lastIdentity = identity;
      this.#lastKey = formatServiceIdentity(identity);
    }
    return this.#lastKey;
  }
}

function changeServer(
  found: DraftService,
  serviceKey: ServiceKey,
  operation: Extract<IpvsOperation, { readonly server: ServerIdentity }>,
): string | undefined {
  const key = formatServerIdentity(operation.server);
  if (operation.kind === 'add-server') {
    found.servers.set(key, operation.server);
    return undefined;
  }
  if (!found.servers.has(key)) return `there is no server ${key} in ${serviceKey}`;
  if (operation.kind === 'edit-server') found.servers.set(key, operation.server);
  else found.servers.delete(key);
  return undefined;
}
