/** Runs drills, each in a lab of its own: here, or in an embedded kernel that is booted for it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TandemError } from '../errors.js';
import { drillLimits } from './drillLimits.js';
import { runInEmbeddedKernel, sharedFolderVariable } from './embeddedKernel.js';
import type { KernelChoice } from './kernelChoice.js';
import { Lab } from './lab.js';
import { runRecorded } from './labControl.js';
import { makeReport } from './makeReport.js';
import { mainScriptPath } from './packageFolders.js';
import type { DrillFile, DrillReport } from './report.js';
import type { DrillReporter } from './reporter.js';
import { drillName, type PlannedDrill } from './scenario.js';
import { runScenarioIn } from './scenarioRun.js';
import { topologies } from './topologies.js';

/** What to run, and who is told. */
export interface DrillRequest {
  readonly drills: readonly PlannedDrill[];
  readonly kernel: KernelChoice;
  readonly release: string;
  readonly reporter: DrillReporter;
  /** Called with each report as soon as there is one. */
  readonly onReport: (report: DrillReport) => void;
  /** Called with the lab of the last scenario before it is removed, and with all reports. */
  readonly beforeRemoval?: (lab: Lab, file: DrillFile) => Promise<void>;
}

/** The name of the report inside the shared folder. */
const reportFileName = 'report.json';

/** How long one scenario may take in the embedded kernel, in milliseconds. */
const scenarioTimeoutMs = 180_000;
const bootTimeoutMs = 60_000;

/** Runs the scenarios in labs on the kernel that this process runs on. */
export async function runDrillsHere(request: DrillRequest): Promise<DrillFile> {
  const reports: DrillReport[] = [];
  for (const [index, drill] of request.drills.entries()) {
    const { scenario, topology } = drill;
    request.reporter.step(`${drillName(drill)}: ${scenario.title}`);
    const lab = new Lab(topologies[topology], request.kernel.kind, 'drill');
    try {
      const limits = drillLimits(request.kernel.kind);
      const report = makeReport(await runScenarioIn(lab, scenario, limits, request.reporter));
      reports.push(report);
      request.onReport(report);
      if (index === request.drills.length - 1) {
        await request.beforeRemoval?.(lab, writeShared(makeFile(request, reports)));
      }
    } finally {
      await lab.remove();
    }
  }
  return writeShared(makeFile(request, reports));
}

function makeFile(
  { kernel: { kind, reason }, release }: DrillRequest,
  reports: readonly DrillReport[],
): DrillFile {
  const held = reports.every((report) => report.held);
  return { format: 'tandem-drill/1', kernel: { kind, reason, release }, reports, held };
}

/** Inside an embedded kernel the process outside reads the file from the shared folder. */
function writeShared(file: DrillFile): DrillFile {
  const sharedFolder = process.env[sharedFolderVariable];
  if (sharedFolder !== undefined) {
    writeFileSync(join(sharedFolder, reportFileName), JSON.stringify(file));
  }
  return file;
}

/** How the inner run shall print. */
export interface InnerOutput {
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
}

/** Boots the embedded kernel and lets this program run the scenarios inside. */
export async function runDrillsEmbedded(
  drills: readonly PlannedDrill[],
  kernel: KernelChoice,
  output: InnerOutput,
  /** Keeps the last lab up, and is called with the reports when there is nothing else to do. */
  whenKept?: (file: DrillFile) => void,
): Promise<DrillFile> {
  const names = drills.map(drillName);
  const keep = whenKept === undefined ? [] : ['--keep'];
  const drillTimeoutMs = bootTimeoutMs + scenarioTimeoutMs * names.length;
  let folder = '';
  let file: DrillFile | undefined;
  const { exitCode } = await runRecorded(
    'drill',
    drills[0]?.topology ?? 'nat',
    (onFolder, onReady) =>
      runInEmbeddedKernel({
        command: [process.execPath, mainScriptPath(), 'drill', ...names, ...keep],
        workingDirectory: '/',
        env: output.isTerminal ? { TANDEM_TERMINAL: '1' } : {},
        timeoutMs: whenKept === undefined ? drillTimeoutMs : Number.POSITIVE_INFINITY,
        onFolder: (sharedFolder) => {
          folder = sharedFolder;
          onFolder(sharedFolder);
        },
        onOutput: (chunk) => {
          output.write(chunk);
          if (!onReady()) return;
          file = readReport(folder, kernel);
          if (file !== undefined) whenKept?.(file);
        },
        onEnd: () => {
          file = readReport(folder, kernel);
        },
      }),
  );
  if (file !== undefined) return file;
  throw new TandemError(
    'LAB_FAILED',
    `the drill in the embedded kernel ended with status ${exitCode} and without a report`,
    { hint: 'The lines above say why.' },
  );
}

function readReport(sharedFolder: string, kernel: KernelChoice): DrillFile | undefined {
  const path = join(sharedFolder, reportFileName);
  if (!existsSync(path)) return undefined;
  const file = JSON.parse(readFileSync(path, 'utf8')) as DrillFile;
  // Inside, the reason was only that it is inside.
  return { ...file, kernel: { ...file.kernel, reason: kernel.reason } };
}
