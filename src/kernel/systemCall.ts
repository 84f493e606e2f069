export function systemCallError(call: string, errno: number, context?: string): Error {
  return new Error(`${call} ${errno} ${context}`);
}
