/**
 * Random faults against the invariants. A failing seed is printed; run it alone with
 * `SEED=17 node --test .build/test/sim/randomCourses.test.js`.
 */
import { test } from 'node:test';
import { runCourse } from './support/randomCourse.js';

const seedCount = 500;
const only = process.env.SEED;
const seeds =
  only === undefined ? Array.from({ length: seedCount }, (_, index) => index + 1) : [Number(only)];

test(`the election recovers from whatever happens on a LAN, in ${seeds.length} courses`, () => {
  for (const seed of seeds) {
    try {
      runCourse(seed);
    } catch (error) {
      throw new Error(`SEED=${seed} breaks an invariant`, { cause: error });
    }
  }
});
