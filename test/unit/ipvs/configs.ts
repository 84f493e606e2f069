/** Configured services for tests; each call names only what the test is about. */
import type { ServerConfig, ServiceConfig } from '../../../src/config/model.js';
import type { CheckReport } from '../../../src/health/protocol.js';
import type { HealthState } from '../../../src/health/reasons.js';
import { serverId } from '../../../src/ipvs/desired.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import type { ServiceIdentity } from '../../../src/wire/ipvsModel.js';

export const web: ServiceIdentity = {
  kind: 'address',
  protocol: 'tcp',
  address: ipAddress('10.0.0.1'),
  port: 80,
};

export const webTls: ServiceIdentity = { ...web, port: 443 };

export const mark: ServiceIdentity = { kind: 'fwmark', family: 4, fwmark: 66 };

/** The server `10.0.0.<number>:8080`. */
export function serverConfig(number: number, change: Partial<ServerConfig> = {}): ServerConfig {
  return {
    address: ipAddress(`10.0.0.${number}`),
    port: 8080,
    weight: number,
    forwarding: 'nat',
    upperThreshold: 0,
    lowerThreshold: 0,
    ...change,
  };
}

/** A checked service `web` on `tcp://10.0.0.1:80` with servers 2 and 3, of weights 2 and 3. */
export function serviceConfig(change: Partial<ServiceConfig> = {}): ServiceConfig {
  return {
    name: 'web',
    listeners: [web],
    settings: { scheduler: 'wrr', onePacket: false, schedulerFlags: 0 },
    check: {
      probe: { type: 'tcp' },
      timing: { intervalMs: 1_000, timeoutMs: 500, rise: 1, fall: 1 },
    },
    whenDown: 'weight-zero',
    whenAllDown: 'zero',
    servers: [serverConfig(2), serverConfig(3)],
    ...change,
  };
}

/** What the health thread tells of server `10.0.0.<number>:8080` of service `web`. */
export function report(number: number, state: HealthState, sinceUnixMs = 0): CheckReport {
  return {
    id: serverId('web', serverConfig(number)),
    state,
    sinceUnixMs,
    streak: 0,
    last: null,
    probes: { passed: 0, failed: 0, unknown: 0 },
  };
}
