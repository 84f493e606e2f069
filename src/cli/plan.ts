/** `tandem plan`: the exact operations that loading a file would do. */
import { hostname } from 'node:os';
import { Command } from 'commander';
import { planAgainstKernel } from '../agent/plan.js';
import { requestPlan } from '../api/client.js';
import type { PlanDocument } from '../api/planModel.js';
import { readConfigFile, readConfigSource } from '../config/read.js';
import { TandemError } from '../errors.js';
import { defaultConfigPath, defaultSocketPath } from './defaults.js';
import { type Painter, painterFor, type Tone } from './table.js';

interface PlanOptions {
  readonly node?: string;
  readonly socket: string;
  readonly json?: boolean;
}

/** The command. Its status is 0 whether or not there is something to do; 2 for a bad file. */
export function planCommand(): Command {
  return new Command('plan')
    .description('Print what loading a file would do, in VRRP and in IPVS. Changes nothing.')
    .argument('[file]', 'configuration file', defaultConfigPath)
    .option('--node <name>', 'this node, where no agent runs')
    .option('--socket <path>', 'API socket of the agent', defaultSocketPath(process.env))
    .option('--json', 'print the plan as JSON')
    .addHelpText('after', help)
    .action(async (file: string, options: PlanOptions) => {
      const plan = await makePlan(file, options);
      if (options.json === true) {
        console.log(JSON.stringify(plan, null, process.stdout.isTTY ? 2 : 0));
        return;
      }
      console.log(planText(plan, painterFor(process.stdout.isTTY === true, process.env)));
      for (const warning of plan.warnings) console.error(`warning: ${warning}`);
    });
}

const help = `
With a running agent the file is compared with what it runs, else with the table of the kernel.
The status is 0 also when there is nothing to do, 2 when the file is not valid.

Example:
  tandem plan /etc/tandem/tandem.yaml && tandem reload`;

async function makePlan(file: string, options: PlanOptions): Promise<PlanDocument> {
  const text = readConfigSource(file);
  try {
    return await requestPlan(options.socket, { file, text });
  } catch (error) {
    if (!(error instanceof TandemError) || error.code !== 'AGENT_NOT_RUNNING') throw error;
  }
  const { node } = options;
  const choice = { environment: process.env, hostname: hostname() };
  const { config, warnings } = readConfigFile(
    file,
    node === undefined ? choice : { ...choice, node },
  );
  return planAgainstKernel(file, config, warnings);
}

const vrrpSigns = {
  add: ['good', '+'],
  change: ['warn', '~'],
  remove: ['bad', '-'],
} as const satisfies Record<string, readonly [Tone, string]>;

/** The plan as a person reads it. Pure. */
export function planText(plan: PlanDocument, paint: Painter): string {
  const lines = plan.notes.map((note) => paint('warn', `note: ${note}`));
  if (plan.vrrp.length + plan.ipvs.length === 0) return [...lines, 'nothing to do'].join('\n');
  lines.push(paint('title', `VRRP: ${count(plan.vrrp.length)}`));
  for (const { action, what, details } of plan.vrrp) {
    const [tone, sign] = vrrpSigns[action];
    lines.push(`  ${paint(tone, `${sign} ${action} ${what}`)}`);
    lines.push(...details.map((detail) => `      ${detail}`));
  }
  lines.push(paint('title', `IPVS: ${count(plan.ipvs.length)}`));
  for (const { operation, text } of plan.ipvs) {
    const [tone, sign] = vrrpSigns[ipvsAction(operation.kind)];
    lines.push(`  ${paint(tone, `${sign} ${text}`)}`);
  }
  return lines.join('\n');
}

function ipvsAction(kind: PlanDocument['ipvs'][number]['operation']['kind']) {
  if (kind.startsWith('add')) return 'add';
  return kind.startsWith('edit') ? 'change' : 'remove';
}

function count(operations: number): string {
  return operations === 1 ? '1 operation' : `${operations} operations`;
}
