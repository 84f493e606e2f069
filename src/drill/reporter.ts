/** How a drill tells what it does while it runs. */
export interface DrillReporter {
  /** Something was done or has happened: one line that stays. */
  step(text: string): void;
  /** How things stand: a line that the next one replaces. */
  progress(text: string): void;
}
