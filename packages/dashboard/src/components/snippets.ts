/** The same request in each language. No snippet contains a key: they read it from the environment. */
import type { Snippet } from './Code.tsx';

export const environmentVariable = 'SOKU_API_KEY';

/** A line that shows the preview but copies the full key. */
export function environmentLine(preview: string, apiKey: () => string): Snippet {
  return {
    label: '.env',
    code: `${environmentVariable}=${preview}`,
    copied: () => `${environmentVariable}=${apiKey()}`,
    note: 'The copied line contains the full key. Add .env to .gitignore to keep it out of version control.',
  };
}

function curlSnippet(origin: string): string {
  return `curl ${origin}/v1/me \\\n  -H "Authorization: Bearer $${environmentVariable}"`;
}

function nodeSnippet(origin: string): string {
  return `const response = await fetch('${origin}/v1/me', {
  headers: { Authorization: \`Bearer \${process.env.${environmentVariable}}\` },
});
console.log(response.status, await response.json());`;
}

function pythonSnippet(origin: string): string {
  return `import os
import requests

response = requests.get(
    "${origin}/v1/me",
    headers={"Authorization": f"Bearer {os.environ['${environmentVariable}']}"},
)
print(response.status_code, response.json())`;
}

export function callSnippets(origin: string): Snippet[] {
  return [
    { label: 'curl', code: curlSnippet(origin) },
    { label: 'Node.js', code: nodeSnippet(origin) },
    { label: 'Python', code: pythonSnippet(origin) },
  ];
}
