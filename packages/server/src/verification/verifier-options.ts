import type { IncomingMessage } from 'node:http';
import type { Environment } from '@soku/contract/key-policy';
import type { AddressLimits } from '../limits/address-limits.ts';
import type { Grants } from '../limits/grants.ts';
import type { FirstUse } from './result.ts';
import type { SecretCache } from './secret-cache.ts';
import type { CacheLease, SecretSource } from './secret-source.ts';
import type { VerificationCounts } from './verification-counts.ts';

/** What a verifier needs. */
export interface VerifierOptions {
  /** Where secrets that are not cached are read. */
  secrets: SecretSource;
  /** Whether cached secrets may be used. */
  lease: CacheLease;
  /** The cache. Other components evict from it. */
  cache: SecretCache;
  /** Accepted key prefixes. New keys get the first one. */
  prefixes: readonly string[];
  /** Prefixes of imported keys of other formats; `*` is any token. Default: none. */
  importedPrefixes?: readonly string[];
  /** Which keys are accepted: SOKU_VERIFY_ENVIRONMENT. Default: live. */
  environment?: Environment | 'any';
  /** Counts requests against limits that several nodes share. Undefined with SQLite. */
  grants?: Pick<Grants, 'take'> | undefined;
  /** Whether the client address of a request is that of a proxy. Default: never. */
  isClientHidden?: (request: IncomingMessage) => boolean;
  addressLimits: AddressLimits;
  counts: VerificationCounts;
  /** Called when a use starts the grace period of older secrets; again after the secret was read again. */
  firstUsed?: (use: FirstUse) => void;
  /** Epoch ms. */
  now?: () => number;
  /** Called when the database cannot be read. The key is then rejected. */
  failed: (error: unknown) => void;
}
