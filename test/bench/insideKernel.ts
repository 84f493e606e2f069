/** Runs a script of the benchmarks inside the embedded kernel and collects what it prints. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runInEmbeddedKernel } from '../../src/drill/embeddedKernel.js';
import { TandemError } from '../../src/errors.js';

const resultMark = 'RESULT ';
/** Lines that say when the CPU time of the whole embedded machine is to be read. */
const beginMark = 'MEASURE begin';
const endMark = 'MEASURE end';

/**
 * Runs `name.js` of this folder with arguments that are told as JSON. Its lines that begin with
 * `RESULT` are values, handed over as they come; the others are shown when it fails.
 */
export async function runInside<Result>(
  name: string,
  args: readonly unknown[],
  options: {
    readonly timeoutMs: number;
    readonly memoryMegabytes?: number;
    /** With the CPU time of the whole machine between the two marks before it, in seconds. */
    readonly onResult: (result: Result, machineCpuSeconds: number) => void;
  },
): Promise<void> {
  const script = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const command = [process.execPath, script, ...args.map((value) => JSON.stringify(value))];
  let pending = '';
  let machineSeconds = 0;
  const { exitCode, output } = await runInEmbeddedKernel({
    command,
    timeoutMs: options.timeoutMs,
    memoryMegabytes: options.memoryMegabytes ?? 1024,
    onOutput: (chunk) => {
      const lines = (pending + chunk).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) {
        if (line === beginMark) machineSeconds = -embeddedCpuSeconds();
        if (line === endMark) machineSeconds += embeddedCpuSeconds();
        if (!line.startsWith(resultMark)) continue;
        options.onResult(JSON.parse(line.slice(resultMark.length)) as Result, machineSeconds);
      }
    },
  });
  if (exitCode === 0) return;
  const said = output.split('\n').filter((line) => !line.startsWith(resultMark));
  throw new TandemError('LAB_FAILED', `${name} ended with ${exitCode}:\n${said.join('\n')}`, {
    hint: 'Run it again on a machine that is idle.',
  });
}

/** CPU time that the embedded kernels of this process have used: each is a process group. */
function embeddedCpuSeconds(): number {
  const stats = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? readStat(name) : []));
  const kernels = new Set(
    stats.filter(({ parent }) => parent === process.pid).map(({ group }) => group),
  );
  return stats
    .filter(({ group }) => kernels.has(group))
    .reduce((sum, { seconds }) => sum + seconds, 0);
}

function readStat(pid: string): readonly { parent: number; group: number; seconds: number }[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [, parent = 0, group = 0] = fields;
    // Its own time, and that of its children that have ended.
    const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
    return [{ parent, group, seconds: ticks / 100 }];
  } catch {
    // It has ended since.
    return [];
  }
}
