/** Returns which key and secret a row belongs to. */
export interface RowOwners {
  keyId(row: number): string;
  workspaceId(row: number): string;
  hash(row: number): string;
  rowsOf(keyId: string): number[];
}
