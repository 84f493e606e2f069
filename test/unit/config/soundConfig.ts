/** A configuration without errors or warnings, and a way to break one thing of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText, type Environment } from '../../../src/config/checkText.js';
import { formatProblem } from '../../../src/config/problem.js';

/** The lines are counted by the expectations of the tests, so add lines at the end only. */
export const soundConfig = `cluster: web
nodes:
  lb1: { address: 172.25.254.101, interface: eth0 }
  lb2: { address: 172.25.254.102, interface: eth0 }
virtualRouters:
  - name: outside
    vrid: 51
    priority: { lb1: 150, lb2: 100 }
    addresses: [172.25.254.100/24]
  - name: inside
    vrid: 52
    interface: eth1
    priority: { lb1: 150, lb2: 100 }
    addresses: [192.168.0.100/24]
syncGroups:
  - { name: edge, members: [outside, inside] }
services:
  - name: web-http
    listen: tcp://172.25.254.100:80
    scheduler: wrr
    forward: nat
    check:
      type: http
      path: /healthz
      interval: 2s
      timeout: 1s
    servers:
      - { address: 192.168.0.10:80, weight: 2 }
      - { address: 192.168.0.20:80, weight: 1 }
`;

/** One change to {@link soundConfig}: the first occurrence of a text becomes another. */
export type Change = readonly [from: string, to: string];

/** Makes the changes. Throws when a text to be replaced is not there. */
export function changed(...changes: readonly Change[]): string {
  let text = soundConfig;
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`the sound configuration has no ${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}

/** Every problem of a text as an operator sees it. */
export function problemsOf(text: string, environment: Environment = {}): readonly string[] {
  const { problems } = checkConfigText(text, environment);
  return problems.map((problem) => formatProblem('tandem.yaml', problem));
}

/** Every warning of a text as an operator sees it. */
export function warningsOf(text: string): readonly string[] {
  const { problems, warnings } = checkConfigText(text);
  if (problems.length > 0) throw new Error(`not valid: ${JSON.stringify(problems)}`);
  return warnings.map((warning) => formatProblem('tandem.yaml', warning));
}

/** One bad input: what is wrong with it, how it is made, and all that is said of it. */
export interface BadInput {
  readonly title: string;
  readonly changes: readonly Change[];
  readonly problems: readonly ExpectedProblem[];
}

/** `line:column path`, the message, and the hint if there is one. */
export type ExpectedProblem = readonly [place: string, message: string, hint?: string];

/** Makes a test of each bad input: exactly the expected problems are told, in this order. */
export function testBadInputs(badInputs: readonly BadInput[]): void {
  for (const { title, changes, problems } of badInputs) {
    test(`the operator is told of ${title}`, () => {
      const expected = problems.map(
        ([place, message, hint]) =>
          `tandem.yaml:${place}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
      );
      assert.deepEqual(problemsOf(changed(...changes)), expected);
    });
  }
}
