/** `tandem drill`: break things on purpose in a lab, measure, report. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { runDrillsEmbedded, runDrillsHere } from '../drill/drillRun.js';
import {
  chooseKernel,
  type KernelKind,
  kernelKinds,
  readKernelFacts,
} from '../drill/kernelChoice.js';
import { keepLabUp } from '../drill/labKeeper.js';
import type { DrillFile } from '../drill/report.js';
import { defaultScenarioName, type PlannedDrill, scenarios } from '../drill/scenario.js';
import { topologies } from '../drill/topologies.js';
import { type TopologyName, topologyNames } from '../drill/topology.js';
import { TandemError } from '../errors.js';
import { drillReportText } from './drillText.js';
import { LiveOutput } from './liveOutput.js';
import { formatTable, painterFor } from './table.js';

interface DrillOptions {
  readonly list?: boolean;
  readonly json?: string;
  readonly kernel?: KernelKind;
  readonly keep?: boolean;
  readonly topology: TopologyName | 'all';
}

/** The command. */
export function drillCommand(): Command {
  return new Command('drill')
    .description('Break things on purpose in a lab of two directors, measure, and report.')
    .argument(
      '[scenario...]',
      `what to run, or SCENARIO@TOPOLOGY; "all" for all (default: ${defaultScenarioName})`,
    )
    .addOption(
      new Option('--topology <name>', 'what the lab looks like')
        .choices([...topologyNames, 'all'])
        .default('nat'),
    )
    .option('--list', 'list the scenarios and the topologies')
    .option('--json <file>', 'where to write the report (default: a file in the temporary folder)')
    .addOption(
      new Option('--kernel <kind>', 'kernel to run the lab on (default: chosen)').choices(
        kernelKinds,
      ),
    )
    .option('--keep', 'keep the lab up after the last scenario, until interrupted')
    .addHelpText(
      'after',
      '\nExample:\n  tandem drill director-crash server-down --json report.json',
    )
    .action(async (names: string[], options: DrillOptions) => {
      if (options.list === true) {
        const rows = [...scenarios, ...Object.values(topologies)].map(({ name, title }) => [
          name,
          title,
        ]);
        console.log(formatTable(rows).join('\n'));
        return;
      }
      await drill(planDrills(names, options.topology), options);
    });
}

/**
 * The drills of a command line: each scenario in each topology, unless it names one itself. Throws
 * `USAGE` for a name that is none.
 */
export function planDrills(
  names: readonly string[],
  topology: TopologyName | 'all',
): readonly PlannedDrill[] {
  const wanted = names.length === 0 ? [defaultScenarioName] : names;
  return wanted.flatMap((text) => {
    const [name = '', own] = text.split('@');
    const found = scenarios.filter((scenario) => name === 'all' || scenario.name === name);
    if (found.length === 0) {
      const known = scenarios.map((scenario) => scenario.name).join(', ');
      throw new TandemError('USAGE', `there is no scenario ${name}`, {
        hint: `The scenarios are: ${known}, or all.`,
      });
    }
    const places = topologyNames.filter((place) => [place, 'all'].includes(own ?? topology));
    if (places.length === 0) {
      throw new TandemError('USAGE', `there is no topology ${own}`, {
        hint: `The topologies are: ${topologyNames.join(', ')}, or all.`,
      });
    }
    return places.flatMap((place) => found.map((scenario) => ({ scenario, topology: place })));
  });
}

async function drill(wanted: readonly PlannedDrill[], options: DrillOptions): Promise<void> {
  const facts = await readKernelFacts();
  const kernel = chooseKernel(facts, options.kernel);
  const isTerminal = process.stdout.isTTY === true || process.env.TANDEM_TERMINAL === '1';
  const write = (text: string): void => {
    process.stdout.write(text);
  };
  const keep = options.keep === true;
  const save = (file: DrillFile): void => saveReport(file, options.json);
  if (kernel.boot) {
    write(`kernel: ${kernel.kind} (${kernel.reason})\n`);
    const inner = { isTerminal, write };
    judge(await runDrillsEmbedded(wanted, kernel, inner, keep ? save : undefined), save);
    return;
  }
  if (!facts.inside) write(`kernel: ${kernel.kind} (${kernel.reason})\n`);
  const output = new LiveOutput(write, isTerminal);
  const paint = painterFor(isTerminal, process.env);
  const file = await runDrillsHere({
    drills: wanted,
    kernel,
    release: facts.release,
    reporter: output,
    onReport: (report) => output.print(drillReportText(report, paint)),
    ...(keep
      ? {
          beforeRemoval: async (lab, reports) => {
            if (!facts.inside) save(reports);
            await keepLabUp(lab, output);
          },
        }
      : {}),
  });
  // Inside the embedded kernel the report goes to the process outside, which judges it.
  if (!facts.inside) judge(file, save);
}

function saveReport(file: DrillFile, wanted: string | undefined): void {
  const path = wanted ?? join(mkdtempSync(join(tmpdir(), 'tandem-drill-')), 'report.json');
  writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`);
  process.stdout.write(`report: ${path}\n`);
}

function judge(file: DrillFile, save: (file: DrillFile) => void): void {
  save(file);
  const broken = brokenPromises(file);
  if (broken.length > 0) throw new TandemError('DRILL_FAILED', broken.join('\n        '));
}

/** One line for each promise that did not hold. */
export function brokenPromises(file: DrillFile): readonly string[] {
  return file.reports.flatMap((report) =>
    report.promises
      .filter(({ holds }) => !holds)
      .map(
        ({ says, measured, bound, unit }) =>
          `${report.scenario}@${report.topology}: ${says}: ` +
          `${measured ?? 'never'} ${unit}, bound ${bound}`,
      ),
  );
}
