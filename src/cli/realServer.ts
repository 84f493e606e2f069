/** `tandem realserver`: what a server needs for direct routing or tunnels. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { checkConfigText } from '../config/checkText.js';
import { TandemError } from '../errors.js';
import {
  applyRealServer,
  type RealServerGap,
  realServerGaps,
  removePersistentFiles,
  revertRealServer,
  writePersistentFiles,
} from '../host/realServer.js';
import {
  joinedPlan,
  type RealServerMode,
  type RealServerPlan,
  realServerModes,
  realServerPlansOf,
} from '../host/realServerPlan.js';
import { formatIpPrefix, type IpAddress, parseIpAddress } from '../wire/ipAddress.js';
import {
  checkedPlan,
  readEncapsulation,
  type TunnelOptions,
  withTunnelOptions,
} from './tunnelOptions.js';

interface PlanOptions extends TunnelOptions {
  readonly vip?: readonly string[];
  readonly mode?: RealServerMode;
  readonly config?: string;
  readonly server?: string;
}

interface StateOptions {
  readonly state: string;
  readonly root: string;
}

const defaultStatePath = '/run/tandem/realserver.json';

/** The command, with its own commands. */
export function realServerCommand(): Command {
  return new Command('realserver')
    .description('Prepare a real server for direct routing or tunnels (address translation: none).')
    .addCommand(applyCommand())
    .addCommand(checkCommand())
    .addCommand(revertCommand())
    .addHelpText(
      'after',
      '\nExample:\n  tandem realserver apply --vip 192.168.0.220 --mode dr --persist\n' +
        '  tandem realserver check -c tandem.yaml --server 192.168.0.10',
    );
}

function withPlanOptions(command: Command): Command {
  return withTunnelOptions(
    command
      .option('--vip <address...>', 'virtual addresses that the server serves')
      .addOption(new Option('--mode <mode>', 'how packets come').choices(realServerModes))
      .option('-c, --config <file>', 'take all of it from a configuration of the directors')
      .option('--server <address>', 'this machine: its address as the directors know it'),
  );
}

function withStateOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--state <file>', 'where it is noted what was changed')
        .env('TANDEM_REALSERVER_STATE')
        .default(defaultStatePath),
    )
    .option('--root <folder>', 'where the files of --persist go', '/');
}

function applyCommand(): Command {
  return withStateOptions(withPlanOptions(new Command('apply')))
    .description('Do what is missing: addresses on lo, quiet ARP, the end of a tunnel, filters.')
    .option('--persist', 'write files for systemd-networkd and sysctl.d too')
    .addHelpText('after', '\nExample:\n  tandem realserver apply --vip 192.168.0.220 --mode dr')
    .action((options: PlanOptions & StateOptions & { persist?: boolean }) => {
      const plans = plansOf(options);
      const files =
        options.persist === true ? writePersistentFiles(joinedPlan(plans), options.root) : [];
      for (const plan of plans) report(applyRealServer(plan, options.state), plan);
      for (const path of files) console.log(`wrote ${path}`);
    });
}

function checkCommand(): Command {
  return withPlanOptions(new Command('check'))
    .description('Say what is missing; exit status 1 when something is.')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample:\n  tandem realserver check --vip 192.168.0.220 --mode dr')
    .action((options: PlanOptions & { json?: boolean }) => {
      const results = plansOf(options).map((plan) => ({ plan, missing: realServerGaps(plan) }));
      if (options.json === true) {
        const missing = results.flatMap((result) => result.missing);
        console.log(JSON.stringify({ missing }, null, 2));
        if (missing.length > 0) process.exitCode = 1;
        return;
      }
      for (const { plan, missing } of results) report(missing, plan);
    });
}

function revertCommand(): Command {
  return withStateOptions(new Command('revert'))
    .description('Take back what apply has done, its files included.')
    .addHelpText('after', '\nExample:\n  tandem realserver revert')
    .action((options: StateOptions) => {
      const done = [
        ...revertRealServer(options.state),
        ...removePersistentFiles(options.root).map((path) => `removed ${path}`),
      ];
      for (const line of done.length === 0 ? ['nothing was applied'] : done) console.log(line);
    });
}

/** Prints what is missing, and makes it the exit status. */
function report(gaps: readonly RealServerGap[], plan: RealServerPlan): void {
  const addresses = plan.addresses.map(({ prefix }) => prefix.address).join(', ');
  if (gaps.length === 0) console.log(`ready for ${plan.mode}: ${addresses}`);
  else process.exitCode = 1;
  for (const gap of gaps) console.log(`missing: ${gapText(gap)}`);
}

/** One thing that is missing, in words. */
export function gapText(gap: RealServerGap): string {
  switch (gap.kind) {
    case 'address':
      return `${formatIpPrefix(gap.prefix)} on ${gap.device}`;
    case 'tunnel':
      return `device ${gap.name}, up (module ${gap.module})`;
    case 'port':
      return `UDP port ${gap.port} for GUE over IPv${gap.family} (module fou)`;
    case 'setting':
      return `${gap.setting} = ${gap.wanted} (it is ${gap.found ?? 'not there'})`;
  }
}

type Plans = readonly [RealServerPlan, ...RealServerPlan[]];

function plansOf(options: PlanOptions): Plans {
  const { vip, mode, config, server } = options;
  if (config !== undefined && server !== undefined) return plansOfConfig(config, server);
  if (vip === undefined || mode === undefined) {
    throw new TandemError('USAGE', 'needs --vip and --mode, or -c and --server');
  }
  const own = server === undefined ? {} : { server: readAddress(server) };
  const encapsulation = readEncapsulation(options);
  if (mode === 'dr' && encapsulation !== undefined) {
    throw new TandemError('USAGE', '--tunnel goes with --mode tunnel');
  }
  const reception = { ...own, ...(encapsulation === undefined ? {} : { encapsulation }) };
  return [checkedPlan(mode, vip.map(readAddress), reception)];
}

function plansOfConfig(path: string, server: string): Plans {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TandemError('CONFIG_UNREADABLE', `cannot read ${path}`, { cause });
  }
  const { configs, problems } = checkConfigText(text);
  const [config] = configs;
  if (problems.length > 0 || config === undefined) {
    throw new TandemError('CONFIG_INVALID', `${path} has errors; see tandem check ${path}`);
  }
  const [first, ...others] = realServerPlansOf(config.services, readAddress(server));
  if (first !== undefined) return [first, ...others];
  throw new TandemError('USAGE', `${path} has no server ${server} for direct routing or tunnels`, {
    hint: 'With address translation a server needs only its gateway.',
  });
}

function readAddress(text: string): IpAddress {
  const address = parseIpAddress(text);
  if (address === undefined) throw new TandemError('USAGE', `not an IP address: ${text}`);
  return address;
}
