/** The same call in each language. None of them holds a key: they read it from the environment. */
import type { Snippet } from './Code.tsx';

export const environmentVariable = 'SOKU_API_KEY';

/** Shows the preview and copies the line with the full key. */
export function environmentLine(preview: string, apiKey: () => string): Snippet {
  return {
    label: '.env',
    code: `${environmentVariable}=${preview}`,
    copied: () => `${environmentVariable}=${apiKey()}`,
    note: 'Copies the line with the full key. Keep .env out of version control: add it to .gitignore.',
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
