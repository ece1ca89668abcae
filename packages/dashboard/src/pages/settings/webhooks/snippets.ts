import type { Snippet } from '../../../components/Code.tsx';

const node = `import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
// Throws if the signature is wrong. The body is the text as received.
const event = webhook.verify(body, request.headers);`;

const python = `import os
from standardwebhooks import Webhook

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
# Raises an error if the signature is wrong. The body is the text as received.
event = webhook.verify(body, request.headers)`;

/** How a receiver reads the secret and verifies requests. Only the copied line contains the secret. */
export function receiverSnippets(secret: () => string): Snippet[] {
  return [
    {
      label: '.env',
      code: 'WEBHOOK_SECRET=whsec_...',
      copied: () => `WEBHOOK_SECRET=${secret()}`,
      note: 'The copied line contains the full secret. Add .env to .gitignore to keep it out of version control.',
    },
    { label: 'Node.js', code: node, note: 'npm install standardwebhooks' },
    { label: 'Python', code: python, note: 'pip install standardwebhooks' },
  ];
}
