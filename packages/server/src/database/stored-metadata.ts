import { type Metadata, metadataSchema } from '@soku/contract/metadata';

/** Formats metadata for the column api_key.metadata; null if there is none. */
export function formatStoredMetadata(metadata: Metadata | null): string | null {
  return metadata === null || Object.keys(metadata).length === 0 ? null : JSON.stringify(metadata);
}

/** Parses the column. Values that were changed by hand and are invalid count as none. */
export function parseStoredMetadata(stored: string | null): Metadata {
  if (stored === null) return {};
  try {
    return metadataSchema.parse(JSON.parse(stored));
  } catch {
    return {};
  }
}
