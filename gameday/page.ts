import { origin, writePage } from '../test/torture/proof-page.ts';
import { speedup } from './alerts.ts';
import { reportOf, summaryRow, summaryTitles } from './report.ts';
import type { RoundResult } from './round.ts';

export function writeGameDay(results: readonly RoundResult[], seconds: number): void {
  writePage('operations/gameday.md', page(results, seconds));
}

function table(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function page(results: readonly RoundResult[], seconds: number): string {
  const sections = results.map((result) => {
    const parts = reportOf(result).map(
      ({ title, lines }) => `**${title}**\n\n${lines.map((line) => `- ${line}`).join('\n')}`,
    );
    return `## ${result.fault.name}\n\n${result.fault.title}.\n\n${parts.join('\n\n')}\n`;
  });
  return `# Game day

Written by \`npm run gameday -- --write\`, ${origin()}.

\`npm run gameday\` breaks one thing after another in a deployment on your machine, and shows what clients, alerts and logs report. It lasts at most five minutes. Watch it before you trust [what happens when something fails](failures.md), and to learn what an alert looks like.

\`\`\`sh
npm run gameday
npm run gameday -- --list
npm run gameday -- --only kill-node
\`\`\`

- **The deployment** is that of [deploy/compose.postgres.yaml](../../deploy/compose.postgres.yaml), without containers: three nodes, PostgreSQL, HAProxy with [deploy/haproxy.cfg](../../deploy/haproxy.cfg), and Prometheus with [deploy/alerts.yaml](../../deploy/alerts.yaml). HAProxy and Prometheus are those of the machine, or are unpacked from their Debian packages. Everything is removed at the end, also after Ctrl+C.
- **Clients** send about 110 requests per second through HAProxy: verifications of 200 valid keys and of revoked ones, creations, and revokes. A revoke that fails is repeated until it succeeds. As soon as a revoke returns 200, the key is sent to each node itself, and later again. "Before the revoke returned" means that the verification was sent before that, when both results are right.
- **Alerts** are evaluated by Prometheus, but all times of the rules and of the scrapes are divided by ${speedup}: \`for: 1m\` is ${60 / speedup} s, and \`[5m]\` is ${300 / speedup} s. So a fault of a few seconds shows what one of a few minutes would. "Pending" means that the condition is met, but not for as long as the rule demands.
- **A guarantee is violated** if a revoked key is accepted, a valid key is rejected, or a response has an unexpected status. The exit code is then 1. It is also 1 if requests fail that should not, an expected alert does not appear, or not everything works again within 30 s, unless the machine was too busy for a clear result. A verification that fails (503, or no response) does not violate a guarantee: a key that cannot be checked is not accepted.

## Summary

${table([summaryTitles, summaryTitles.map(() => '---'), ...results.map(summaryRow)])}

The run took ${Math.round(seconds)} s.

${sections.join('\n')}`;
}
