/** `tandem lab`: a lab of two directors, kept up to look around in. */
import { Command, Option } from 'commander';
import {
  chooseKernel,
  type KernelKind,
  kernelKinds,
  readKernelFacts,
} from '../drill/kernelChoice.js';
import {
  bringLabUp,
  executeInLab,
  findLab,
  keepEmbeddedLab,
  takeLabsDown,
} from '../drill/labControl.js';
import { makeAndKeepLab } from '../drill/labKeeper.js';
import type { LabRecord } from '../drill/labRegistry.js';
import { topologies } from '../drill/topologies.js';
import { listenerUrl, type Topology, type TopologyName, topologyNames } from '../drill/topology.js';
import { formatIpPrefix } from '../wire/ipAddress.js';
import { LiveOutput } from './liveOutput.js';
import { formatTable } from './table.js';

interface LabOptions {
  readonly topology: TopologyName;
  readonly kernel?: KernelKind;
}

const write = (text: string): void => {
  process.stdout.write(text);
};

/** The command, with its own commands. */
export function labCommand(): Command {
  return new Command('lab')
    .description('Keep a lab of two directors up, to look around in.')
    .enablePositionalOptions()
    .addCommand(upCommand())
    .addCommand(execCommand())
    .addCommand(downCommand())
    .addCommand(keepCommand(), { hidden: true })
    .addHelpText(
      'after',
      '\nExample:\n  tandem lab up\n  tandem lab exec lb1 ipvsadm -Ln\n  tandem lab down',
    );
}

function withLabOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--topology <name>', 'what the lab looks like')
        .choices(topologyNames)
        .default('nat'),
    )
    .addOption(
      new Option('--kernel <kind>', 'kernel to run the lab on (default: chosen)').choices(
        kernelKinds,
      ),
    );
}

function upCommand(): Command {
  return withLabOptions(new Command('up'))
    .description('Bring a lab up in the background: network, real servers, two agents.')
    .addHelpText('after', '\nExample:\n  tandem lab up --kernel embedded')
    .action(async (options: LabOptions) => {
      const kernel = chooseKernel(await readKernelFacts(), options.kernel);
      write(`kernel: ${kernel.kind} (${kernel.reason})\n`);
      const output = new LiveOutput(write, process.stdout.isTTY === true);
      const lab = await bringLabUp(options.topology, kernel.kind, () => {
        output.progress('building the lab, starting the agents, electing an Active');
      });
      output.step(`lab ${lab.id} is up`);
      output.print(`${describeLab(lab, topologies[options.topology])}\n`);
    });
}

function execCommand(): Command {
  return new Command('exec')
    .description('Run a command on a node of a lab. In the embedded kernel it has no input.')
    .argument('<node>', 'client, router, lb1, lb2, rs1, rs2 or rs3')
    .argument('<command...>', 'the command and its arguments')
    .option('--lab <id>', 'which lab, when several are up')
    .passThroughOptions()
    .allowUnknownOption()
    .addHelpText('after', '\nExample:\n  tandem lab exec lb1 ip address show dev eth0')
    .action(async (node: string, command: string[], options: { lab?: string }) => {
      process.exitCode = await executeInLab(findLab(options.lab), { node, command }, write);
    });
}

function downCommand(): Command {
  return new Command('down')
    .description('Take labs down, and remove what labs of killed processes left behind.')
    .argument('[id]', 'only this lab')
    .addHelpText('after', '\nExample:\n  tandem lab down')
    .action(async (id: string | undefined) => {
      const removed = await takeLabsDown(id);
      for (const lab of removed) write(`lab ${lab.id} removed\n`);
      if (removed.length === 0) write('no lab was up\n');
    });
}

/** The process in the background; `up` starts it. */
function keepCommand(): Command {
  return withLabOptions(new Command('keep')).action(async (options: LabOptions) => {
    const kernel = chooseKernel(await readKernelFacts(), options.kernel);
    if (kernel.boot) await keepEmbeddedLab(options.topology, write);
    else await makeAndKeepLab(options.topology, kernel.kind, new LiveOutput(write, false));
  });
}

function describeLab(lab: LabRecord, topology: Topology): string {
  const rows = topology.nodes.map(({ name, role, interfaces }) => [
    name,
    role,
    interfaces.map((link) => `${link.name} ${formatFirst(link.addresses)}`).join(', '),
  ]);
  const routers = topology.virtualRouters.map((router) => [
    router.name,
    'virtual IP',
    `${router.interface} ${router.addresses.map(formatIpPrefix).join(', ')} ` +
      `(virtual router ${router.vrid})`,
  ]);
  const services = topology.services.map(({ name, mark, persistence, listeners }) => [
    name,
    'service',
    listeners.map(listenerUrl).join(', ') +
      (mark === undefined ? '' : ` (mark ${mark})`) +
      (persistence === undefined ? '' : `, persistent for ${persistence}`),
  ]);
  return [
    ...formatTable([...rows, ...routers, ...services]),
    '',
    `  tandem lab exec lb1 ipvsadm -Ln`,
    ...topology.services.map(
      ({ listeners: [listener] }) =>
        `  tandem lab exec client tandem probe ${listenerUrl(listener)}`,
    ),
    `  tandem lab down ${lab.id}`,
  ].join('\n');
}

function formatFirst(
  addresses: Topology['nodes'][number]['interfaces'][number]['addresses'],
): string {
  const [first] = addresses;
  return first === undefined ? '' : formatIpPrefix(first);
}
