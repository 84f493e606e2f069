/** The commands that print: the table, saved rules, connections, timeouts, daemons. */
import { setTimeout as pause } from 'node:timers/promises';
import { TandemError } from '../../errors.js';
import type { IpAddress } from '../../wire/ipAddress.js';
import type { ServiceIdentity, SyncDaemon } from '../../wire/ipvsModel.js';
import { formatServiceIdentity } from '../../wire/ipvsText.js';
import type { ListedTableService } from '../table.js';
import {
  connectionLine,
  connectionTitle,
  type IpvsConnection,
  parseConnectionLine,
} from './connectionTable.js';
import { type CommandContext, readTable } from './context.js';
import { jsonText } from './jsonText.js';
import type { IpvsCommand } from './model.js';
import { numericNames } from './nameResolver.js';
import type { EndpointNames } from './names.js';
import { sortServers, sortServices } from './order.js';
import { savedRules } from './savedRules.js';
import { tableText, versionLine } from './tableText.js';

/** The commands that print. */
export type ListCommand = Extract<
  IpvsCommand,
  { readonly kind: 'list' | 'save' | 'list-connections' | 'list-timeouts' | 'list-daemons' }
>;

/** Whether a command prints. */
export function isListCommand(command: IpvsCommand): command is ListCommand {
  return command.kind === 'save' || command.kind.startsWith('list');
}

const clearScreen = '\u001b[H\u001b[J';

/** Prints a listing, again and again under `--watch`. */
export async function runListCommand(context: CommandContext, command: ListCommand): Promise<void> {
  const { io, extras } = context;
  const intervalMs = extras.watchIntervalMs;
  if (intervalMs === undefined) {
    io.write(await listing(context, command));
    return;
  }
  while (io.signal?.aborted !== true) {
    const text = await listing(context, command);
    io.write(io.isTerminal ? `${clearScreen}${text}` : `${text}\n`);
    await pause(intervalMs, undefined, io.signal && { signal: io.signal }).catch(() => undefined);
  }
}

async function listing(context: CommandContext, command: ListCommand): Promise<string> {
  const { table, extras } = context;
  switch (command.kind) {
    case 'list':
      return tableListing(context, command);
    case 'save': {
      const entries = await readTable(table, 'all');
      if (extras.json) return jsonText({ services: tableJson(entries) });
      const names = await tableNames(context, entries, command.format.numeric);
      return savedRules(entries, command.format, names);
    }
    case 'list-connections':
      return connectionListing(context, command);
    case 'list-timeouts': {
      const timeouts = await table.timeouts();
      if (extras.json) return jsonText(timeouts);
      const { tcpSeconds, tcpFinSeconds, udpSeconds } = timeouts;
      return `Timeout (tcp tcpfin udp): ${tcpSeconds} ${tcpFinSeconds} ${udpSeconds}\n`;
    }
    case 'list-daemons': {
      const daemons = await table.daemons();
      return extras.json ? jsonText({ daemons }) : daemons.map(daemonLine).join('');
    }
  }
}

async function tableListing(
  { table, extras, ...context }: CommandContext,
  command: Extract<ListCommand, { readonly kind: 'list' }>,
): Promise<string> {
  const { service, format } = command;
  const key = service && formatServiceIdentity(service);
  const all = await readTable(table, key === undefined ? 'all' : new Set([key]));
  const entries = key === undefined ? all : all.filter((entry) => keyOf(entry) === key);
  if (service !== undefined && entries.length === 0) throw noSuchService(service);
  if (extras.json) {
    const services = tableJson(format.sorted ? sortServices(entries) : entries);
    return jsonText(service === undefined ? { ...(await table.info()), services } : { services });
  }
  const names = await tableNames({ table, extras, ...context }, entries, format.numeric);
  const title = service === undefined ? versionLine(await table.info()) : '';
  return title + tableText(entries, format, names);
}

function keyOf({ service }: ListedTableService): string {
  return formatServiceIdentity(service.identity);
}

function noSuchService(service: ServiceIdentity): TandemError {
  const name = formatServiceIdentity(service);
  return new TandemError('IPVS_REFUSED', `there is no service ${name}`, {
    hint: '-Ln lists the services there are.',
  });
}

async function tableNames(
  { names }: CommandContext,
  table: readonly ListedTableService[],
  numeric: boolean,
): Promise<EndpointNames> {
  if (numeric) return numericNames;
  const addresses: IpAddress[] = [];
  for (const { service, servers } of table) {
    if (service.identity.kind === 'address') addresses.push(service.identity.address);
    for (const server of servers) addresses.push(server.address);
  }
  await names.learnHosts(addresses);
  return names;
}

/** Services with their servers beneath them; identities both in parts and as one text. */
function tableJson(table: readonly ListedTableService[]): unknown {
  return table.map(({ service, servers }) => {
    const { identity, ...settings } = service;
    return {
      name: formatServiceIdentity(identity),
      ...identity,
      ...settings,
      servers: sortServers(servers),
    };
  });
}

async function connectionListing(
  { names, extras }: CommandContext,
  command: Extract<ListCommand, { readonly kind: 'list-connections' }>,
): Promise<string> {
  const { readIpvsConnections } = await import('../../kernel/ipvsConnections.js');
  const connections: IpvsConnection[] = [];
  for (const line of readIpvsConnections()) {
    const connection = parseConnectionLine(line);
    if (connection !== undefined) connections.push(connection);
  }
  if (extras.json) return jsonText({ connections });
  const { numeric, engineData } = command;
  if (!numeric) await names.learnHosts(connections.flatMap(addressesOf));
  const lines = connections.map((connection) =>
    connectionLine(connection, engineData, numeric ? numericNames : names),
  );
  return connectionTitle(engineData) + lines.join('');
}

function addressesOf({ client, virtual, server }: IpvsConnection): readonly IpAddress[] {
  return [client.address, virtual.address, server.address];
}

function daemonLine(daemon: SyncDaemon): string {
  const parts = [
    `mcast=${daemon.interface}`,
    `syncid=${daemon.syncId}`,
    ...(daemon.maxLengthBytes === undefined ? [] : [`maxlen=${daemon.maxLengthBytes}`]),
    ...(daemon.group === undefined ? [] : [`group=${daemon.group}`]),
    ...(daemon.port === undefined ? [] : [`port=${daemon.port}`]),
    ...(daemon.ttl === undefined ? [] : [`ttl=${daemon.ttl}`]),
  ];
  return `${daemon.role} sync daemon (${parts.join(', ')})\n`;
}
