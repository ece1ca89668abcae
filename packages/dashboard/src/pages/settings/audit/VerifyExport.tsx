import { Link } from '@tanstack/react-router';
import { Section } from '../../../components/Card.tsx';
import { Code } from '../../../components/Code.tsx';

export function VerifyExport() {
  return (
    <Section
      title="Check the log"
      lead="Each entry is sealed with the hash of the one before it. Keep an export (JSON Lines) in another place. On the server, this command then reports what was changed or removed since:"
    >
      <div className="audit-verify">
        <Code label="command" code="npm run soku -- audit verify --anchor audit.jsonl" />
        <p>
          <Link to="/help/api-key-management" hash="audit">
            What the check proves
          </Link>
        </p>
      </div>
    </Section>
  );
}
