import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeySort, SortOrder } from '@soku/contract/keys';
import { z } from 'zod';
import { RequestError } from '../http/errors.ts';
import type { KeyPlace } from './list-order.ts';

/** The list that a cursor belongs to. */
interface ListOrder {
  workspaceId: string;
  sort: KeySort;
  order: SortOrder;
}

/** Where the next page begins. */
export interface PageStart {
  /** The place of the last key on the previous page. */
  after: KeyPlace;
  /** When the first page was read, as in PageRequest. Epoch ms. */
  since: number;
}

const contentSchema = z.tuple([z.int(), z.union([z.string(), z.int(), z.null()]), z.string(), z.int()]);

/** Bytes of the authentication code. */
const codeLength = 16;

/**
 * Converts the start of a page to an opaque string and back. An authentication code binds it to its list, so that a
 * cursor of another list and a forged one are rejected.
 */
export class ListCursors {
  readonly #key: Uint8Array;

  /** @param secret that of the deployment, because the next page may be read from another server */
  constructor(secret: string) {
    this.#key = createHmac('sha256', secret).update('cursors of key lists').digest();
  }

  write({ after: { phase, value, id }, since }: PageStart, list: ListOrder): string {
    const content = Buffer.from(JSON.stringify([phase, value, id, since]));
    return Buffer.concat([this.#codeOf(content, list), content]).toString('base64url');
  }

  /** @throws {RequestError} invalid_request */
  read(cursor: string, list: ListOrder): PageStart {
    const bytes = Buffer.from(cursor, 'base64url');
    const [code, content] = [bytes.subarray(0, codeLength), bytes.subarray(codeLength)];
    // Several Base64 strings decode to the same bytes. Only the one that `write` returns is accepted.
    const isCanonical = code.length === codeLength && bytes.toString('base64url') === cursor;
    if (!isCanonical || !timingSafeEqual(code, this.#codeOf(content, list))) throw invalidCursor();
    const [phase, value, id, since] = contentSchema.parse(JSON.parse(content.toString()));
    return { after: { phase, value, id }, since };
  }

  #codeOf(content: Uint8Array, { workspaceId, sort, order }: ListOrder): Buffer {
    const code = createHmac('sha256', this.#key).update(JSON.stringify([workspaceId, sort, order]));
    return code.update(content).digest().subarray(0, codeLength);
  }
}

function invalidCursor(): RequestError {
  const problem = 'must be the nextCursor of the previous page, with the same sort and order';
  return new RequestError({
    code: 'invalid_request',
    message: `cursor ${problem}.`,
    details: [{ path: 'cursor', problem }],
  });
}
