/** `tandem doctor`: why does no traffic flow? */
import { hostname } from 'node:os';
import { Command, Option } from 'commander';
import { checkConfigFile } from '../config/read.js';
import { collectDirector } from '../doctor/collect/director.js';
import { collectRealServer, type RealServerPurpose } from '../doctor/collect/realServer.js';
import { diagnoseDirector, diagnoseRealServer } from '../doctor/diagnose.js';
import type { MachineFacts } from '../doctor/facts.js';
import type { Finding } from '../doctor/findings.js';
import { purposesOf } from '../doctor/purpose.js';
import { TandemError } from '../errors.js';
import { type IpAddress, parseIpAddress } from '../wire/ipAddress.js';
import { defaultConfigPath, defaultSocketPath } from './defaults.js';
import { doctorText } from './doctorText.js';
import { painterFor } from './table.js';
import {
  checkedPlan,
  readEncapsulation,
  type TunnelOptions,
  withTunnelOptions,
} from './tunnelOptions.js';

interface DoctorOptions extends TunnelOptions {
  readonly config?: string;
  readonly node?: string;
  readonly socket?: string;
  readonly passive?: boolean;
  readonly json?: boolean;
  readonly realserver?: boolean;
  readonly server?: string;
  readonly vip?: readonly string[];
  readonly director?: readonly string[];
  readonly mode?: 'nat' | 'dr' | 'tunnel';
  readonly port?: readonly string[];
}

/** The command. Its status is 1 when something is wrong. */
export function doctorCommand(): Command {
  return withTunnelOptions(new Command('doctor'))
    .description('Find out why no traffic flows, on a director or on a real server.')
    .option('-c, --config <file>', `configuration file (default: ${defaultConfigPath}, if there)`)
    .option('--node <name>', 'this node, where the hostname does not tell')
    .option('--socket <path>', 'API socket of the agent')
    .option('--passive', 'look at this machine only: ask no server and no neighbour')
    .option('--json', 'print the findings as JSON')
    .option('--realserver', 'this machine is a real server')
    .option('--server <address>', 'this machine: its address as the directors know it')
    .option('--vip <address...>', 'virtual addresses that this server serves')
    .option('--director <address...>', 'addresses that the directors have for this server')
    .addOption(new Option('--mode <mode>', 'how packets come').choices(['nat', 'dr', 'tunnel']))
    .option('--port <port...>', 'ports of the services: 80, or udp:53')
    .addHelpText('after', help)
    .action(async (options: DoctorOptions) => {
      const examined =
        options.realserver === true ? await examineServer(options) : await examineDirector(options);
      const { role, facts, findings } = examined;
      if (findings.length > 0) process.exitCode = 1;
      if (options.json === true) {
        const { notLookedAt } = facts;
        const document = { role, healthy: findings.length === 0, findings, notLookedAt };
        console.log(JSON.stringify(document, null, process.stdout.isTTY ? 2 : 0));
        return;
      }
      const paint = painterFor(process.stdout.isTTY === true, process.env);
      for (const line of doctorText(findings, facts.notLookedAt, paint)) console.log(line);
    });
}

const help = `
Works with or without an agent or a configuration: the kernel's table is what counts. It changes
nothing. Servers and neighbours are asked by ARP, ping and a connection that is closed at once;
--passive leaves that out. The status is 1 when something is wrong.

Example:
  tandem doctor
  tandem doctor --realserver -c tandem.yaml --server 192.168.0.10
  tandem doctor --realserver --mode nat --director 192.168.0.100 --port 80
  tandem doctor --realserver --mode dr --vip 192.168.0.220 --port 80`;

interface Examined {
  readonly role: 'director' | 'real-server';
  readonly facts: MachineFacts;
  readonly findings: readonly Finding[];
}

async function examineDirector(options: DoctorOptions): Promise<Examined> {
  const { config, node, socket, passive } = options;
  const choice = { environment: process.env, hostname: hostname() };
  const facts = await collectDirector({
    configPath: config ?? defaultConfigPath,
    configRequired: config !== undefined,
    choice: node === undefined ? choice : { ...choice, node },
    ...(socket === undefined ? {} : { socket }),
    defaultSocket: defaultSocketPath(process.env),
    active: passive !== true,
  });
  return { role: 'director', facts, findings: diagnoseDirector(facts) };
}

async function examineServer(options: DoctorOptions): Promise<Examined> {
  const examined: Examined[] = [];
  for (const purpose of purposes(options)) {
    const facts = await collectRealServer(purpose);
    examined.push({ role: 'real-server', facts, findings: diagnoseRealServer(facts) });
  }
  const [first] = examined;
  if (first === undefined) throw new TandemError('INTERNAL', 'a server without a purpose');
  return { ...first, findings: examined.flatMap(({ findings }) => findings) };
}

function purposes(options: DoctorOptions): readonly RealServerPurpose[] {
  const { config, server, mode, vip = [], director = [], port = [] } = options;
  if (config !== undefined && server !== undefined) return configuredPurposes(config, server);
  if (mode === undefined) {
    throw new TandemError('USAGE', '--realserver needs --mode, or -c and --server');
  }
  if (mode === 'nat' && director.length === 0) {
    throw new TandemError('USAGE', '--mode nat needs --director: the gateway of this server');
  }
  if (mode !== 'nat' && vip.length === 0) {
    throw new TandemError('USAGE', `--mode ${mode} needs --vip`);
  }
  const virtualAddresses = vip.map(readAddress);
  const own = server === undefined ? {} : { server: readAddress(server) };
  const encapsulation = readEncapsulation(options);
  if (mode === 'tunnel') {
    const wrapped = encapsulation === undefined ? {} : { encapsulation };
    checkedPlan(mode, virtualAddresses, { ...own, ...wrapped });
  }
  return [
    {
      mode,
      virtualAddresses,
      directors: director.map(readAddress),
      ports: port.map(readPort),
      encapsulations: mode === 'tunnel' ? [encapsulation] : [],
      ...own,
    },
  ];
}

function configuredPurposes(path: string, server: string): readonly RealServerPurpose[] {
  const { configs, problems } = checkConfigFile(path, process.env);
  if (problems.length > 0) {
    throw new TandemError('CONFIG_INVALID', `${path} has errors; see tandem check ${path}`);
  }
  const found = purposesOf(configs, readAddress(server));
  if (found.length > 0) return found;
  throw new TandemError('USAGE', `${path} has no server ${server}`, {
    hint: 'Name it as `servers` of the configuration do, without the port.',
  });
}

function readAddress(text: string): IpAddress {
  const address = parseIpAddress(text);
  if (address === undefined) throw new TandemError('USAGE', `not an IP address: ${text}`);
  return address;
}

function readPort(text: string): RealServerPurpose['ports'][number] {
  const parts = /^(?:(tcp|udp):)?(\d{1,5})$/.exec(text);
  const port = Number(parts?.[2] ?? 0);
  if (port < 1 || port > 0xffff) {
    throw new TandemError('USAGE', `not a port: ${text}`, { hint: 'Write 80, tcp:80 or udp:53.' });
  }
  return { protocol: parts?.[1] === 'udp' ? 'udp' : 'tcp', port };
}
