/** `tandem check`: is this configuration right, and if not, where is it wrong? */
import { Command } from 'commander';
import type { ConfigCheck } from '../config/checkText.js';
import type { TandemConfig } from '../config/model.js';
import { type ConfigProblem, formatProblem } from '../config/problem.js';
import { checkConfigFile, selectNode } from '../config/read.js';
import { errorTable } from '../errors.js';
import { type Painter, painterFor } from './table.js';

/** What `tandem check` is asked. */
interface CheckOptions {
  readonly node?: string;
  readonly json?: boolean;
}

/** The command. */
export function checkCommand(): Command {
  return new Command('check')
    .description('Check a configuration file, from the point of view of every node.')
    .argument('<file>', 'configuration file')
    .option('--node <name>', 'also require that this node is in the file')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  tandem check /etc/tandem/tandem.yaml')
    .action((file: string, options: CheckOptions) => runCheck(file, options));
}

/** Throws only when the file cannot be read or the node is not in it; problems are printed here. */
function runCheck(file: string, options: CheckOptions): void {
  const check = checkConfigFile(file, process.env);
  const valid = check.problems.length === 0;
  if (valid && options.node !== undefined) {
    const choice = { node: options.node, environment: {}, hostname: '' };
    selectNode(check.configs, choice, file);
  }
  if (options.json === true) {
    console.log(JSON.stringify(resultDocument(file, check), null, process.stdout.isTTY ? 2 : 0));
  } else {
    const paint = painterFor(process.stderr.isTTY === true, process.env);
    const lines = [
      ...check.problems.map((problem) => problemLine(file, problem, 'error', paint)),
      ...check.warnings.map((warning) => problemLine(file, warning, 'warning', paint)),
    ];
    for (const line of lines) console.error(line);
    if (valid) console.log(okLine(file, check.configs));
  }
  if (!valid) process.exitCode = errorTable.CONFIG_INVALID.exitCode;
}

/** `FILE: ok, 2 virtual routers, 1 service, 2 servers`. */
export function okLine(file: string, configs: readonly TandemConfig[]): string {
  const [config] = configs;
  const counts = countsOf(config);
  return `${file}: ok, ${[
    plural(counts.virtualRouters, 'virtual router'),
    plural(counts.services, 'service'),
    plural(counts.servers, 'server'),
  ].join(', ')}`;
}

function problemLine(
  file: string,
  problem: ConfigProblem,
  severity: 'error' | 'warning',
  paint: Painter,
): string {
  const line = formatProblem(file, problem);
  return severity === 'error' ? paint('bad', line) : paint('warn', `${line} [warning]`);
}

function resultDocument(file: string, check: ConfigCheck): unknown {
  const [config] = check.configs;
  const valid = check.problems.length === 0;
  return {
    file,
    valid,
    problems: check.problems,
    warnings: check.warnings,
    nodes: check.configs.map(({ node }) => node.name),
    ...(valid ? countsOf(config) : {}),
  };
}

function countsOf(config: TandemConfig | undefined) {
  const services = config?.services ?? [];
  return {
    virtualRouters: config?.virtualRouters.length ?? 0,
    services: services.length,
    servers: services.reduce((sum, service) => sum + service.servers.length, 0),
  };
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
