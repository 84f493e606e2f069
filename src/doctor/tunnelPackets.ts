/** What a packet in a tunnel is to those who see its outer header only. Pure. */
import { familyOf, type IpAddress, type IpFamily } from '../wire/ipAddress.js';
import type { TunnelEncapsulation } from '../wire/ipvsModel.js';
import { tunnelProtocols } from '../wire/tunnel.js';
import type { WalkedPacket } from './firewall/model.js';

/** A packet for a server as a tunnel carries it, by its outer header. */
export function tunnelPacket(
  inner: IpFamily,
  server: IpAddress,
  encapsulation: TunnelEncapsulation | undefined,
): Pick<WalkedPacket, 'family' | 'protocol' | 'destination' | 'destinationPort'> {
  const outer = { family: familyOf(server), destination: server };
  switch (encapsulation?.type) {
    case 'gre':
      return { ...outer, protocol: tunnelProtocols.gre };
    case 'gue':
      return { ...outer, protocol: tunnelProtocols.udp, destinationPort: encapsulation.port };
    default:
      return { ...outer, protocol: inner === 6 ? tunnelProtocols.ipv6 : tunnelProtocols.ipip };
  }
}

/** The same in words: `IP protocol 47`, `UDP port 6080`. */
export function tunnelPacketName({
  protocol,
  destinationPort,
}: Pick<WalkedPacket, 'protocol' | 'destinationPort'>): string {
  return destinationPort === undefined ? `IP protocol ${protocol}` : `UDP port ${destinationPort}`;
}

/** The options of `tandem realserver` that say the same, with a space before them. */
export function tunnelOptionsText(encapsulation: TunnelEncapsulation | undefined): string {
  if (encapsulation === undefined) return '';
  const { type, checksum } = encapsulation;
  const port = type === 'gue' ? ` --tunnel-port ${encapsulation.port}` : '';
  const kind = checksum === 'none' ? '' : ` --tunnel-checksum ${checksum}`;
  return ` --tunnel ${type}${port}${kind}`;
}
