/**
 * Exit codes of a failed start. They follow sysexits.h, so that a service manager can distinguish "wrong configuration"
 * from "try again". run.ts prints the message of the error in one line and exits with the code.
 */
export const exitCodes = {
  /** The database is damaged, or was written by a newer version. */
  data: 65,
  /** The database or the port is not available. */
  unavailable: 69,
  /** A bug in Soku. */
  software: 70,
  /** The data directory is not writable, or another process uses it. */
  cannotCreate: 73,
  /** An invalid environment variable. */
  configuration: 78,
} as const;

export class StartupError extends Error {
  override readonly name = 'StartupError';
  readonly exitCode: number;

  /** @param message one line that states what is wrong and what to do */
  constructor(reason: keyof typeof exitCodes, message: string) {
    super(message);
    this.exitCode = exitCodes[reason];
  }
}
