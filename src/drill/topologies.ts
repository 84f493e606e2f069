/** Every topology by its name. */
import { nat6Topology, natTopology } from './natTopologies.js';
import { drTopology, fwmarkTopology, tunnelTopology } from './routedTopologies.js';
import type { Topology, TopologyName } from './topology.js';

/** Every topology by its name. */
export const topologies: Readonly<Record<TopologyName, Topology>> = {
  nat: natTopology,
  dr: drTopology,
  tunnel: tunnelTopology,
  fwmark: fwmarkTopology,
  nat6: nat6Topology,
};
