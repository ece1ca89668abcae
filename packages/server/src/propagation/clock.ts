/** The two clocks of one process, in ms. */
export interface Clock {
  /** Monotonic: it never jumps, and stops while the machine is suspended. Its zero point is arbitrary. */
  monotonic(): number;
  /** Epoch ms. It may jump, so it is only used as the fuse of a lease, which can only end the lease. */
  wall(): number;
}
