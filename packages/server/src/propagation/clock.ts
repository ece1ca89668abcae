/** The two clocks of one process, in ms. */
export interface Clock {
  /** Runs on without jumps; it stands still while the machine is suspended. Its zero means nothing. */
  monotonic(): number;
  /** Since 1970. It may jump, so it decides nothing but the fuse of a lease, which can only refuse. */
  wall(): number;
}
