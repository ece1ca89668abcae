/**
 * ms that tests wait for what must happen at some point. It only ends tests that would hang, so it is far longer than
 * anything takes on a machine that does many other things at the same time.
 */
export const patience = 120_000;
