import type { IncomingMessage } from 'node:http';
import { verifyKeySchema } from '@soku/contract/verification';
import type { z } from 'zod';
import { checkRequestForm, requestLimits } from '../http/broken-requests.ts';
import type { ClientAddress } from '../http/client-address.ts';
import type { PreformattedResponse } from '../http/preformatted-response.ts';
import { readBody, storeBody } from '../http/read-body.ts';
import { nextRequestId } from '../http/request-ids.ts';
import { readUtf8 } from '../http/utf8.ts';
import { plainBearerToken } from './credentials.ts';
import type { FastPath, FastPathRequest } from './fast-path.ts';
import type { GrantingVerifier } from './granting-verifier.ts';
import type { KeyTable } from './key-table.ts';
import { readFields } from './request-fields.ts';
import { commonFields, errorResponse } from './responses.ts';
import type { MaybePromise, Rejected, VerifyOptions } from './result.ts';
import { verifyKeys } from './verify-keys.ts';

interface Options {
  verifier: Pick<GrantingVerifier, 'verifyToken'>;
  addressOf: ClientAddress;
  fastPath: FastPath;
  /** Whether callers can verify the keys of their own workspace only, or all keys. */
  verifyScope: 'workspace' | 'deployment';
}

const route = '/v1/verify';

/** Uncommon fields, which the framework handles. */
const unusual = ['cookie', 'origin', 'sec-fetch-site', 'x-soku-workspace', 'content-encoding'];

/** The back end that calls. */
interface Caller {
  token: string;
  userAgent: string;
  address: string;
  request: IncomingMessage;
}

const workspaceOf = (keys: KeyTable, row: number) => keys.workspaceId(row);

/**
 * Responds to `POST /v1/verify` ahead of the framework if the request has the common form: a key with the scope, a JSON
 * body with Content-Length, and no browser fields. The framework handles everything else, including an invalid body, so
 * that each rejection is worded in one place.
 */
export class PostVerify {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @returns false if the framework must handle the request; it was not touched */
  handle(request: IncomingMessage, response: PreformattedResponse, passOn: () => void): boolean {
    if (request.method !== 'POST' || request.url !== route) return false;
    const { fastPath } = this.#options;
    const exchange = { request, response, route, start: performance.now() };
    try {
      const caller = this.#callerOf(request, response);
      if (caller === undefined) return false;
      readBody(request, (body) => {
        this.#receive(exchange, caller, body, passOn).catch((error) => fastPath.fail(exchange, error));
      });
    } catch (error) {
      fastPath.fail(exchange, error);
    }
    return true;
  }

  /** @returns undefined if the request does not have the common form, or its key is rejected */
  #callerOf(request: IncomingMessage, response: PreformattedResponse): Caller | undefined {
    const { fastPath, addressOf } = this.#options;
    const fields = readFields(request.rawHeaders);
    const token = plainBearerToken(fields);
    if (token === undefined || checkRequestForm(request, fields.hosts) !== null) return undefined;
    if (!fastPath.canSend(response) || !hasUsualFields(request)) return undefined;
    const caller = { token, userAgent: fields.userAgent, address: addressOf(request), request };
    // Not recorded, because the framework would record a rejection again.
    return typeof this.#verifyCaller(caller, { recorded: false }) === 'string' ? caller : undefined;
  }

  async #receive(exchange: FastPathRequest, caller: Caller, body: Buffer, passOn: () => void): Promise<void> {
    const { request } = exchange;
    const input = parseBody(request, body);
    if (input !== undefined) return this.#respond(exchange, caller, input);
    storeBody(request, body);
    passOn();
  }

  async #respond(
    exchange: FastPathRequest,
    caller: Caller,
    input: z.output<typeof verifyKeySchema>,
  ): Promise<void> {
    const { verifier, fastPath, verifyScope: scope } = this.#options;
    // Verified again, because the key may be revoked while the body arrives slowly (ASVS 5.0 8.3.2).
    const verified = await this.#verifyCaller(caller, { recorded: true });
    const outcome =
      typeof verified === 'string'
        ? await verifyKeys(verifier, input, { workspaceId: verified, scope })
        : verified;
    const id = nextRequestId();
    const now = Date.now();
    if (outcome.problem !== undefined) {
      fastPath.send(exchange, errorResponse(outcome.problem, id, now), id, now);
      return;
    }
    const fields = {
      'x-request-id': id,
      ...commonFields,
      'content-type': 'application/json; charset=utf-8',
    };
    fastPath.send(exchange, { status: 200, fields, body: JSON.stringify(outcome.body) }, id, now);
  }

  /** @returns the workspace of the calling key */
  #verifyCaller(
    { token, userAgent, address, request }: Caller,
    recording: Pick<VerifyOptions, 'recorded'>,
  ): MaybePromise<string | Rejected> {
    const options: VerifyOptions = { ...recording, address, needs: ['keys:verify'], limited: false };
    return this.#options.verifier.verifyToken(token, { options, userAgent, accept: workspaceOf, request });
  }
}

function hasUsualFields({ headers }: IncomingMessage): boolean {
  const length = Number(headers['content-length']);
  return (
    length <= requestLimits.body &&
    /^application\/json(; ?charset=utf-8)?$/i.test(headers['content-type'] ?? '') &&
    !unusual.some((name) => name in headers)
  );
}

/** @returns undefined if the body is invalid */
function parseBody(request: IncomingMessage, body: Buffer): z.output<typeof verifyKeySchema> | undefined {
  const text = readUtf8(request.headers['content-type'], body);
  if (text === null) return undefined;
  try {
    return verifyKeySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
