import { Link } from '@tanstack/react-router';
import { Code } from '../../components/Code.tsx';
import { HelpSection } from './HelpPage.tsx';

export function AuditLog() {
  return (
    <HelpSection id="audit" title="See who changed what">
      <p>
        <Link to="/settings/audit">{'Settings > Audit log'}</Link> lists every change to keys, settings and
        accounts, and every sign-in: who, when, from which address, and the old and new values. The page of a
        key links to the entries for that key.
      </p>
      <p>
        Each entry is sealed within about a second: its hash covers the entry and the hash of the previous
        entry. Run this command on the server to find the first entry that was edited, moved or removed:
      </p>
      <Code label="command to verify the audit log" code="npm run soku -- audit verify" />
      <p>
        Someone with write access to the database can rewrite the log and recompute the hashes, or remove the
        newest entries. Only an export stored elsewhere reveals this, so export regularly and compare:
      </p>
      <Code
        label="command to compare the audit log with an export"
        code="npm run soku -- audit verify --anchor audit.jsonl"
      />
      <p>
        A program can export the log with <code translate="no">GET /v1/audit/export</code> and a key with the
        scope <code translate="no">audit:read</code>.
      </p>
    </HelpSection>
  );
}
