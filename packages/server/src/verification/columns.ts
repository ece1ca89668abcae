/**
 * The columns of a KeyTable: 32-bit numbers in one Int32Array, row by row. A verification therefore touches few cache
 * lines of the processor, all of them in one page of memory, and a million rows are a single object for the garbage
 * collector.
 *
 * KeyTable writes the columns up to `limit` and `end`, but RowDetails `access`, RowWindows the four after `limit`,
 * RowUsage those after that, and RowTexts the last ones.
 */

/** SHA-256 of the secret in 8 columns, big-endian. */
export const hash = 0;
/** The next row in the same bucket of the hash index, plus 1. In a free row, the next free row, plus 1. */
export const nextByHash = 8;
/** The next row in the same bucket of the key-ID index, plus 1. */
export const nextByKey = 9;
/** Bit flags, listed below. */
export const flags = 10;
/** Index of the workspace ID in the interned strings. */
export const workspace = 11;
/** Number of the scopes and allowed addresses in SharedAccess. */
export const access = 12;
/** Length in bytes of the key ID (lower half) and of the URL-encoded name (upper half). */
export const lengths = 13;
/** Requests per minute; 0 means no limit. */
export const limit = 14;

/** The rate-limit window of the key (limits/sliding-window.ts), unless the window is stored outside the table. */
export const minute = 15;
export const current = 16;
export const previous = 17;
/** With several servers: requests that this one may still accept in that minute (limits/grants.ts). */
export const left = 18;

/** Accepted requests whose counts are still in the row, and not yet in the pending uses. */
export const accepted = 19;
/** How many of them are in the log of usage (usage/log.ts). */
export const logged = 20;
/** Rejected requests whose counts are still in the row. None of them is in the log. */
export const refused = 21;
/** The epoch hour of these counts. */
export const hour = 22;
/** ms from the start of that hour to its last accepted use; -1 means none. Kept when the counts are moved. */
export const lastMs = 23;
/**
 * Indexes of the address and user agent of the last accepted use in their interned strings. UseCheck relies on the address
 * being one from which this row was accepted, and not an earlier row of the key, whose policy may have differed.
 */
export const address = 24;
export const agent = 25;

/** Epoch ms from which the row may be rejected, as a 64-bit float in two columns: an even number, for its alignment. */
export const end = 26;

/** The ID and name of the key, as bytes. */
export const text = 28;
/** 48 bytes: a key ID and 18 more. */
export const textColumns = 12;

/** Number of columns per row: an even number, too. */
export const width = 40;

/** The row was used since the CLOCK hand last passed it. */
export const wasUsed = 1;
/** The row has counts and is in the list of such rows. */
export const isCounted = 2;
/** The address, user agent or five minutes of the last use differ from what the pending uses last received. */
export const changesLastUse = 4;
/** The secret is permanently rejected because its key was revoked or the secret was retired. Neither: no key has it. */
export const isRevoked = 8;
export const isRetired = 16;
/** The row has counts that are not in the log, and is in the list of such rows. Never without `isCounted`. */
export const isUnlogged = 32;
/** The row is in the list of rows with counts, once, even if it has none anymore or belongs to another secret now. */
export const isListed = 64;
/** The key must be checked at each use: it is disabled, a test key, or has allowed addresses. */
export const isRestricted = 128;
/** The error code of the rejected requests in `refused`: its position in the table of codes, in 8 bits. */
export const rejectionShift = 8;
export const rejectionMask = 0xff << rejectionShift;
export const isDisabled = 1 << 16;
export const isTest = 1 << 17;
/** The table has details of the key outside the row. */
export const hasDetails = 1 << 18;
/** The first use of the secret starts the grace period of older ones. */
export const startsGrace = 1 << 19;
