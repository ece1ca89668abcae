import type { Action, Changes, Details } from '@soku/contract/audit';
import type { FastifyRequest } from 'fastify';
import { DatabaseUnavailable } from '../database/unavailable.ts';
import { originOf } from '../events/actor.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { RequestError } from '../http/errors.ts';
import type { AccountName } from './account-events.ts';
import type { AccountService } from './account-service.ts';

/** Appends audit events for changes that the auth library makes in its own transactions. */
export class AccountEventRecorder {
  readonly #accounts: AccountService;
  readonly #addressOf: ClientAddress;

  constructor(accounts: AccountService, addressOf: ClientAddress) {
    this.#accounts = accounts;
    this.#addressOf = addressOf;
  }

  /**
   * Records a sign-in, or ends its session if that fails, so that every sign-in has an event.
   *
   * @param token the session token, which no response has sent yet
   * @param more `newDevice`: this browser has not signed in to the account before
   * @throws {RequestError} storage_unavailable if the event cannot be written
   * @throws {DatabaseUnavailable}
   */
  async recordSignIn(
    request: FastifyRequest,
    account: AccountName,
    token: string,
    more: { newDevice?: true } = {},
  ): Promise<void> {
    try {
      await this.#append(request, 'account.signed_in', account, 'newDevice' in more ? { details: more } : {});
    } catch (error) {
      this.#log(request, error, 'account.signed_in', account, 'the session is ended');
      // If this also fails, the account still lists the session, but no client has its token.
      await this.#accounts.endSession(token).catch(() => undefined);
      throw error instanceof DatabaseUnavailable ? error : notRecorded();
    }
  }

  /**
   * Records a change that cannot be undone, such as a changed password. An error response would be wrong at this point,
   * so a failure to write the event is only logged.
   */
  async recordChange(
    request: FastifyRequest,
    action: Action,
    account: AccountName,
    more: { changes?: Changes; details?: Details } = {},
  ): Promise<void> {
    try {
      await this.#append(request, action, account, more);
    } catch (error) {
      this.#log(request, error, action, account, 'the action took effect');
    }
  }

  async #append(
    request: FastifyRequest,
    action: Action,
    account: AccountName,
    more: { changes?: Changes; details?: Details },
  ): Promise<void> {
    const origin = originOf(request, this.#addressOf(request.raw));
    await this.#accounts.record(action, account, origin, more);
  }

  #log(request: FastifyRequest, err: unknown, action: Action, { id }: AccountName, outcome: string): void {
    const address = this.#addressOf(request.raw);
    request.log.error(
      { err, action, accountId: id, address },
      `an audit event could not be written; ${outcome}`,
    );
  }
}

function notRecorded(): RequestError {
  return new RequestError({
    code: 'storage_unavailable',
    message:
      'You are not signed in, because the audit log could not be written. Try again in a moment. The server log has the cause.',
  });
}
