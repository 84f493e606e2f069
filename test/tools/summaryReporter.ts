import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

const slowestMax = 20;

interface Failure {
  readonly title: string;
  readonly file: string;
  readonly reason: string;
}

/**
 * A reporter for the whole of `npm test`: one line per test as it ends, and last, where the end of
 * a log is all that one sees, the slowest tests, every failure whole, and node:test's own summary.
 *
 * @param events what node:test tells while it runs
 */
async function* summaryReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failures: Failure[] = [];
  const ended: Ended[] = [];
  const summary: string[] = [];
  for await (const event of events) {
    if (event.type === 'test:pass' || event.type === 'test:fail') {
      const { data } = event;
      if (data.nesting === 0) ended.push(data);
      if (event.type === 'test:fail') {
        const file = relative(process.cwd(), data.file ?? '');
        failures.push({ title: data.name, file, reason: reasonOf(event.data.details.error) });
      }
      yield line(event.type === 'test:pass', data);
    } else if (event.type === 'test:stderr') {
      yield event.data.message;
    } else if (event.type === 'test:diagnostic' && event.data.nesting === 0) {
      summary.push(event.data.message);
    }
  }
  yield* slowest(ended);
  yield* failures.map(
    ({ title, file, reason }) => `# failed: ${title} (${file})\n${indented(reason)}\n`,
  );
  yield* summary.map((message) => `# ${message}\n`);
}

interface Ended {
  readonly nesting: number;
  readonly name: string;
  readonly skip?: string | boolean;
  readonly details: { readonly duration_ms: number };
}

function line(passed: boolean, { nesting, name, skip, details }: Ended): string {
  const verdict = `${'  '.repeat(nesting)}${passed ? 'ok' : 'not ok'}`;
  const skipped = skip === undefined || skip === false ? '' : ' # SKIP';
  return `${verdict} - ${name} (${Math.round(details.duration_ms)} ms)${skipped}\n`;
}

function* slowest(ended: readonly Ended[]): Generator<string> {
  const bySpent = ended.toSorted(
    (one, other) => other.details.duration_ms - one.details.duration_ms,
  );
  for (const { name, details } of bySpent.slice(0, slowestMax)) {
    yield `# ${(details.duration_ms / 1000).toFixed(1).padStart(7)} s: ${name}\n`;
  }
}

/** The cause, where there is one: the error itself only says that a test failed. */
function reasonOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause ?? error);
}

function indented(text: string): string {
  return text.replace(/^/gm, '#   ');
}

// biome-ignore lint/style/noDefaultExport: node:test takes a reporter only as the default export.
export { summaryReporter as default };
