import { after } from 'node:test';

/** Each ends a resource that all test files of this process share. */
const ends: (() => Promise<void>)[] = [];
let hasManyFiles = false;

/** Calls `end` when the last test file of this process has ended. */
function atEndOfRun(end: () => Promise<void>): void {
  if (!hasManyFiles && ends.length === 0) after(endRun);
  ends.push(end);
}

/**
 * A resource that all test files of this process share. It is created with the first call of the returned function, and
 * ends with the run.
 */
export function shareAmongTestFiles<T>(create: () => Promise<T>, end: (resource: T) => Promise<void>) {
  let created: Promise<T> | undefined;
  return async (): Promise<T> => {
    if (created === undefined) {
      created = create();
      const resource = await created;
      atEndOfRun(async () => {
        created = undefined;
        await end(resource);
      });
    }
    return created;
  };
}

/** For a process that runs several test files: the returned function must be called when the last one has ended. */
export function runManyFiles(): () => Promise<void> {
  hasManyFiles = true;
  return endRun;
}

async function endRun(): Promise<void> {
  // The last one first, because it may use an earlier one.
  for (const end of ends.splice(0).reverse()) await end();
}
