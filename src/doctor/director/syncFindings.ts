/** What keeps the connection table from reaching the other director. Pure. */
import { requirementReasons } from '../../host/requirements.js';
import type { DirectorFacts } from '../facts.js';
import type { Finding } from '../findings.js';
import { linkOf } from '../paths.js';

/** What is amiss, and what to do about it. */
interface Lack {
  readonly seen: string;
  readonly todo: string;
}

/** The daemons of the kernel and the settings that they need. */
export function syncSettings(facts: DirectorFacts): readonly Finding[] {
  if (facts.table.kind !== 'read') return [];
  const lacks = [...missingDaemons(facts), ...wrongSettings(facts), ...deadLinks(facts)];
  if (lacks.length === 0) return [];
  return [
    {
      id: 'sync-settings',
      severity: 'risk',
      what: 'Connections are not synced as they should be; a takeover would lose some.',
      seen: lacks.map(({ seen }) => seen),
      todo: lacks.map(({ todo }) => todo),
    },
  ];
}

/** The agent starts them; nothing is expected of a machine on which none runs. */
function missingDaemons({ table, configuration, agent }: DirectorFacts): readonly Lack[] {
  if (table.kind !== 'read' || configuration.kind !== 'read') return [];
  if (agent.kind !== 'running') return [];
  const todo = '`tandem status` tells why they did not start.';
  const { daemons } = table;
  if (configuration.connectionSync === 'kernel' && daemons.length === 0) {
    return [
      { seen: 'the configuration wants the sync daemons of the kernel, and none runs', todo },
    ];
  }
  if (configuration.connectionSync !== 'relay') return [];
  return (['master', 'backup'] as const)
    .filter((role) => !daemons.some((one) => one.role === role && one.interface === 'lo'))
    .map((role) => ({ seen: `the relay needs the ${role} daemon on lo, and none runs`, todo }));
}

/** What the configured mode needs, or, where there is no configuration, any daemon. */
function wrongSettings(facts: DirectorFacts): readonly Lack[] {
  const { table, settings, configuration, agent } = facts;
  if (configuration.kind === 'read' && agent.kind === 'running') {
    return configuration.syncRequirements.flatMap(({ setting, accepted, wanted, reason }) => {
      const value = settings[setting];
      if (value === undefined || accepted.includes(value)) return [];
      return [lackOf(setting, value, wanted, requirementReasons[reason])];
    });
  }
  if (table.kind !== 'read' || table.daemons.length === 0) return [];
  if (settings['net.ipv4.vs.sync_version'] !== '0') return [];
  return [lackOf('net.ipv4.vs.sync_version', '0', '1', requirementReasons['sync-version'])];
}

function lackOf(setting: string, value: string, wanted: string, why: string): Lack {
  const text = (it: string): string => it.replaceAll('\t', ' ');
  return {
    seen: `${setting} is ${text(value)}: ${why}`,
    todo: `\`sysctl -w ${setting}="${text(wanted)}"\`; find out what sets it against the agent.`,
  };
}

function deadLinks(facts: DirectorFacts): readonly Lack[] {
  if (facts.table.kind !== 'read') return [];
  return facts.table.daemons.flatMap(({ role, interface: name }) => {
    const link = linkOf(facts, name);
    if (link?.running === true) return [];
    const state = link === undefined ? 'is not there' : 'is down';
    return [
      {
        seen: `the ${role} daemon uses ${name}, which ${state}`,
        todo: `Bring ${name} up, or configure another \`connectionSync.interface\`.`,
      },
    ];
  });
}
