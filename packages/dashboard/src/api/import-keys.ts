import { type ImportResult, importResultSchema } from '@soku/contract/imports';
import type { QueryClient } from '@tanstack/react-query';
import { notifyOtherTabs } from './channel.ts';
import { callApi } from './client.ts';

/** In ms. */
const importTimeout = 300_000;

/** Only checks the keys. Nothing is written. */
export function checkImport(keys: unknown[]): Promise<ImportResult> {
  return send(keys, true);
}

/** Imports all keys or none. Resolves once every server knows them. A repeated call changes nothing. */
export async function importKeys(client: QueryClient, keys: unknown[]): Promise<ImportResult> {
  const result = await send(keys, false);
  void client.invalidateQueries({ queryKey: ['keys'] });
  notifyOtherTabs('changed');
  return result;
}

function send(keys: unknown[], dryRun: boolean): Promise<ImportResult> {
  return callApi('/v1/api-keys/import', {
    method: 'POST',
    body: { keys, dryRun },
    schema: importResultSchema,
    timeout: importTimeout,
  });
}
