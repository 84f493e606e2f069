/** What the IPVS benchmark measures, and how its result gets out of the embedded kernel. */
import type { TableSize } from './ipvsSetup.js';

/** The programs that are measured. */
export type IpvsProgram = 'tandem' | 'ipvsadm' | 'keepalived';

/** The rows of the result. */
export const ipvsTasks = {
  restore: 'load the table from a file (-R)',
  save: 'print the table (-S -n)',
  list: 'list the table (-L -n)',
  start: 'start of the agent until the table is whole',
  reload: 'change of one server, from SIGHUP to the kernel',
  memory: 'memory of the running agent',
  memoryPeak: 'memory at its highest',
} as const;

/** A key of {@link ipvsTasks}. */
export type IpvsTask = keyof typeof ipvsTasks;

/** Tasks of which the result is memory; that of the others is time. */
export const memoryTasks: ReadonlySet<IpvsTask> = new Set(['memory', 'memoryPeak']);

/** One figure. */
export interface IpvsFigure {
  readonly task: IpvsTask;
  readonly program: IpvsProgram;
  /** Milliseconds, or KiB of a task of {@link memoryTasks}. */
  readonly value: number;
}

/** All figures of a run. */
export interface IpvsResult {
  readonly size: TableSize;
  readonly kernel: string;
  readonly figures: readonly IpvsFigure[];
  /** Operations that the agent sent for the reload, as its status says. */
  readonly reloadOperations: number;
  /** Reading the whole table over netlink, and comparing it with the configuration; ms. */
  readonly dumpMs: number;
  readonly diffMs: number;
}

/** A line of the inner program's output that carries the result starts so. */
export const resultMark = 'IPVS-BENCH-RESULT ';
