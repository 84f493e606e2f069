/** What the benchmarks of checks measure, and what they find. */

/** Who checks. */
export type CheckingProgram = 'tandem' | 'keepalived';

/** How the servers are checked. */
export type HealthKind = 'tcp' | 'http';

/** One setting of `npm run bench -- health`. */
export interface HealthSetting {
  readonly kind: HealthKind;
  /** Backends: addresses that answer. */
  readonly backends: number;
  /** Services that have each backend; more than one: what sharing is worth. */
  readonly servicesOfBackend: number;
  /** How long the program runs before that, since what its start costs is not measured. */
  readonly settleMs: number;
  /** How long the load is measured. */
  readonly measureMs: number;
  /** Servers that die one by one, at independent moments. */
  readonly deaths: number;
}

/** What one program did in one setting. Times are milliseconds, `null` when it did not happen. */
export interface HealthResult {
  readonly setting: HealthSetting;
  readonly program: CheckingProgram;
  /** Connections that the servers saw, per second. */
  readonly checksPerSecond: number;
  /** CPU time of the program while it was measured, of all of its processes. */
  readonly cpuSeconds: number;
  readonly measuredSeconds: number;
  /** CPU time of the whole embedded machine meanwhile: program, servers and kernel. */
  readonly machineCpuSeconds?: number;
  readonly memoryMegabytes: number;
  /** How much longer than the interval the servers waited for the next check. */
  readonly lateMs: { readonly p50: number; readonly p99: number };
  /** One for each death of one server. */
  readonly deaths: readonly DeathResult[];
  /** From the death of 30 % of the servers at once until the last has weight 0. */
  readonly massDeathMs: number | null;
}

/** How the death of one server was noticed; nulls: it was not. */
export interface DeathResult {
  /** From the death to weight 0 in the kernel. */
  readonly afterMs: number | null;
  /** From the check that had to notice it, one interval after the last that it answered. */
  readonly afterCheckMs: number | null;
}

/** The interval of every check, in milliseconds. */
export const healthIntervalMs = 1_000;

/** Servers of one service. */
export const serversOfService = 50;

/** Of ten backends these die together. */
export const doomedOfTen = 3;

/** The backends of a setting; those that die together are in a network of their own. */
export function backendAddresses(count: number): readonly {
  readonly address: string;
  readonly doomed: boolean;
}[] {
  return Array.from({ length: count }, (_, index) => {
    const doomed = index % 10 < doomedOfTen;
    const host = `${1 + Math.floor(index / 250)}.${1 + (index % 250)}`;
    return { address: `${doomed ? '10.71' : '10.70'}.${host}`, doomed };
  });
}

/** A service of the benchmark: its virtual port, and the addresses behind it. */
export interface BenchService {
  readonly port: number;
  readonly servers: readonly string[];
}

/** The virtual address of all services. */
export const virtualAddress = '10.69.0.1';

/** The port of every backend. */
export const backendPort = 8080;

/** The services of a setting. */
export function benchServices(
  setting: Pick<HealthSetting, 'backends' | 'servicesOfBackend'>,
): readonly BenchService[] {
  const addresses = backendAddresses(setting.backends).map(({ address }) => address);
  const services: BenchService[] = [];
  for (let copy = 0; copy < setting.servicesOfBackend; copy += 1) {
    for (let from = 0; from < addresses.length; from += serversOfService) {
      const servers = addresses.slice(from, from + serversOfService);
      services.push({ port: 1000 + services.length, servers });
    }
  }
  return services;
}
