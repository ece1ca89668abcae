import type { Secret } from '@soku/contract/secrets';
import { KeyPreview } from '../../../../components/KeyTeeth.tsx';
import { ExactTime } from '../../../../components/RelativeTime.tsx';
import { Section } from '../../../../components/Section.tsx';
import { formatDay } from '../../../../dates/dates.ts';

/** Secrets that are no longer accepted. */
export function EarlierSecrets({ secrets }: { secrets: Secret[] }) {
  return (
    <Section title="Retired secrets" lead="Requests with these are rejected with 401.">
      <table className="table earlier-secrets">
        <thead>
          <tr>
            <th scope="col">Preview</th>
            <th scope="col">Created</th>
            <th scope="col">Last used</th>
            <th scope="col">Retired</th>
          </tr>
        </thead>
        <tbody>
          {secrets.map(({ id, preview, createdAt, lastUsedAt, retiredAt, retiresAt }) => (
            <tr key={id}>
              <td data-column="Preview">
                <KeyPreview preview={preview} status="revoked" />
              </td>
              <td data-column="Created">
                <span>{formatDay(createdAt)}</span>
              </td>
              <td data-column="Last used">
                <span>{lastUsedAt === null ? 'Never' : formatDay(lastUsedAt)}</span>
              </td>
              <td data-column="Retired">
                <ExactTime at={retiredAt ?? retiresAt ?? createdAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
