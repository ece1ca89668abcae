import type { Actor } from '@soku/contract/audit';
import { type BuiltInScope, builtInScopeSchema } from '@soku/contract/scopes';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AccountService } from '../accounts/account-service.ts';
import { authHeaders } from '../accounts/forward.ts';
import { type Origin, originOf } from '../events/actor.ts';
import type { Caller, Callers } from '../http/caller.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { type ApiProblem, RequestError, sendProblem } from '../http/errors.ts';
import { limitFields } from '../limits/fields.ts';
import type { LimitState } from '../limits/sliding-window.ts';
import type { GrantingVerifier } from '../verification/granting-verifier.ts';
import type { VerifyRequestOptions } from '../verification/result.ts';
import type { SessionCheck } from './session-check.ts';

/** Time in ms after a sign-in during which a session may create, rotate or import keys, or change webhooks (ASVS 5.0 7.5.3). */
const recentLogin = 2 * 60 * 60 * 1000;

type Found =
  | { caller: Caller; limit: LimitState | null; problem?: never }
  | { caller?: never; limit?: never; problem: ApiProblem };

/**
 * Authenticates the caller of a management endpoint: the key in the Authorization header, otherwise the person with the
 * session cookie. A key needs the scope. A person may do everything in their own workspaces.
 */
export class CallerAuthenticator implements Callers {
  readonly #verifier: GrantingVerifier;
  readonly #accounts: AccountService;
  readonly #addressOf: ClientAddress;
  readonly #usesSession: SessionCheck;
  readonly #now: () => number;
  readonly #authenticated = new WeakMap<FastifyRequest, Caller>();
  readonly #bodyless = new WeakSet<FastifyRequest>();

  constructor(
    verifier: GrantingVerifier,
    accounts: AccountService,
    addressOf: ClientAddress,
    usesSession: SessionCheck,
    now: () => number = Date.now,
  ) {
    this.#verifier = verifier;
    this.#accounts = accounts;
    this.#addressOf = addressOf;
    this.#usesSession = usesSession;
    this.#now = now;
  }

  require(
    needs: BuiltInScope,
    options: { recentLogin?: boolean; limited?: false; person?: false; key?: false } = {},
  ) {
    const authenticate = async (
      request: FastifyRequest,
      reply: FastifyReply,
    ): Promise<FastifyReply | undefined> => {
      // The same request was already authenticated.
      const again = this.#authenticated.has(request);
      if (again && this.#bodyless.has(request)) return undefined;
      // A request that has already ended has no body, or one that was already read: there is nothing to wait for.
      if (request.raw.readableEnded) this.#bodyless.add(request);
      const verifyOptions = {
        needs: [needs],
        address: this.#addressOf(request.raw),
        limited: !again && options.limited !== false,
        recorded: !again,
      };
      const { caller, problem, limit } = await this.#find(request, verifyOptions, options);
      if (problem !== undefined) return sendProblem(reply, problem);
      if (limit !== null) reply.headers(limitFields(limit));
      this.#authenticated.set(request, caller);
      return undefined;
    };
    return { onRequest: authenticate, preHandler: authenticate };
  }

  async reauthenticate(request: FastifyRequest, needs: BuiltInScope): Promise<void> {
    const address = this.#addressOf(request.raw);
    const verifyOptions = { needs: [needs], address, limited: false, recorded: false };
    const { caller, problem } = await this.#find(request, verifyOptions, {});
    if (problem !== undefined) throw new RequestError(problem);
    if (caller.workspaceId !== this.of(request).workspaceId) throw new RequestError(noWorkspace);
  }

  of(request: FastifyRequest): Caller {
    const caller = this.#authenticated.get(request);
    if (caller === undefined) throw new Error('this endpoint reads its caller without requiring one');
    return caller;
  }

  async #find(
    request: FastifyRequest,
    verifyOptions: VerifyRequestOptions,
    { person, key: keyAllowed, recentLogin }: { person?: false; key?: false; recentLogin?: boolean },
  ): Promise<Found> {
    if (person !== false && this.#usesSession(request.raw)) {
      return this.#findPerson(request, recentLogin === true);
    }
    const result = await this.#verifier.verify(request.raw, verifyOptions);
    if (result.problem !== undefined) return { problem: result.problem };
    if (keyAllowed === false) return { problem: sessionRequired };
    const { key, secretHash, limit } = result;
    const { keyId: id, name, workspaceId, scopes, environment } = key;
    const requested = request.headers['x-soku-workspace'];
    if (requested !== undefined && requested !== workspaceId) return { problem: noWorkspace };
    const actor: Actor = { kind: 'key', id, name, ...this.#originOf(request) };
    return { caller: { actor, workspaceId, scopes, environment, secretHash }, limit };
  }

  #originOf(request: FastifyRequest): Origin {
    return originOf(request, this.#addressOf(request.raw));
  }

  async #findPerson(request: FastifyRequest, recent: boolean): Promise<Found> {
    const session = await this.#accounts.findSession(authHeaders(request, this.#addressOf(request.raw)));
    if (session === null) return { problem: sessionOver };
    if (recent && this.#now() - session.signedInAt > recentLogin) return { problem: recentLoginRequired };
    const workspaces = await this.#accounts.workspacesOf(session.user.id);
    const requested = request.headers['x-soku-workspace'];
    const workspace = requested === undefined ? workspaces[0] : workspaces.find(({ id }) => id === requested);
    if (workspace === undefined) return { problem: noWorkspace };
    return {
      caller: {
        actor: { kind: 'person', id: session.user.id, name: session.user.name, ...this.#originOf(request) },
        workspaceId: workspace.id,
        scopes: builtInScopeSchema.options,
        environment: 'live',
        secretHash: null,
      },
      limit: null,
    };
  }
}

const sessionOver: ApiProblem = { code: 'session_over', message: 'Your session has ended. Sign in again.' };

const sessionRequired: ApiProblem = {
  code: 'session_required',
  message: 'A key cannot make this call. Sign in to the dashboard.',
};

const recentLoginRequired: ApiProblem = {
  code: 'recent_login_required',
  message:
    'You signed in more than two hours ago. Sign in again to create, rotate or import keys, or to change a webhook.',
};

const noWorkspace: ApiProblem = {
  code: 'not_found',
  message: 'Workspace not found. Check the X-Soku-Workspace header.',
};
