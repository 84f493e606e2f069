/** Cross checks of `services`: what they listen to and how they schedule. */
import { bitsOf, familyOf, formatEndpoint, type IpFamily } from '../../wire/ipAddress.js';
import { type ConfigPath, errorAt, type Finding, warningAt } from '../problem.js';
import { rememberedByObject } from '../remembered.js';
import type { Listener } from '../schema/networkTypes.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { schedulerFlags } from '../schema/serviceDefinition.js';
import { familyOfMark } from './marks.js';
import { FirstOwners, present } from './present.js';

/** One service as read. */
export type ServiceDraft = NonNullable<NonNullable<RootDraft['services']>[number]>;

/** All of them, except those of servers and checks. */
export function checkServices(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const names = new FirstOwners<number>();
  const listeners = new FirstOwners<string>();
  const unheld = new FirstOwners<true>();
  for (const [index, service] of present(draft.services)) {
    const path = ['services', index];
    const { name } = service;
    const earlier = name === undefined ? undefined : names.claim(name, index);
    if (earlier !== undefined) {
      const message = `services[${earlier}] is called ${name} already`;
      findings.push(errorAt([...path, 'name'], message, 'give each service its own name'));
    }
    findings.push(
      ...checkIdentity(path, service, name ?? `services[${index}]`, listeners),
      ...checkScheduling(path, service),
      ...checkPersistence(path, service),
      ...checkHeld(draft, path, service, unheld),
    );
  }
  return findings;
}

/** The family of a service, when its listeners agree on one. */
export const familyOfService = rememberedByObject((service: ServiceDraft): IpFamily | undefined => {
  if (service.fwmark !== undefined) return familyOfMark(service);
  const families = new Set(present(service.listen).map(([, listen]) => familyOf(listen.address)));
  const [family] = families;
  return families.size === 1 ? family : undefined;
});

function formatListener({ protocol, address, port }: Listener): string {
  const bare = familyOf(address) === 6 ? `[${address}]` : address;
  return `${protocol}://${port === 0 ? bare : formatEndpoint(address, port)}`;
}

function checkIdentity(
  path: ConfigPath,
  service: ServiceDraft,
  serviceName: string,
  listeners: FirstOwners<string>,
): readonly Finding[] {
  const findings: Finding[] = [];
  const claim = (place: ConfigPath, identity: string): void => {
    const earlier = listeners.claim(identity, serviceName);
    if (earlier === undefined) return;
    const whose = earlier === serviceName ? 'this service' : `service ${earlier}`;
    findings.push(errorAt(place, `${identity} belongs to ${whose} already`, 'remove one of them'));
  };
  for (const [index, listen] of present(service.listen)) {
    const here = [...path, 'listen', index];
    claim(here, formatListener(listen));
    if (listen.port === 0 && service.persistence === undefined) {
      const hint = 'add a port, or `persistence`, which every port at once needs';
      findings.push(errorAt(here, `${formatListener(listen)} has no port`, hint));
    }
  }
  if (service.fwmark !== undefined) {
    const family = `ipv${familyOfMark(service)}`;
    claim([...path, 'fwmark'], `fwmark ${service.fwmark} for ${family}`);
  }
  if (service.fwmark !== undefined && service.listen !== undefined) {
    findings.push(errorAt([...path, 'fwmark'], 'cannot stand beside `listen`', 'remove one'));
  }
  if (service.family !== undefined && service.listen !== undefined) {
    const hint = 'remove it: the address of a listener has its family';
    findings.push(errorAt([...path, 'family'], 'belongs to `fwmark` only', hint));
  }
  const families = new Set(present(service.listen).map(([, listen]) => familyOf(listen.address)));
  if (families.size > 1) {
    const hint = 'make one service for each family';
    findings.push(errorAt([...path, 'listen'], 'mixes IPv4 and IPv6', hint));
  }
  return findings;
}

function checkScheduling(path: ConfigPath, service: ServiceDraft): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [index, flag] of present(service.schedulerFlags)) {
    const { scheduler } = schedulerFlags[flag];
    if (service.scheduler === undefined || service.scheduler === scheduler) continue;
    findings.push(
      errorAt(
        [...path, 'schedulerFlags', index],
        `${flag} belongs to scheduler ${scheduler}, and this is ${service.scheduler}`,
        'remove it',
      ),
    );
  }
  const notUdp = present(service.listen).find(([, listen]) => listen.protocol !== 'udp');
  if (service.onePacket === true && notUdp !== undefined) {
    const which = formatListener(notUdp[1]);
    const message = `is for UDP and firewall marks only, and ${which} is neither`;
    findings.push(errorAt([...path, 'onePacket'], message, 'remove it'));
  }
  return findings;
}

function checkPersistence(path: ConfigPath, service: ServiceDraft): readonly Finding[] {
  const { persistence } = service;
  if (persistence === undefined) return [];
  const family = familyOfService(service);
  const { netmask, prefixLength } = persistence;
  const here = [...path, 'persistence'];
  if (netmask !== undefined && prefixLength !== undefined) {
    const hint = 'they say the same in two ways';
    return [errorAt([...here, 'netmask'], 'cannot stand beside prefixLength', hint)];
  }
  if (netmask !== undefined && family === 6) {
    return [
      errorAt([...here, 'netmask'], 'is for IPv4, and this service is IPv6', 'use prefixLength'),
    ];
  }
  if (prefixLength === undefined || family === undefined) return [];
  const [least, most] = [family === 4 ? 0 : 1, bitsOf(family)];
  if (prefixLength >= least && prefixLength <= most) return [];
  const message = `must be ${least} to ${most} for IPv${family}, got ${prefixLength}`;
  return [errorAt([...here, 'prefixLength'], message)];
}

/** A service on an address that the election does not move is seldom meant; told once for each. */
function checkHeld(
  draft: RootDraft,
  path: ConfigPath,
  service: ServiceDraft,
  told: FirstOwners<true>,
): readonly Finding[] {
  // A router that could not be read might hold the address.
  const routers = draft.virtualRouters;
  if (routers === undefined || routers.some((router) => router?.addresses === undefined)) return [];
  const held = new Set<string | undefined>(
    routers.flatMap((router) =>
      [...present(router?.addresses), ...present(router?.excludedAddresses)].map(
        ([, item]) => item.address?.address,
      ),
    ),
  );
  if (held.has(undefined)) return [];
  const findings: Finding[] = [];
  const places = [
    ...present(service.listen).map(([index, { address }]) => ({ key: 'listen', index, address })),
    ...present(service.marks).map(([index, { address }]) => ({ key: 'marks', index, address })),
  ];
  for (const { key, index, address } of places) {
    if (held.has(address) || told.claim(address, true) === true) continue;
    const hint = 'add it to the `addresses` of one, or move it yourself';
    const place = [...path, key, index];
    findings.push(warningAt(place, `no virtual router holds ${address}`, hint));
  }
  return findings;
}
