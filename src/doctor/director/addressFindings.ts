/** Findings about who has the virtual addresses. Pure. */
import { bitsOf, familyOf, type IpAddress } from '../../wire/ipAddress.js';
import type { ArpFact, DirectorFacts } from '../facts.js';
import type { Finding } from '../findings.js';
import { holderQuestion, isOwn } from '../paths.js';
import { listed } from './services.js';

/** Virtual addresses that others answer for, or that nobody has. */
export function virtualAddressHolders(facts: DirectorFacts): readonly Finding[] {
  return facts.arp.flatMap((fact) => holdersOf(facts, fact));
}

function holdersOf(facts: DirectorFacts, fact: ArpFact): readonly Finding[] {
  const { address, interface: name, answers } = fact;
  const servers = new Map(
    facts.servers.flatMap(({ macAddress, address: server }) =>
      macAddress === undefined ? [] : [[macAddress, server] as const],
    ),
  );
  const fromServers = answers.filter((mac) => servers.has(mac));
  const findings: Finding[] = fromServers.map((mac) => ({
    id: 'server-answers-arp',
    severity: 'fault',
    what:
      `The server ${servers.get(mac)} answers ${holderQuestion(address).name} for the virtual ` +
      `address ${address}.`,
    seen: [
      `${mac}, which is ${servers.get(mac)}, answered ${holderQuestion(address).request} for it ` +
        `on ${name}`,
    ],
    todo: [
      `On ${servers.get(mac)}: \`tandem realserver apply --vip ${address} --mode dr --persist\` ` +
        (familyOf(address) === 4
          ? '(arp_ignore=1, arp_announce=2, the address on lo).'
          : '(the address on lo, and off every other interface).'),
      `Clients and routers may have to forget it: \`ip neigh flush ${address}\`.`,
    ],
  }));
  const others = answers.filter((mac) => !servers.has(mac));
  const own = isOwn(facts, address);
  // One holder that is not this machine is the other director.
  const strangers = own ? others.length > 0 : others.length > 1;
  if (strangers) findings.push(secondMachine(address, name, others, own));
  if (!own && answers.length === 0) findings.push(nobody(address, name));
  return findings;
}

function secondMachine(
  address: IpAddress,
  name: string,
  others: readonly string[],
  own: boolean,
): Finding {
  return {
    id: 'second-machine-answers',
    severity: 'fault',
    what: own
      ? `Another machine answers for the virtual address ${address}, which this one has.`
      : `Several machines answer for the virtual address ${address}.`,
    seen: [`${listed(others)} answered ${holderQuestion(address).request} for it on ${name}`],
    todo: [
      'Find the machine: `ip neigh | grep MAC` on its neighbours, or the table of the switch.',
      'When it is the other director, both are Active: let VRRP pass between them.',
      'When it is neither, take the address off it.',
    ],
  };
}

function nobody(address: IpAddress, name: string): Finding {
  return {
    id: 'virtual-address-nowhere',
    severity: 'fault',
    what: `Nobody has the virtual address ${address}.`,
    seen: [
      `it is on no interface of this machine`,
      `nobody answered ${holderQuestion(address).request} for it on ${name}`,
    ],
    todo: [
      'Start the agent here or on the other director: `systemctl start tandem`.',
      'With an agent that runs: `tandem status` tells why no virtual router is Active.',
      `By hand, without election: \`ip address add ${address}/${bitsOf(familyOf(address))} dev ` +
        `${name}\`.`,
    ],
  };
}
