import { Code, CodeTabs } from '../../components/Code.tsx';
import { HelpSection } from './HelpPage.tsx';

const readers = [
  {
    label: 'Node.js',
    code: `const apiKey = process.env.SOKU_API_KEY;
if (!apiKey) throw new Error('SOKU_API_KEY is not set');`,
  },
  {
    label: 'Python',
    code: `import os

api_key = os.environ["SOKU_API_KEY"]  # KeyError if it is not set`,
  },
  { label: 'Shell', code: `: "\${SOKU_API_KEY:?is not set}"` },
];

const secretStores = [
  {
    label: 'GitHub Actions',
    code: `# Settings > Secrets and variables > Actions: add SOKU_API_KEY
- run: ./deploy.sh
  env:
    SOKU_API_KEY: \${{ secrets.SOKU_API_KEY }}`,
  },
  {
    label: 'GitLab CI',
    code: `# Settings > CI/CD > Variables: add SOKU_API_KEY, masked and protected
deploy:
  script: ./deploy.sh   # reads $SOKU_API_KEY`,
  },
  {
    label: 'Docker Compose',
    code: `services:
  worker:
    image: example/worker
    environment:
      SOKU_API_KEY: \${SOKU_API_KEY:?is not set}`,
  },
  {
    label: 'Kubernetes',
    code: `kubectl create secret generic soku --from-env-file=.env

# in the container:
envFrom:
  - secretRef:
      name: soku`,
  },
];

export function KeyStorage() {
  return (
    <HelpSection id="keep" title="Keep it secret">
      <p>
        Never put a key in source code, a browser, a mobile app, a URL or a chat. Have the program read it
        from its environment:
      </p>
      <CodeTabs label="Read the key" snippets={readers} />
      <h3>On your machine</h3>
      <p>
        Store the key in a file named <code translate="no">.env</code> and exclude the file from version
        control:
      </p>
      <Code label=".gitignore command" code={"echo '.env' >> .gitignore"} />
      <p>
        Node.js reads the file with <code translate="no">node --env-file=.env app.js</code>. If the file was
        ever committed, treat the key as leaked.
      </p>
      <h3>On servers and in CI</h3>
      <p>
        Use the secret store of your platform, or a secret manager such as HashiCorp Vault, AWS Secrets
        Manager, Google Secret Manager, Azure Key Vault, Doppler or 1Password. It provides the key to the
        program and to no one else.
      </p>
      <CodeTabs label="Provide the key" snippets={secretStores} />
    </HelpSection>
  );
}
