/** Keys of `system`, and the type of what gets a firewall mark. */
import type { IpAddress } from '../../wire/ipAddress.js';
import type { IpvsProtocol } from '../../wire/ipvsModel.js';
import { listOf } from './containerTypes.js';
import { optional, required, section, type ValueType, withDefault } from './definition.js';
import { mappingOf } from './mappingReader.js';
import { interfaceName, listener } from './networkTypes.js';
import { network } from './routeTypes.js';
import { boolean, oneOf } from './scalarTypes.js';

/** What gets a firewall mark: packets of a protocol to an address and its ports. */
export interface MarkTarget {
  readonly protocol: IpvsProtocol;
  readonly address: IpAddress;
  /** Absent: every port. */
  readonly ports?: { readonly first: number; readonly last: number };
}

/** `tcp://address:port`, `tcp://address:first-last`, or without port for every one. */
export const markTarget: ValueType<MarkTarget> = {
  description:
    '`tcp://`, `udp://` or `sctp://`, then address and port or ports (`tcp://192.0.2.1:80`, ' +
    '`tcp://192.0.2.1:8000-8009`); without port: every port',
  read(raw) {
    const range = typeof raw === 'string' ? /^(.*:)(\d+)-(\d+)$/.exec(raw) : null;
    const reading = listener.read(range === null ? raw : `${range[1]}${range[2]}`);
    if (reading.value === undefined) return { value: undefined, findings: reading.findings };
    const { protocol, address, port: first } = reading.value;
    const last = range === null ? first : Number(range[3]);
    if (last < first || last > 65_535) {
      const message = `must have ports in order, up to 65535, got ${range?.[2]}-${range?.[3]}`;
      return { value: undefined, findings: [{ path: [], severity: 'error', message }] };
    }
    const ports = first === 0 ? {} : { ports: { first, last } };
    return { value: { protocol, address, ...ports }, findings: [] };
  },
};

/** The section. */
export const systemSection = section('What the machine itself must do for the services.', {
  manage: withDefault(boolean, false, {
    env: 'TANDEM_SYSTEM_MANAGE',
    doc:
      'Sets the kernel settings that the services need (forwarding, redirects, reverse path ' +
      'filter, templates), and puts them back when `ipvs.onStop` is `remove`. Without it the ' +
      'agent only says what is missing.',
  }),
  firewall: withDefault(oneOf(['auto', 'nftables', 'iptables', 'iptables-legacy']), 'auto', {
    doc:
      'What keeps the rules of `marks` and `masquerade`: a table `tandem` of nftables, or chains ' +
      '`TANDEM-...` of iptables. `auto` takes the first that works here.',
  }),
  masquerade: withDefault(
    listOf(
      mappingOf({
        from: required(network, { doc: 'The network whose connections are meant.' }),
        interface: optional(interfaceName, {
          doc: 'Only what leaves by this interface.',
          meaning: 'whatever interface they leave by',
        }),
      }),
      { min: 0, max: 64 },
    ),
    [],
    {
      doc:
        'Networks whose connections leave with the address of this director, so that real ' +
        'servers behind it reach the outside.',
    },
  ),
});
