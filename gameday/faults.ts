import type { Fault } from './fault.ts';
import { databaseFaults } from './faults/database.ts';
import { otherFaults } from './faults/environment.ts';
import { nodeFaults } from './faults/nodes.ts';

const nothing: Fault = {
  name: 'nothing',
  title: 'Nothing is broken',
  expected: 'This is what every other part is compared with.',
  minMs: 4000,
  alerts: {},
  mayFail: false,
  begin: () => ({}),
};

/** In the order in which they run. */
export const allFaults: readonly Fault[] = [nothing, ...nodeFaults, ...databaseFaults, ...otherFaults];
