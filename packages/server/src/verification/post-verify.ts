import type { IncomingMessage } from 'node:http';
import { verifyKeySchema } from '@soku/contract/verification';
import type { z } from 'zod';
import { checkForm, requestLimits } from '../http/broken-requests.ts';
import type { ClientAddress } from '../http/client-address.ts';
import type { PreformattedResponse } from '../http/preformatted-response.ts';
import { keepBody, readBody } from '../http/read-body.ts';
import { nextRequestId } from '../http/request-ids.ts';
import { readUtf8 } from '../http/utf8.ts';
import { usualToken } from './credentials.ts';
import type { GrantingVerifier } from './granting-verifier.ts';
import type { KeyTable } from './key-table.ts';
import type { Lane, LaneExchange } from './lane.ts';
import { readFields } from './request-fields.ts';
import { constantFields, errorResponse } from './responses.ts';
import type { MaybePromise, Rejected, VerifyOptions } from './result.ts';
import { verifyKeys } from './verify-keys.ts';

interface Options {
  verifier: Pick<GrantingVerifier, 'verifyToken'>;
  addressOf: ClientAddress;
  lane: Lane;
  /** Whose keys it knows: those of the asking key's workspace, or all. */
  verifyScope: 'workspace' | 'deployment';
}

const route = '/v1/verify';

/** Fields that few programs send, and whose meaning is the framework's. */
const unusual = ['cookie', 'origin', 'sec-fetch-site', 'x-soku-workspace', 'content-encoding'];

/** Who asks. */
interface Asker {
  token: string;
  userAgent: string;
  address: string;
}

const workspaceOf = (keys: KeyTable, row: number) => keys.workspaceId(row);

/**
 * Answers `POST /v1/verify` ahead of the framework when all is as most programs send it: a key with the scope, one JSON
 * body of a told length, nothing of a browser. All else is the framework's, also when that shows only in the body, so
 * each rejection has one place that words it.
 */
export class PostVerify {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @returns false when the framework is to answer; the request was not touched */
  handle(request: IncomingMessage, response: PreformattedResponse, passOn: () => void): boolean {
    if (request.method !== 'POST' || request.url !== route) return false;
    const { lane } = this.#options;
    const exchange = { request, response, route, start: performance.now() };
    try {
      const asker = this.#askerOf(request, response);
      if (asker === undefined) return false;
      readBody(request, (body) => {
        this.#receive(exchange, asker, body, passOn).catch((error) => lane.fail(exchange, error));
      });
    } catch (error) {
      lane.fail(exchange, error);
    }
    return true;
  }

  /** @returns undefined when the request is not as most are, or its key is not accepted */
  #askerOf(request: IncomingMessage, response: PreformattedResponse): Asker | undefined {
    const { lane, addressOf } = this.#options;
    const fields = readFields(request.rawHeaders);
    const token = usualToken(fields);
    if (token === undefined || checkForm(request, fields.hosts) !== null) return undefined;
    if (!lane.canSend(response) || !hasUsualFields(request)) return undefined;
    const asker = { token, userAgent: fields.userAgent, address: addressOf(request) };
    // Not counted: the framework would count a rejection again.
    return typeof this.#verifyAsker(asker, { recorded: false }) === 'string' ? asker : undefined;
  }

  async #receive(exchange: LaneExchange, asker: Asker, body: Buffer, passOn: () => void): Promise<void> {
    const { request } = exchange;
    const question = readQuestion(request, body);
    if (question !== undefined) return this.#answer(exchange, asker, question);
    keepBody(request, body);
    passOn();
  }

  async #answer(
    exchange: LaneExchange,
    asker: Asker,
    question: z.output<typeof verifyKeySchema>,
  ): Promise<void> {
    const { verifier, lane, verifyScope: scope } = this.#options;
    // Again, because the body can be sent so slowly that the key is revoked meanwhile (ASVS 5.0 8.3.2).
    const asking = await this.#verifyAsker(asker, { recorded: true });
    const answered =
      typeof asking === 'string'
        ? await verifyKeys(verifier, question, { workspaceId: asking, scope })
        : asking;
    const id = nextRequestId();
    const now = Date.now();
    if (answered.refusal !== undefined) {
      lane.send(exchange, errorResponse(answered.refusal, id, now), id, now);
      return;
    }
    const fields = {
      'x-request-id': id,
      ...constantFields,
      'content-type': 'application/json; charset=utf-8',
    };
    lane.send(exchange, { status: 200, fields, body: JSON.stringify(answered.body) }, id, now);
  }

  /** @returns the workspace of the key that asks */
  #verifyAsker(
    { token, userAgent, address }: Asker,
    how: Pick<VerifyOptions, 'recorded'>,
  ): MaybePromise<string | Rejected> {
    const use: VerifyOptions = { ...how, address, needs: ['keys:verify'], limited: false };
    return this.#options.verifier.verifyToken(token, { use, userAgent, accept: workspaceOf });
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

/** @returns undefined when the body is not as it must be */
function readQuestion(request: IncomingMessage, body: Buffer): z.output<typeof verifyKeySchema> | undefined {
  const text = readUtf8(request.headers['content-type'], body);
  if (text === null) return undefined;
  try {
    return verifyKeySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
