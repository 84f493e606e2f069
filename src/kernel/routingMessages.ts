/** rtnetlink messages that add and delete routes, and rules of policy routing. */
import * as rt from 'netlink/dist/rt/structs.js';
import { AttrStream } from 'netlink/dist/structs.js';
import { bitsOf, formatIpPrefix, type IpFamily, ipToBytes } from '../wire/ipAddress.js';
import { messageFlag, type NetlinkRequest } from './netlinkRequest.js';
import type { RouteEntry, RuleEntry } from './routeModel.js';
import { addressFamily } from './socketOptions.js';

/** Number of the table that holds routes unless another is named (RT_TABLE_MAIN). */
export const mainRoutingTable = 254;

/** A greater number of a table goes into an attribute, and the header has 0. */
const tableOfHeaderMax = 255;

/** RT_SCOPE_* (rtnetlink.h). */
export const scopeNumbers = { global: 0, site: 200, link: 253, host: 254 } as const;

/** The number of an address family in netlink messages. */
export function familyNumber(family: IpFamily): number {
  return bitsOf(family) === 32 ? addressFamily.inet : addressFamily.inet6;
}

/** Adds or deletes a route; what is deleted must be the same in all that is given. */
export function routeRequest(action: 'add' | 'delete', route: RouteEntry): NetlinkRequest {
  const { destination, family, gateway, interfaceIndex, source, metric, table } = route;
  const prefix = destination === 'default' ? undefined : destination;
  const scope = route.scope ?? (gateway === undefined && family === 4 ? 'link' : 'global');
  const stream = new AttrStream();
  rt.formatRouteMessage(
    {
      kind: 'route',
      data: {
        family: familyNumber(family),
        dstLen: prefix?.length ?? 0,
        table: table <= tableOfHeaderMax ? table : 0,
        protocol: route.protocol,
        scope: scopeNumbers[scope],
        type: 'UNICAST',
      },
      attrs: {
        ...(prefix === undefined ? {} : { dst: Buffer.from(ipToBytes(prefix.address)) }),
        ...(gateway === undefined ? {} : { gateway: Buffer.from(ipToBytes(gateway)) }),
        ...(interfaceIndex === undefined ? {} : { oif: interfaceIndex }),
        ...(source === undefined ? {} : { prefsrc: Buffer.from(ipToBytes(source)) }),
        ...(metric === undefined ? {} : { priority: metric }),
        ...(table <= tableOfHeaderMax ? {} : { table }),
      },
    },
    stream,
  );
  const isAdded = action === 'add';
  return {
    type: isAdded ? rt.MessageType.NEWROUTE : rt.MessageType.DELROUTE,
    flags: isAdded ? messageFlag.create | messageFlag.exclusive : 0,
    payload: Buffer.concat(stream.bufs),
    name: isAdded ? 'RTM_NEWROUTE' : 'RTM_DELROUTE',
    context: [
      prefix === undefined ? 'default' : formatIpPrefix(prefix),
      gateway && `via ${gateway}`,
      interfaceIndex && `interface index ${interfaceIndex}`,
      table !== mainRoutingTable && `table ${table}`,
    ]
      .filter((part) => typeof part === 'string')
      .join(' '),
  };
}

/** Adds or deletes a rule that names a table. */
export function ruleRequest(action: 'add' | 'delete', rule: RuleEntry): NetlinkRequest {
  const { family, from, to, fwmark, priority, table, protocol } = rule;
  const stream = new AttrStream();
  rt.formatRuleMessage(
    {
      kind: 'rule',
      data: {
        family: familyNumber(family),
        dstLen: to?.length ?? 0,
        srcLen: from?.length ?? 0,
        table: table <= tableOfHeaderMax ? table : 0,
        action: 'toTbl',
      },
      attrs: {
        ...(to === undefined ? {} : { dst: Buffer.from(ipToBytes(to.address)) }),
        ...(from === undefined ? {} : { src: Buffer.from(ipToBytes(from.address)) }),
        ...(fwmark === undefined ? {} : { fwmark: fwmark.value, fwmask: fwmark.mask }),
        priority,
        table,
        protocol,
      },
    },
    stream,
  );
  const isAdded = action === 'add';
  return {
    type: isAdded ? rt.MessageType.NEWRULE : rt.MessageType.DELRULE,
    flags: isAdded ? messageFlag.create | messageFlag.exclusive : 0,
    payload: Buffer.concat(stream.bufs),
    name: isAdded ? 'RTM_NEWRULE' : 'RTM_DELRULE',
    context: `priority ${priority} table ${table}, IPv${family}`,
  };
}
