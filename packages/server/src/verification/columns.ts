/**
 * The columns of a KeyTable: 32-bit numbers in one Int32Array, a row after another. A verification so touches two or
 * three lines of the processor's cache, and a million rows are one object for the garbage collector.
 *
 * Who writes what: KeyTable everything up to `limit`; RowWindows the next four; RowUsage the rest.
 */

/** SHA-256 of the secret, the first byte highest: 8 columns. */
export const hash = 0;
/** The next row with the same place in the index of hashes, plus 1. In a free row: the next free one, plus 1. */
export const nextByHash = 8;
/** The next row with the same place in the index of keys, plus 1. */
export const nextByKey = 9;
/** Bits, see below. */
export const flags = 10;
/** Number of the workspace's id among the shared texts. */
export const workspace = 11;
/** Number of the scopes, separated by spaces, among the shared texts. */
export const scopes = 12;
/** Bytes of the key's id, and of its name as URL-encoded text: the lower and the upper half. */
export const lengths = 13;
/** Requests a minute; 0 is no limit. */
export const limit = 14;

/** The window of the key's limit (limits/sliding-window.ts), unless it is kept beside the table. */
export const minute = 15;
export const current = 16;
export const previous = 17;
/** With several servers: what this one may still let pass in that minute (limits/grants.ts). */
export const left = 18;

/** Accepted requests that were not handed to the recorder yet. */
export const accepted = 19;
/** Refused ones. */
export const refused = 20;
/** The epoch hour of both. */
export const hour = 21;
/** ms from the start of that hour to its last accepted use; -1 is none. Stays when the counts are taken. */
export const lastMs = 22;
/** Numbers of address and user agent of the last accepted use among their shared texts. */
export const address = 23;
export const agent = 24;

/** Columns of a row. */
export const width = 25;

/** It was used since the hand of the clock came by. */
export const wasUsed = 1;
/** It has counts, and stands in the list of such rows. */
export const isCounted = 2;
/** Address or user agent of the last use, or its hour, are not those that were handed to the recorder before. */
export const isNewClient = 4;
/** The secret is rejected at any time, because its key was revoked, or because it was retired. Neither: no key has it. */
export const isRevoked = 8;
export const isRetired = 16;
