/** A thread that runs ranges of seeds for the benchmark `sim`. */
import { parentPort } from 'node:worker_threads';
import { runRange, type SeedRange } from './sim.js';

parentPort?.on('message', (range: SeedRange) => parentPort?.postMessage(runRange(range)));
