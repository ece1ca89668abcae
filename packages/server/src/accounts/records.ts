import type { Action, Changes, Details } from '@soku/contract/audit';
import type { FastifyRequest } from 'fastify';
import { DatabaseUnavailable } from '../database/unavailable.ts';
import { originOf } from '../events/actor.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { RequestError } from '../http/errors.ts';
import type { AccountName } from './account-events.ts';
import type { AccountService } from './account-service.ts';

/** Appends the events of what the auth library did, which it does in transactions of its own. */
export class AccountRecords {
  readonly #accounts: AccountService;
  readonly #addressOf: ClientAddress;

  constructor(accounts: AccountService, addressOf: ClientAddress) {
    this.#accounts = accounts;
    this.#addressOf = addressOf;
  }

  /**
   * Records a sign-in, or else ends its session: no one gets in without an event.
   *
   * @param token of the session; no response has sent it yet
   * @throws {RequestError} storage_unavailable when the event cannot be written
   * @throws {DatabaseUnavailable}
   */
  async signIn(request: FastifyRequest, account: AccountName, token: string): Promise<void> {
    try {
      await this.#append(request, 'account.signed_in', account, {});
    } catch (error) {
      this.#log(request, error, 'account.signed_in', account, 'the session is ended');
      // If this fails too, the session stays in the list of the account, but its token is known to no one.
      await this.#accounts.endSession(token).catch(() => undefined);
      throw error instanceof DatabaseUnavailable ? error : notRecorded();
    }
  }

  /**
   * Records what cannot be taken back, such as a changed password. A response with an error would be wrong then, so an
   * event that cannot be written is an error in the log.
   */
  async done(
    request: FastifyRequest,
    action: Action,
    account: AccountName,
    more: { changes?: Changes; details?: Details } = {},
  ): Promise<void> {
    try {
      await this.#append(request, action, account, more);
    } catch (error) {
      this.#log(request, error, action, account, 'what it records has happened');
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
      'The sign-in could not be written to the audit log, so it has no effect. Try again in a moment. The cause is in the server log.',
  });
}
