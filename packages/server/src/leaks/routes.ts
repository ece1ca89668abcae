import { type KeyObject, verify } from 'node:crypto';
import { type GithubReport, githubFeedbackSchema, githubReportSchema } from '@soku/contract/leaks';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { originOf } from '../events/actor.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { type ApiProblem, RequestError, sendProblem } from '../http/errors.ts';
import type { LogEvent } from '../http/event-log.ts';
import { errorResponses } from '../http/openapi.ts';
import type { GithubKeys } from './github-keys.ts';
import type { LeakService } from './service.ts';

interface Options {
  /** Undefined: reports are not accepted. */
  githubKeys: GithubKeys | undefined;
  leaks: LeakService;
  /** Counts a rejected report against the limit of its address. @returns the rejection of an address over its limit */
  limitAddress: (address: string, now: number) => ApiProblem | undefined;
  addressOf: ClientAddress;
  logEvent: LogEvent;
}

/** Maximum size of a report, in bytes: about 5,000 matches. */
const bodyLimit = 1_000_000;

const headers = { id: 'Github-Public-Key-Identifier', signature: 'Github-Public-Key-Signature' };

/** The endpoint to which GitHub reports leaked keys. */
export const leakRoutes: FastifyPluginAsyncZod<Options> = async (
  app,
  { githubKeys, leaks, limitAddress, addressOf, logEvent },
) => {
  // The signature covers the bytes as they were sent.
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  /** Rejects a report that is not from GitHub like other guesses. */
  const reject = (request: FastifyRequest, reply: FastifyReply, problem: ApiProblem) =>
    sendProblem(reply, limitAddress(addressOf(request.raw), Date.now()) ?? problem);

  app.route({
    method: 'POST',
    url: '/v1/leaks/github',
    schema: {
      operationId: 'reportLeaks',
      summary: 'Report leaked keys (GitHub)',
      description:
        'For the secret scanning partner program of GitHub, which signs each report. Records the leak of each known key. If its workspace has `revokeLeakedKeys`, revokes the key, or retires the reported secret if the key has a newer one, and returns when no server accepts it anymore. 404 unless SOKU_GITHUB_KEYS_URL is set.',
      tags: ['Service'],
      security: [{}],
      body: githubReportSchema,
      response: {
        200: githubFeedbackSchema,
        ...errorResponses(
          'not_found',
          'rate_limited',
          'payload_too_large',
          'unsupported_media_type',
          'signing_keys_unavailable',
          'verification_unavailable',
          'storage_unavailable',
        ),
      },
    },
    bodyLimit,
    // The handler validates the body, after its signature.
    validatorCompiler: () => (value: unknown) => ({ value }),
    // Before the body is read, so that a stranger who does not know the ID of a key cannot send one.
    onRequest: async (request, reply) => {
      if (githubKeys === undefined) return reply.callNotFound();
      const id = fieldOf(request, headers.id);
      const key = id === '' ? 'unknown' : await githubKeys.find(id);
      if (key === 'unavailable') return reject(request, reply, keysUnavailable(githubKeys.retryAfter()));
      if (key === 'unknown') return reject(request, reply, unknownSigner);
    },
    handler: async (request, reply) => {
      const key = await githubKeys?.find(fieldOf(request, headers.id));
      const body: unknown = request.body;
      if (!(typeof key === 'object' && Buffer.isBuffer(body) && isSigned(request, body, key)))
        return reject(request, reply, wrongSignature);
      const origin = originOf(request, addressOf(request.raw));
      const { feedback, keys } = await leaks.report(parseReport(body), origin);
      logEvent(request, 'leaked keys reported', { keys });
      return reply.header('cache-control', 'no-store').send(feedback);
    },
  });
};

/** @returns '' unless the field was sent exactly once */
function fieldOf({ raw }: FastifyRequest, name: string): string {
  const [value = '', ...others] = raw.headersDistinct[name.toLowerCase()] ?? [];
  return others.length === 0 ? value : '';
}

/** ECDSA over P-256 and SHA-256, in DER and base64. */
function isSigned(request: FastifyRequest, body: Buffer, key: KeyObject): boolean {
  const signature = fieldOf(request, headers.signature);
  return verify('sha256', body, key, Buffer.from(signature, 'base64'));
}

/** An error of JSON.parse would quote the text, which contains keys. */
function parseReport(body: Buffer): GithubReport {
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch {
    throw new RequestError({ code: 'invalid_request', message: 'The body is not well-formed JSON.' });
  }
  const parsed = githubReportSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.join('.') || 'body';
  throw new RequestError({
    code: 'invalid_request',
    message: `The body is not a report of GitHub: ${path} is invalid.`,
    details: [{ path, problem: 'is invalid' }],
  });
}

const unknownSigner: ApiProblem = {
  code: 'invalid_request',
  message: `The header field ${headers.id} does not name a current public key of GitHub.`,
  details: [{ path: headers.id, problem: 'must name a current public key of GitHub' }],
};

const wrongSignature: ApiProblem = {
  code: 'invalid_request',
  message: `The header field ${headers.signature} is not the signature of this body.`,
  details: [{ path: headers.signature, problem: 'must be the signature of the body' }],
};

/** @param seconds until the keys can be fetched again */
function keysUnavailable(seconds: number): ApiProblem {
  return {
    code: 'signing_keys_unavailable',
    message: `The report could not be checked, because its public key is not among those of GitHub that were fetched last. The next fetch is possible in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  };
}
