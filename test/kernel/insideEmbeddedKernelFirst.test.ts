import { test } from 'node:test';
import { runEmbeddedHalf } from './support/embeddedHalf.js';

test('the first half of test/embedded passes inside the embedded kernel', (context) =>
  runEmbeddedHalf(context, 0));
