/**
 * The agent's log: JSON lines for a machine, aligned and coloured lines for a person at a terminal.
 */
import { type Logger, pino } from 'pino';
import type { ConfiguredLogLevel } from '../config/model.js';

/** The log of the agent, or a child of it that carries more fields. */
export type AgentLogger = Logger;

/**
 * What may wait for a reader that is slow, in bytes. Beyond it lines are dropped and counted: a
 * journal that blocks must not stall the agent.
 */
const logBufferBytesMax = 4 * 1024 * 1024;

/** A logger with the means to empty and to judge its buffer. */
export interface AgentLog {
  readonly logger: AgentLogger;
  /** Lines dropped because the reader of standard output was too slow. */
  droppedLines(): number;
  /** Writes what is buffered; called once before the process ends. */
  flush(): void;
}

/** Opens the log on standard output (or the descriptor given); pretty when that is a terminal. */
export async function openLog(
  level: ConfiguredLogLevel,
  isTerminal: boolean,
  descriptor = 1,
): Promise<AgentLog> {
  if (isTerminal) {
    // Only then, because an agent that starts has a table to fill first.
    const { default: pretty } = await import('pino-pretty');
    const translateTime = 'SYS:HH:MM:ss.l';
    const stream = pretty({
      colorize: true,
      translateTime,
      ignore: 'pid',
      destination: descriptor,
    });
    return { logger: pino({ level, base: {} }, stream), droppedLines: () => 0, flush: () => {} };
  }
  const destination = pino.destination({
    dest: descriptor,
    sync: false,
    maxLength: logBufferBytesMax,
  });
  let dropped = 0;
  destination.on('drop', () => {
    dropped += 1;
  });
  // A reader that went away must not end a director.
  destination.on('error', () => {
    dropped += 1;
  });
  return {
    logger: pino({ level, base: { pid: process.pid } }, destination),
    droppedLines: () => dropped,
    flush: () => {
      try {
        destination.flushSync();
      } catch {
        // The descriptor may not be open yet or be closed already; there is nobody left to tell.
      }
    },
  };
}
