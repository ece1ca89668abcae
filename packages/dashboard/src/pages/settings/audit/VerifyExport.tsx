import { Link } from '@tanstack/react-router';
import { Code } from '../../../components/Code.tsx';
import { Section } from '../../../components/Section.tsx';

export function VerifyExport() {
  return (
    <Section
      title="Verify the log"
      lead="Each entry is sealed with the hash of the previous entry. Store an export (JSON Lines) elsewhere. This command, run on the server, then reports entries that were changed or removed since:"
    >
      <div className="audit-verify">
        <Code label="command" code="npm run soku -- audit verify --anchor audit.jsonl" />
        <p>
          <Link to="/help/api-key-management" hash="audit">
            What verification proves
          </Link>
        </p>
      </div>
    </Section>
  );
}
