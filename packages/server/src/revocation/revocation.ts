import { RequestError } from '../http/errors.ts';

/** What a revoke can say when it has returned. */
export interface Effect {
  /** No verifier accepts the key any more. There is no other answer: what cannot say this fails. */
  effective: true;
  /** On how many servers. */
  nodes: number;
  /** How long the revoke waited for the other ones, in ms. */
  waitedMs: number;
  /** How many keys that the key created, directly or through others, were revoked with it. */
  descendants: number;
}

export interface RevokeRequest {
  keyId: string;
  workspaceId: string;
  by: string;
  /** Epoch ms. */
  at: number;
  /** Whether to revoke the keys that it created, too, and those that they created. */
  descendants: boolean;
}

/** How every verifier learns of a change. */
export interface Revocation {
  /**
   * Kills a key. Resolves only when no verifier accepts it any more; calling it again changes nothing, and waits for
   * the same.
   *
   * @returns undefined when the workspace has no key with this id
   * @throws {RequestError} too_many_descendants; then nothing is revoked
   */
  revoke(request: RevokeRequest): Promise<Effect | undefined>;
  /** Something else about a key, such as its name, was changed and committed. Resolves when every verifier knows. */
  keyChanged(keyId: string): Promise<void>;
  /** The same for a setting of all keys of a workspace. */
  workspaceChanged(workspaceId: string): Promise<void>;
}

/**
 * What a revoke throws inside its transaction when the database does not keep the change: a trigger or a rule that was
 * added while the process runs may undo it. So every revoke reads back what it wrote.
 */
export function revokeUndone(): RequestError {
  return new RequestError({
    code: 'internal_error',
    message:
      'The key was not revoked: the database undid the change, because its triggers or rules were altered. Ask the operator to restart Soku, which then names them.',
  });
}
