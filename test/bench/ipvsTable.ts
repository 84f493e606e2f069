/** The IPVS benchmark's result as text. Pure. */
import {
  type IpvsProgram,
  type IpvsResult,
  type IpvsTask,
  ipvsTasks,
  memoryTasks,
} from './ipvsModel.js';
import { spreadOf } from './spread.js';

/** Lays out rows: for a terminal, or as Markdown. */
type Layout = (rows: readonly (readonly string[])[]) => readonly string[];

/** The tables, the first row of each being its heading. */
export function ipvsTables(result: IpvsResult, layout: Layout): string {
  const { size, kernel, reloadOperations, dumpMs, diffMs } = result;
  const rows = (Object.keys(ipvsTasks) as IpvsTask[]).flatMap((task) => taskRow(result, task));
  return [
    `${size.servers} servers in ${size.services} services, Linux ${kernel}`,
    '',
    ...layout([['TASK', 'TANDEM', 'PEER', 'PEER IS', 'RATIO'], ...rows]),
    '',
    `operations sent for the reload: ${reloadOperations}`,
    `full dump: ${milliseconds(dumpMs)}`,
    `comparison with the configuration: ${milliseconds(diffMs)}`,
  ].join('\n');
}

/** Ours divided by the peer's: below 1, ours takes less. */
export function ratioOf(result: IpvsResult, task: IpvsTask): number | undefined {
  const ours = figureOf(result, task, 'tandem');
  const theirs = figureOf(result, task, peerOf(result, task));
  return ours === undefined || theirs === undefined ? undefined : ours / theirs;
}

/** What a task cost a program, the median of all rounds; `undefined` when it was not measured. */
export function figureOf(
  { figures }: IpvsResult,
  task: IpvsTask,
  program: IpvsProgram | undefined,
): number | undefined {
  const values = figures
    .filter((figure) => figure.task === task && figure.program === program)
    .map(({ value }) => value);
  return spreadOf(values)?.median;
}

function peerOf({ figures }: IpvsResult, task: IpvsTask): IpvsProgram | undefined {
  return figures.find((figure) => figure.task === task && figure.program !== 'tandem')?.program;
}

function taskRow(result: IpvsResult, task: IpvsTask): readonly (readonly string[])[] {
  const peer = peerOf(result, task);
  const ours = figureOf(result, task, 'tandem');
  const theirs = figureOf(result, task, peer);
  if (peer === undefined || ours === undefined || theirs === undefined) return [];
  const text = memoryTasks.has(task) ? mebibytes : milliseconds;
  const ratio = ratioOf(result, task)?.toFixed(3) ?? '-';
  return [[ipvsTasks[task], text(ours), text(theirs), peer, ratio]];
}

function milliseconds(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function mebibytes(kibibytes: number): string {
  return `${(kibibytes / 1_024).toFixed(1)} MiB`;
}
