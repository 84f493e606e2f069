import { test } from 'node:test';
import { runEmbeddedHalf } from './support/embeddedHalf.js';

test('all other tests of test/embedded pass inside the embedded kernel', (context) =>
  runEmbeddedHalf(context, 'others'));
