import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

const slowestMax = 20;
const shortReasonChars = 200;

/** The names of the lines that node:test itself ends with; all else that it says is a test's. */
const summaryLine = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;

interface Failure {
  readonly title: string;
  readonly file: string;
  readonly reason: string;
  /** Whether it failed only because a test inside it did. */
  readonly bySubtest: boolean;
}

/**
 * A reporter for the whole of `npm test`: one line per test as it ends, then the slowest tests and
 * every failure whole; and last, where the end of a log may be all that one sees, a line for each
 * failure and node:test's own summary.
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
      if (event.type === 'test:fail') failures.push(failureOf(event.data));
      yield line(event.type === 'test:pass', data);
    } else if (event.type === 'test:stderr') {
      yield event.data.message;
    } else if (event.type === 'test:diagnostic') {
      const { message, nesting } = event.data;
      if (nesting === 0 && summaryLine.test(message)) summary.push(message);
      else yield `${'  '.repeat(nesting)}# ${message}\n`;
    }
  }
  yield* slowest(ended);
  yield* failures.map(
    ({ title, file, reason }) => `# failed: ${title} (${file})\n${indented(reason)}\n`,
  );
  yield* failures.filter(({ bySubtest }) => !bySubtest).map(shortly);
  yield* summary.map((message) => `# ${message}\n`);
}

interface Ended {
  readonly nesting: number;
  readonly name: string;
  readonly skip?: string | boolean;
  readonly details: { readonly duration_ms: number };
}

interface Failed {
  readonly name: string;
  readonly file?: string;
  readonly details: { readonly error: Error };
}

function failureOf({ name, file, details }: Failed): Failure {
  const { error } = details;
  return {
    title: name,
    file: relative(process.cwd(), file ?? ''),
    reason: reasonOf(error),
    bySubtest: 'failureType' in error && error.failureType === 'subtestsFailed',
  };
}

function line(passed: boolean, { nesting, name, skip, details }: Ended): string {
  const verdict = `${'  '.repeat(nesting)}${passed ? 'ok' : 'not ok'}`;
  const skipped = skip === undefined || skip === false ? '' : ' # SKIP';
  return `${verdict} - ${name} (${Math.round(details.duration_ms)} ms)${skipped}\n`;
}

function shortly({ title, file, reason }: Failure): string {
  const oneLine = reason.replace(/\s+/g, ' ').slice(0, shortReasonChars);
  return `# failed: ${title} (${file}): ${oneLine}\n`;
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
