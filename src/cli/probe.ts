/** `tandem probe`: requests in a loop, and which server answered how often. */
import { Command, InvalidArgumentError } from 'commander';
import { TandemError } from '../errors.js';
import { runProbe, type ServerMark } from '../probe/run.js';
import { type ProbeSummary, summarize } from '../probe/summary.js';
import { formatTable } from './table.js';

interface ProbeCommandOptions {
  readonly number: number;
  readonly concurrency: number;
  readonly timeout: number;
  readonly by: ServerMark;
  readonly sticky?: boolean;
  readonly json?: boolean;
}

const barWidth = 40;

/** The command. */
export function probeCommand(): Command {
  return new Command('probe')
    .description('Request a URL in a loop and show which server answered how often.')
    .argument('<url>', 'http:// or https:// address of the service')
    .option('-n, --number <count>', 'how many requests', countOption(1_000_000), 100)
    .option('--concurrency <count>', 'requests under way at once', countOption(1_000), 1)
    .option('--timeout <ms>', 'how long one request may take', countOption(600_000), 5_000)
    .option('--by <what>', 'what names the server: body (first line), header:NAME', readMark, {
      kind: 'body',
    } satisfies ServerMark)
    .option('--sticky', 'fail unless one server answers every request')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  tandem probe http://172.25.254.100/ -n 60')
    .action(async (text: string, options: ProbeCommandOptions) => {
      const { number: count, concurrency, timeout: timeoutMs, by } = options;
      const url = readUrl(text);
      const summary = summarize(await runProbe({ url, count, concurrency, timeoutMs, by }));
      const isSticky = summary.servers.length === 1;
      if (summary.failed > 0 || (options.sticky === true && !isSticky)) process.exitCode = 1;
      if (options.json === true) console.log(JSON.stringify(summary, null, 2));
      else for (const line of summaryLines(summary)) console.log(line);
    });
}

function summaryLines(summary: ProbeSummary): readonly string[] {
  const rows = summary.servers.map(({ name, answers, share }) => [
    name,
    String(answers),
    `${(share * 100).toFixed(1)} %`,
    '#'.repeat(Math.round(share * barWidth)),
  ]);
  const { latencyMs, failed, requests } = summary;
  const failures = Object.entries(summary.failures).map(([name, count]) => `${count} ${name}`);
  const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;
  return [
    ...(rows.length === 0 ? [] : formatTable([['SERVER', 'ANSWERS', 'SHARE', ''], ...rows])),
    `${requests} requests, ${failed} failed${failed === 0 ? '' : ` (${failures.join(', ')})`}`,
    ...(latencyMs === null
      ? []
      : [
          `latency: half within ${milliseconds(latencyMs.p50)}, ` +
            `90 % within ${milliseconds(latencyMs.p90)}, ` +
            `99 % within ${milliseconds(latencyMs.p99)}, at most ${milliseconds(latencyMs.max)}`,
        ]),
  ];
}

function countOption(max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
    if (value < 1 || value > max) throw new InvalidArgumentError(`must be 1 to ${max}`);
    return value;
  };
}

function readMark(text: string): ServerMark {
  if (text === 'body') return { kind: 'body' };
  const name = /^header:([!-9;-~]+)$/.exec(text)?.[1];
  if (name !== undefined) return { kind: 'header', name };
  throw new InvalidArgumentError('must be body or header:NAME');
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new TandemError('USAGE', `not a URL of http or https: ${text}`);
}
