/** Cross checks of `marks`: what gets the firewall mark of a service. */
import { familyOf, formatEndpoint, type IpFamily } from '../../wire/ipAddress.js';
import { errorAt, type Finding } from '../problem.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import type { MarkTarget } from '../schema/systemDefinition.js';
import { present } from './present.js';

/** What is known of a service whose packets carry a mark. */
interface MarkedService {
  readonly family?: 'ipv4' | 'ipv6' | undefined;
  readonly marks?: readonly (MarkTarget | undefined)[] | undefined;
}

/** A target, where it stands, and the service that it belongs to. */
interface PlacedTarget {
  readonly service: string;
  readonly target: MarkTarget;
}

/** The family of the packets that carry the mark of a service. */
export function familyOfMark({ family, marks }: MarkedService): IpFamily {
  if (family !== undefined) return family === 'ipv6' ? 6 : 4;
  const [first] = present(marks);
  return first === undefined ? 4 : familyOf(first[1].address);
}

/** All of them. */
export function checkMarks(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const earlier: PlacedTarget[] = [];
  const listeners = present(draft.services).flatMap(([index, service]) =>
    present(service.listen).map(([, { protocol, address, port }]): PlacedTarget => {
      const ports = port === 0 ? {} : { ports: { first: port, last: port } };
      const name = service.name ?? `services[${index}]`;
      return { service: name, target: { protocol, address, ...ports } };
    }),
  );
  for (const [index, service] of present(draft.services)) {
    const path = ['services', index, 'marks'];
    if (service.marks === undefined) continue;
    if (service.fwmark === undefined) {
      const hint = 'add `fwmark`, or write them under `listen`';
      if (service.listen !== undefined) findings.push(errorAt(path, 'need `fwmark`', hint));
      continue;
    }
    const name = service.name ?? `services[${index}]`;
    const family = familyOfMark(service);
    for (const [at, target] of present(service.marks)) {
      const here = [...path, at];
      if (familyOf(target.address) !== family) {
        const message = `is IPv${familyOf(target.address)}, and this service is IPv${family}`;
        findings.push(errorAt(here, message, 'make one service for each family'));
      }
      const other = [...earlier, ...listeners].find((placed) => overlap(placed.target, target));
      if (other !== undefined) {
        const whose = other.service === name ? 'this service' : `service ${other.service}`;
        const text = formatMarkTarget(target);
        findings.push(errorAt(here, `${text} belongs to ${whose} already`, 'remove one of them'));
      }
      earlier.push({ service: name, target });
    }
  }
  return findings;
}

/** As an operator writes it. */
export function formatMarkTarget({ protocol, address, ports }: MarkTarget): string {
  if (ports === undefined) {
    return `${protocol}://${familyOf(address) === 6 ? `[${address}]` : address}`;
  }
  const range = ports.first === ports.last ? '' : `-${ports.last}`;
  return `${protocol}://${formatEndpoint(address, ports.first)}${range}`;
}

function overlap(left: MarkTarget, right: MarkTarget): boolean {
  if (left.protocol !== right.protocol || left.address !== right.address) return false;
  if (left.ports === undefined || right.ports === undefined) return true;
  return left.ports.first <= right.ports.last && right.ports.first <= left.ports.last;
}
