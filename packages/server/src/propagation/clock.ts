/** The two clocks of one process, in ms. */
export interface Clock {
  /** Monotonic: it never jumps, but stops while the machine is suspended. Its zero point is arbitrary. */
  monotonic(): number;
  /** Epoch ms. It may jump, so it serves only as the safeguard of a lease: a jump can end a lease, never extend it. */
  wall(): number;
}
