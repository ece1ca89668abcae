import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/contract.ts';
import { shareAmongTestFiles } from '../support/end-of-run.ts';
import { newSigner, startKeyList } from '../support/github.ts';
import { bearer, call } from '../support/person.ts';
import { Cluster, type ClusterNode } from '../torture/cluster.ts';

/** Signs reports of leaked keys in the place of GitHub. */
export const sharedGithub = newSigner();

const shared = shareAmongTestFiles(
  async () => {
    const { url, stop } = await startKeyList([sharedGithub]);
    return { cluster: await Cluster.start(3, { SOKU_GITHUB_KEYS_URL: url }), stop };
  },
  async ({ cluster, stop }) => {
    await cluster.stop();
    stop();
  },
);

/**
 * Three nodes that the test files of this process share, each with a lease. A test may freeze, restart or disconnect a
 * node, and must undo that.
 */
export async function sharedNodes(): Promise<readonly [ClusterNode, ClusterNode, ClusterNode]> {
  const [one, two, three] = (await shared()).cluster.nodes;
  if (!(one && two && three)) throw new Error('the cluster has fewer than three nodes');
  for (const { url } of [one, two, three]) {
    while ((await call(`${url}/readyz`)).status !== 200) await pause(10);
  }
  return [one, two, three];
}

/** The status of a verification. A node that gets no CPU for longer than a lease responds 503 until it has another. */
export async function verify(node: ClusterNode, apiKey: string): Promise<number> {
  return eventually(
    async () => (await call(`${node.url}/v1/verify`, { headers: bearer(apiKey) })).status,
    (status) => status !== 503,
  );
}
