/**
 * Why the process could not start. main.ts prints the message as one line and exits with the code;
 * the codes follow sysexits.h, so that a service manager can tell "wrong configuration" from "try again".
 */
export const exitCodes = {
  /** The database is damaged, or was written by a newer version. */
  data: 65,
  /** The database or the port is not available. */
  unavailable: 69,
  /** A bug in Soku. */
  software: 70,
  /** The data directory cannot be written, or another process holds it. */
  cannotCreate: 73,
  /** A wrong value in the environment. */
  configuration: 78,
} as const;

export class StartupError extends Error {
  override readonly name = 'StartupError';
  readonly exitCode: number;

  /** @param message one line that names what is wrong and what to do */
  constructor(reason: keyof typeof exitCodes, message: string) {
    super(message);
    this.exitCode = exitCodes[reason];
  }
}
