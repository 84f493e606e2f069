/** How the packets to a server behind a tunnel are wrapped. */
import { variantsOf } from './containerTypes.js';
import { required, withDefault } from './definition.js';
import { integer, oneOf } from './scalarTypes.js';

/** `tunnel` of a service and of a server (`ip_vs.h`, IP_VS_CONN_F_TUNNEL_TYPE_*). */
export const tunnelType = variantsOf({
  ipip: {},
  gue: {
    port: required(integer({ min: 1, max: 65_535 }), {
      doc: 'The UDP port at which the server takes the packets in.',
    }),
    checksum: withDefault(oneOf(['none', 'full', 'remote']), 'none', {
      doc:
        'The checksum of the outer UDP header: none, a full one, or remote checksum offload, ' +
        'where the server works out the inner one.',
    }),
  },
  gre: {
    checksum: withDefault(oneOf(['none', 'full']), 'none', {
      doc: 'Whether the GRE header carries a checksum.',
    }),
  },
});
